"""The 99 queries of TPC-DS on segments of one thread each, beside a native DuckDB on the same objects: times, answers,
bytes moved, memory, and what did not divide.

python -m bench.tpcds [--scale 1] [--layout hash|random] [--segments 2] [--queries 1,2,...] [--plot FILE]

An answer is right when it is DuckDB's, of the query as PostgreSQL means it (1/2 is 0 there). Where rows tie at a LIMIT,
the answers without the LIMIT are compared. The package duckdb-extension-tpcds makes the data; whole scale factors only.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from harness.plan_benchmarks import tpcds_warehouse
from harness.plan_warehouse import Table, Warehouse, engine
from harness.same_rows import difference

from bench.motions import Moved, moved, print_moved
from bench.place import temporary_place
from bench.plot import Bar, write_bars
from bench.report import Comparison, console, print_machine, print_table
from bench.segments import segmented_warehouse, wait_for_segments
from bench.tpch import open_native
from mere.segment.connect import extension_file
from mere.sql.bind import BoundSelect

Rows = list[tuple[Any, ...]]
PATIENCE = "300s"


@dataclass(slots=True)
class Results:
    """By the query's name."""

    seconds: dict[str, tuple[float, float]] = field(default_factory=dict)
    motions: dict[str, Moved] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def told(self, name: str) -> str:
        """A query in a line, for logs of long runs."""
        if name in self.failed:
            return f"failed: {self.failed[name]}"
        mine, theirs = self.seconds[name]
        return f"{mine:.3f} s, DuckDB {theirs:.3f} s{', WRONG' if name in self.wrong else ''}"


def main() -> None:
    options = _options()
    print_machine()
    empty, queries = tpcds_warehouse(0)
    chosen = [int(word) for word in options.queries.split(",")] if options.queries else sorted(queries)
    tables = list(empty.tables.values())
    with temporary_place() as place:
        with console.status(f"Making TPC-DS at scale factor {options.scale}"):
            files = make_files(place, tables, options.scale)
        with (
            segmented_warehouse(place, options.segments, [files]) as mere,
            psycopg.connect(mere.url, autocommit=True) as connection,
        ):
            load(connection, tables, files, options.layout)
            wait_for_segments(connection, options.segments)
            connection.execute(f"SET statement_timeout = '{PATIENCE}'")
            names = [table.name for table in tables]
            native = open_native(mere, names)
            native.execute("SET threads = 2")
            meant = Warehouse(tables, open_native(mere, names, engine()))
            meant.connection.execute("SET threads = 2")
            results = Results()
            for number in chosen:
                with console.status(f"Running query {number}"):
                    measure(f"q{number:02}", queries[number], connection, native, meant, results)
                if not console.is_terminal:
                    console.print(f"q{number:02}", results.told(f"q{number:02}"))
    report(results, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.tpcds")
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--layout", default="hash", choices=("hash", "random"))
    parser.add_argument("--segments", type=int, default=2)
    parser.add_argument("--queries", default="")
    parser.add_argument("--plot", type=Path)
    return parser.parse_args()


def make_files(place: Path, tables: Sequence[Table], scale: int) -> Path:
    """The tables as Parquet. The generator works in memory first; it spills to the place."""
    files = place / f"tpcds-{scale}"
    files.mkdir()
    with duckdb.connect(str(place / "generated.db")) as connection:
        connection.execute(f"LOAD '{extension_file('tpcds')}'")
        connection.execute(f"CALL dsdgen(sf = {scale})")
        for table in tables:
            connection.execute(f"COPY {table.name} TO '{files}/{table.name}.parquet' (FORMAT parquet)")
    (place / "generated.db").unlink()
    return files


def load(connection: psycopg.Connection, tables: Sequence[Table], files: Path, layout: str) -> None:
    for table in tables:
        with console.status(f"Loading {table.name}, {layout}"):
            policy = "RANDOMLY" if layout == "random" else f"BY ({table.hash_column})"
            _run(connection, f"CREATE TABLE {table.name} ({table.columns}) DISTRIBUTED {policy}")
            _run(connection, f"COPY {table.name} FROM '{files / table.name}.parquet' (FORMAT parquet)")


def measure(
    name: str,
    sql: str,
    connection: psycopg.Connection,
    native: duckdb.DuckDBPyConnection,
    meant: Warehouse,
    results: Results,
) -> None:
    """Each side once to warm up and once by the clock."""
    try:
        results.motions[name] = moved(connection, sql)
        mine, rows = _timed(lambda: _rows(connection, sql))
    except psycopg.Error as error:
        results.failed[name] = str(error).split("\n", 1)[0]
        return
    native.execute(sql).fetchall()
    theirs, _ = _timed(lambda: native.execute(sql).fetchall())
    results.seconds[name] = mine, theirs
    if (why := _wrong(sql, rows, connection, meant)) is not None:
        results.wrong[name] = why


def _wrong(sql: str, rows: Rows, connection: psycopg.Connection, meant: Warehouse) -> str | None:
    bound = meant.bind(sql)
    found = difference(_plain(meant.answer(bound)), _plain(rows))
    if found is None or bound.tree.args.get("limit") is None:
        return found
    whole = _without_limit(meant, sql)
    unlimited = _without_limit_text(sql)
    return difference(_plain(meant.answer(whole)), _plain(_rows(connection, unlimited)))


def _without_limit(meant: Warehouse, sql: str) -> BoundSelect:
    return meant.bind(_without_limit_text(sql))


def _without_limit_text(sql: str) -> str:
    """The queries end with their LIMIT."""
    before, word, _ = sql.rpartition("LIMIT")
    return before if word else sql


def _plain(rows: Rows) -> list[tuple[object, ...]]:
    """Numbers as floats, which are compared with a tolerance: an average has another scale in PostgreSQL."""
    return [tuple(map(_value, row)) for row in rows]


def _value(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value.rstrip() if isinstance(value, str) else value
    return float(value)


def _rows(connection: psycopg.Connection, sql: str) -> Rows:
    return connection.execute(sql).fetchall()


def _run(connection: psycopg.Connection, sql: str) -> None:
    connection.execute(sql)


def _timed(run: Callable[[], Rows]) -> tuple[float, Rows]:
    started = time.perf_counter()
    rows = run()
    return time.perf_counter() - started, rows


def report(results: Results, options: argparse.Namespace) -> None:
    title = f"TPC-DS, scale factor {options.scale}, {options.segments} segments, {options.layout}"
    rows = [Comparison(name, mine, theirs) for name, (mine, theirs) in results.seconds.items()]
    total = Comparison("all", sum(row.mere for row in rows), sum(row.peer for row in rows))
    print_table(title, "DuckDB", "seconds, once after one to warm up", [*rows, total])
    print_moved(title, results.motions)
    _print_faults("failed", results.failed)
    _print_faults("other answers than DuckDB's", results.wrong)
    if options.plot is not None:
        bars = [Bar(row.what, row.ratio, own=True, note=f"{row.mere:.2f} s") for row in rows]
        write_bars(options.plot, title, "times DuckDB's time, each query", bars)


def _print_faults(what: str, faults: Mapping[str, str]) -> None:
    console.print(f"{what}: {len(faults) or 'none'}")
    for name, why in faults.items():
        console.print(f"  {name}: {why}")


if __name__ == "__main__":
    main()
