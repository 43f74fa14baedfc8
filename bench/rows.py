"""lineitem on both sides: made, and loaded into PostgreSQL by way of csv."""

from __future__ import annotations

from pathlib import Path

import duckdb
import psycopg

from bench.place import run_psql
from mere.demo.tpch import TABLES

LINEITEM = "lineitem.parquet"
COLUMNS = next(table.columns for table in TABLES if table.name == "lineitem")
HASHED = "DISTRIBUTED BY (l_orderkey)"


def column_types() -> list[tuple[str, str]]:
    """(name, type) of each column, as declared."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE lineitem ({COLUMNS})")
        return connection.execute("SELECT column_name, column_type FROM (DESCRIBE lineitem)").fetchall()


def create_lineitem(conninfo: str, distribution: str = HASHED) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS lineitem")
        connection.execute(f"CREATE TABLE lineitem ({COLUMNS}) {distribution}")


def write_csv(files: Path) -> Path:
    """lineitem as csv without a header, beside its Parquet file."""
    path = files / "lineitem.csv"
    if not path.exists():
        with duckdb.connect() as connection:
            connection.execute(f"COPY (FROM '{files / LINEITEM}') TO '{path}' (FORMAT csv, HEADER false)")
    return path


def load_peer(conninfo: str, files: Path) -> None:
    create_lineitem(conninfo, "")
    run_psql(conninfo, f"\\copy lineitem from '{write_csv(files)}' (format csv)")
    run_psql(conninfo, "VACUUM (FREEZE, ANALYZE) lineitem")
