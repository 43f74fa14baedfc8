"""A plain DuckDB with the ducklake extension, attached to the same catalog and storage, without anything of Mere."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import duckdb
from duckdb_extensions import import_extension

from harness.mere import MereProcess

EXTENSIONS = ("ducklake", "postgres", "httpfs", "aws")


def attach(server: MereProcess, database: str = "mere", options: Iterable[str] = ()) -> duckdb.DuckDBPyConnection:
    """DuckDB with the lake attached as `lake`; extensions come from the wheels, nothing is downloaded."""
    connection = duckdb.connect()
    for name in EXTENSIONS:
        import_extension(name)
        connection.load_extension(name)
    connection.execute("SET TimeZone='UTC'")
    connection.execute("SET threads=1")
    endpoint = server.environment.get("AWS_ENDPOINT_URL", os.environ.get("AWS_ENDPOINT_URL", ""))
    if server.storage is not None and server.storage.startswith("s3://"):
        connection.execute(
            f"""CREATE SECRET lake_storage (TYPE s3, KEY_ID '{server.environment["AWS_ACCESS_KEY_ID"]}',
                SECRET '{server.environment["AWS_SECRET_ACCESS_KEY"]}', REGION 'us-east-1', URL_STYLE 'path',
                ENDPOINT '{endpoint.removeprefix("http://").removeprefix("https://")}',
                USE_SSL {str(endpoint.startswith("https://")).lower()})"""
        )
    socket_directory, port = server.backing_socket()
    user, password = server.secret()
    settings = ["METADATA_SCHEMA 'mere_lake'", *options]
    connection.execute(
        f"ATTACH 'ducklake:postgres:dbname={database} host={socket_directory} port={port} user={user}"
        f" password={password}' AS lake ({', '.join(settings)})"
    )
    return connection


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return connection.execute(sql).fetchall()
