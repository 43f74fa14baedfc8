"""Wide results: SELECT * FROM lineitem to psycopg and COPY TO STDOUT to psql, against PostgreSQL 18 with the same rows.

python -m bench.select
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import psycopg

from bench.place import PSQL, make_tpch, postgres, temporary_place, warehouse
from bench.report import Comparison, console, median, print_machine, print_table
from bench.rows import LINEITEM, create_lineitem, load_peer

REPEATS = 3


def main() -> None:
    print_machine()
    with temporary_place() as place:
        files = make_tpch(place, 1)
        with warehouse(place, [files]) as mere, postgres(place) as peer:
            with console.status("Loading both sides"):
                create_lineitem(mere.url)
                with psycopg.connect(mere.url, autocommit=True) as connection:
                    connection.execute(f"COPY lineitem FROM '{files / LINEITEM}' (FORMAT parquet)")
                load_peer(peer.conninfo, files)
            ways: dict[str, Callable[[str], int]] = {
                "SELECT * to psycopg, text": lambda conninfo: select_all(conninfo, binary=False),
                "SELECT * to psycopg, binary": lambda conninfo: select_all(conninfo, binary=True),
                "COPY TO STDOUT to psql": copy_out,
            }
            rows = []
            for name, way in ways.items():
                with console.status(name):
                    mine, theirs = rate(way, mere.url), rate(way, peer.conninfo)
                rows.append(Comparison(name, mine, theirs, "at least 1.00x", mine >= theirs))
    print_table(f"lineitem, scale factor 1, medians of {REPEATS}", "PostgreSQL", "rows per second", rows, digits=0)


def rate(way: Callable[[str], int], conninfo: str) -> float:
    samples = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        count = way(conninfo)
        samples.append(count / (time.perf_counter() - started))
    return median(samples)


def select_all(conninfo: str, binary: bool) -> int:
    """Every row reaches libpq, chunk by chunk; no Python objects are made of them, or psycopg would be measured."""
    with psycopg.connect(conninfo) as connection:
        low = connection.pgconn
        low.send_query_params(b"SELECT * FROM lineitem", None, result_format=int(binary))
        low.set_chunked_rows_mode(10_000)
        count = 0
        while (result := low.get_result()) is not None:
            if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
                raise SystemExit(result.error_message.decode())
            count += result.ntuples
        return count


def copy_out(conninfo: str) -> int:
    command = [str(PSQL), "-X", "-q", "-c", "COPY lineitem TO STDOUT", conninfo]
    count = subprocess.run(f"{' '.join(map(quoted, command))} | wc -l", shell=True, capture_output=True, check=True)
    return int(count.stdout)


def quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    main()
