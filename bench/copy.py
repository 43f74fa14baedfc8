"""Loading lineitem, scale factor 1: csv from the client, and Parquet from the bucket, against PostgreSQL 18's csv.

Beside them what a native DuckDB takes to read the same and write it as Mere does, undivided.

python -m bench.copy
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import obstore

from bench.place import Warehouse, make_tpch, postgres, run_psql, temporary_place, warehouse
from bench.report import Comparison, console, median, print_machine, print_table
from bench.rows import HASHED, LINEITEM, column_types, create_lineitem, write_csv
from bench.tpch import open_native
from mere.lake.files import PARQUET

REPEATS = 3
WRITING = f"{PARQUET}, RETURN_STATS"


def main() -> None:
    print_machine()
    with temporary_place() as place:
        files = make_tpch(place, 1)
        csv = write_csv(files)
        count = duckdb.execute(f"SELECT count(*) FROM '{files / LINEITEM}'").fetchall()[0][0]
        with warehouse(place) as mere, postgres(place) as peer:
            obstore.put(mere.bucket(), f"exchange/{LINEITEM}", files / LINEITEM)
            from_client = f"\\copy lineitem from '{csv}' (format csv)"
            from_bucket = f"COPY lineitem FROM '{mere.exchange}/{LINEITEM}' (FORMAT parquet)"
            with console.status("PostgreSQL, csv"):
                theirs = loading(peer.conninfo, "", from_client, count)
            with console.status("Mere"):
                client = loading(mere.url, HASHED, from_client, count)
                bucket = loading(mere.url, HASHED, from_bucket, count)
                scattered = loading(mere.url, "DISTRIBUTED RANDOMLY", from_bucket, count)
            with console.status("DuckDB alone"):
                alone_csv, alone_parquet = alone(mere, csv, count)
    against_postgres = [
        Comparison("csv from the client", client, theirs, "at least 2.0x", client / theirs >= 2.0),
        Comparison("Parquet from the bucket", bucket, theirs, "at least 3.5x", bucket / theirs >= 3.5),
        Comparison("the same, distributed randomly", scattered, theirs),
        Comparison("a native DuckDB, csv file to one object", alone_csv, theirs),
        Comparison("a native DuckDB, Parquet to one object", alone_parquet, theirs),
    ]
    title = f"COPY FROM, lineitem, medians of {REPEATS}"
    print_table(title, "PostgreSQL, csv", "rows per second", against_postgres, digits=0)


def loading(conninfo: str, distribution: str, command: str, count: int) -> float:
    """Rows a second, each time into a new table."""

    def prepare() -> None:
        create_lineitem(conninfo, distribution)

    return rate(prepare, lambda: run_psql(conninfo, command), count)


def alone(mere: Warehouse, csv: Path, count: int) -> tuple[float, float]:
    """What the engine does by itself, with nothing to divide, check or commit: the bound of both ways."""
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in column_types())
    target = f"'{mere.exchange}/alone.parquet' ({WRITING})"
    with open_native(mere, tables=()) as engine:
        engine.execute("SET preserve_insertion_order = false")
        rates = [
            rate(lambda: None, lambda sql=sql: engine.execute(sql), count)  # type: ignore[misc]
            for sql in (
                f"COPY (FROM read_csv('{csv}', header = false, columns = {{{columns}}})) TO {target}",
                f"COPY (FROM '{mere.exchange}/{LINEITEM}') TO {target}",
            )
        ]
    return rates[0], rates[1]


def rate(prepare: Callable[[], object], run: Callable[[], object], count: int) -> float:
    samples = []
    for _ in range(REPEATS):
        prepare()
        started = time.perf_counter()
        run()
        samples.append(count / (time.perf_counter() - started))
    return median(samples)


if __name__ == "__main__":
    main()
