"""Loading lineitem, scale factor 1: csv from the client, and Parquet from the bucket, against PostgreSQL 18's csv.

python -m bench.copy
"""

from __future__ import annotations

import time
from collections.abc import Callable

import duckdb
import obstore

from bench.place import make_tpch, postgres, run_psql, temporary_place, warehouse
from bench.report import Comparison, console, median, print_machine, print_table
from bench.rows import LINEITEM, create_lineitem, write_csv

REPEATS = 3


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
                theirs = rate(peer.conninfo, "", from_client, count)
            rows = []
            for name, command, promise in (
                ("csv from the client", from_client, 2.0),
                ("Parquet from the bucket", from_bucket, 3.5),
            ):
                with console.status(f"Mere, {name}"):
                    mine = rate(mere.url, "DISTRIBUTED BY (l_orderkey)", command, count)
                rows.append(Comparison(name, mine, theirs, f"at least {promise:.1f}x", mine / theirs >= promise))
    print_table(f"COPY FROM, lineitem, medians of {REPEATS}", "PostgreSQL, csv", "rows per second", rows, digits=0)


def rate(conninfo: str, distribution: str, command: str, count: int) -> float:
    run: Callable[[], object] = lambda: run_psql(conninfo, command)  # noqa: E731
    samples = []
    for _ in range(REPEATS):
        create_lineitem(conninfo, distribution)
        started = time.perf_counter()
        run()
        samples.append(count / (time.perf_counter() - started))
    return median(samples)


if __name__ == "__main__":
    main()
