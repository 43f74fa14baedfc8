"""The 22 TPC-H queries through psycopg, against a native DuckDB on the same Parquet objects of the lake.

python -m bench.tpch [SCALE ...]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import psycopg
from obstore import list as list_objects

from bench.place import Warehouse, make_tpch, temporary_place, warehouse
from bench.report import Comparison, console, median, print_machine, print_table
from mere.demo.seaweed import ACCESS_KEY, SECRET_KEY
from mere.demo.tpch import TABLES, queries
from mere.segment.connect import extension_file

REPEATS = 5
NAMES = tuple(table.name for table in TABLES)
PROMISES = {1.0: 1.15, 10.0: 1.05}


def main() -> None:
    scales = [float(word) for word in sys.argv[1:]] or [1.0]
    print_machine()
    for scale in scales:
        with temporary_place() as place:
            files = make_tpch(place, scale)
            with warehouse(place, [files]) as mere:
                measure(mere, files, scale)


def measure(mere: Warehouse, files: Path, scale: float) -> None:
    with psycopg.connect(mere.url, autocommit=True) as connection:
        load(connection, files)
        native = open_native(mere)
        medians: dict[str, tuple[float, float]] = {}
        for name, sql in queries().items():
            with console.status(f"Running {name} at scale factor {scale:g}"):
                medians[name] = alternate(
                    lambda sql=sql: connection.execute(sql).fetchall(),  # type: ignore[misc]
                    lambda sql=sql: native.execute(sql).fetchall(),  # type: ignore[misc]
                )
    rows = [Comparison(name, mine, theirs) for name, (mine, theirs) in medians.items()]
    total = Comparison("all", sum(row.mere for row in rows), sum(row.peer for row in rows))
    promise = PROMISES.get(scale)
    if promise is not None:
        total = Comparison("all", total.mere, total.peer, f"at most {promise:.2f}x", total.ratio <= promise)
    print_table(f"TPC-H, scale factor {scale:g}, medians of {REPEATS}", "DuckDB", "seconds", [*rows, total])


def load(connection: psycopg.Connection, files: Path) -> None:
    for table in TABLES:
        with console.status(f"Loading {table.name}"):
            connection.execute(table.create)
            path = str(files / f"{table.name}.parquet")
            connection.execute(f"COPY {table.name} FROM '{path}' (FORMAT parquet)")


def open_native(
    mere: Warehouse,
    tables: Sequence[str] = NAMES,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the same caches on, and a view over each table's objects, exactly those that Mere reads."""
    connection = connection or duckdb.connect()
    connection.execute(f"LOAD '{extension_file('httpfs')}'")
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute("SET enable_http_metadata_cache = true")
    connection.execute("SET validate_external_file_cache = 'NO_VALIDATION'")
    endpoint = mere.store.endpoint.removeprefix("http://")
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{ACCESS_KEY}', SECRET '{SECRET_KEY}', ENDPOINT '{endpoint}',"
        " URL_STYLE 'path', USE_SSL false)"
    )
    batches = list_objects(mere.bucket(), "lake")
    paths = [entry["path"] for batch in batches for entry in batch if entry["path"].endswith(".parquet")]
    for table in tables:
        urls = [f"'{mere.store.url}/{path}'" for path in paths if f"/{table}-" in path]
        if not urls:
            raise SystemExit(f"the lake has no objects of {table}")
        source = f"read_parquet([{', '.join(urls)}], hive_partitioning = false)"
        connection.execute(f"CREATE VIEW {table} AS FROM {source}")
    return connection


def alternate(mine: Callable[[], object], theirs: Callable[[], object], repeats: int = REPEATS) -> tuple[float, float]:
    """Medians of both, one after the other in turn, after one run that warms up."""
    samples: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats + 1):
        for side, run in enumerate((mine, theirs)):
            started = time.perf_counter()
            run()
            if repeat > 0:
                samples[side].append(time.perf_counter() - started)
    return median(samples[0]), median(samples[1])


if __name__ == "__main__":
    main()
