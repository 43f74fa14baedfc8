"""A catalog without a gateway: PostgreSQL as `mere serve` starts it, and connections that play the gateway's part."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import duckdb

from mere.catalog.bootstrap import bootstrap_cluster, load_ducklake
from mere.catalog.databases import bootstrap_database
from mere.catalog.datadir import DataDirectory
from mere.catalog.server import GATEWAY_ROLE, PORT, SUPERUSER, PostgresServer

PASSWORD = "a-test-password"


@dataclass(slots=True)
class LakeDatabase:
    """One lake database: `user` is the administrator's connection, `gateway` and `root` are the service's."""

    server: PostgresServer
    name: str
    user: asyncpg.Connection
    gateway: asyncpg.Connection
    root: asyncpg.Connection
    notices: list[str] = field(default_factory=list)

    async def connect(self, role: str, password: str = PASSWORD) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=str(self.server.socket_directory), port=PORT, user=role, password=password, database=self.name
        )

    async def run(self, *statements: str) -> None:
        """Statements of one transaction, committed as the gateway commits."""
        await self.user.execute("BEGIN")
        try:
            for statement in statements:
                await self.user.execute(statement)
        except BaseException:
            await self.user.execute("ROLLBACK")
            raise
        await self.commit()

    async def fails(self, sqlstate: str, *statements: str) -> str:
        """The last of the statements fails so; its message. The transaction is rolled back."""
        await self.user.execute("BEGIN")
        try:
            for statement in statements[:-1]:
                await self.user.execute(statement)
            await self.user.execute(statements[-1])
        except asyncpg.PostgresError as error:
            assert error.sqlstate == sqlstate, f"{error.sqlstate}: {error}\n{statements[-1]}"
            return str(error)
        finally:
            await self.user.execute("ROLLBACK")
        raise AssertionError(f"succeeded: {statements[-1]}")

    async def commit(self) -> None:
        xid = await self.user.fetchval("SELECT pg_current_xact_id()::text")
        message = {"token": f"test-{self.name}-{xid}", "author": "test", "tables": []}
        await self.gateway.execute(
            "INSERT INTO mere.ticket (xid, message) VALUES ($1::text::xid8, $2::text::jsonb)", xid, json.dumps(message)
        )
        await self.user.execute("SET CONSTRAINTS ALL IMMEDIATE; SELECT mere.commit(); COMMIT")

    async def vouch(self, table: str) -> None:
        """The gateway has looked at the rows, for the user's open transaction."""
        xid = await self.user.fetchval("SELECT pg_current_xact_id()::text")
        relid = await self.user.fetchval("SELECT $1::text::regclass::oid", table)
        await self.gateway.execute(
            "INSERT INTO mere.ddl_ticket (xid, relid) VALUES ($1::text::xid8, $2::oid)", xid, relid
        )

    async def pretend_rows(self, table: str) -> None:
        """A data file in the metadata, so that the table counts as having rows."""
        await self.root.execute(
            "INSERT INTO mere_lake.ducklake_data_file (data_file_id, table_id, begin_snapshot, path, record_count) "
            "SELECT 1000000 + table_id, table_id, 1, 'x.parquet', 1 FROM mere.shell WHERE table_name = $1",
            table,
        )

    async def resolve(self, *names: Sequence[str], connection: asyncpg.Connection | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(
            await (connection or self.user).fetchval(
                "SELECT mere.resolve($1::text::jsonb, current_schemas(true))", json.dumps([list(n) for n in names])
            )
        )
        return answer

    def duckdb(self, home: Path) -> duckdb.DuckDBPyConnection:
        """A plain DuckDB with this lake attached as `l`."""
        connection = duckdb.connect(":memory:", config={"home_directory": str(home), "threads": "1"})
        load_ducklake(connection, home)
        connection.execute(
            f"ATTACH 'ducklake:postgres:dbname={self.name} host={self.server.socket_directory} port={PORT} "
            f"user={SUPERUSER} password={self.server.superuser_password}' AS l (METADATA_SCHEMA 'mere_lake')"
        )
        return connection


@asynccontextmanager
async def running_catalog(directory: Path) -> AsyncIterator[PostgresServer]:
    data = DataDirectory.claim(directory)
    server = PostgresServer(data, settings={"fsync": "off", "full_page_writes": "off"})  # many databases, none kept
    try:
        await server.start()
        await bootstrap_cluster(server, PASSWORD)
        yield server
    finally:
        await server.stop()
        data.release()


@asynccontextmanager
async def lake_database(server: PostgresServer, storage: Path) -> AsyncIterator[LakeDatabase]:
    """It is left to the server's end: each DROP DATABASE would wait for a checkpoint."""
    name = f"lake_{uuid.uuid4().hex[:8]}"
    await bootstrap_database(server, name, str(storage))
    user = await asyncpg.connect(
        host=str(server.socket_directory), port=PORT, user="mere", password=PASSWORD, database=name
    )
    gateway = await server.connect(name, GATEWAY_ROLE)
    root = await server.connect(name)
    database = LakeDatabase(server, name, user, gateway, root)
    user.add_log_listener(lambda _, message: database.notices.append(str(message.message)))
    try:
        yield database
    finally:
        for connection in (user, gateway, root):
            await connection.close()
