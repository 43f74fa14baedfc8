"""Wide results: SELECT * FROM lineitem to libpq and COPY TO STDOUT to psql, against PostgreSQL 18 with the same rows.

python -m bench.select
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import psycopg

from bench import libpq
from bench.place import PSQL, make_tpch, postgres, temporary_place, warehouse
from bench.report import Comparison, console, median, print_machine, print_table
from bench.rows import LINEITEM, create_lineitem, load_peer

REPEATS = 3
ALL = "SELECT * FROM lineitem"


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
                "SELECT * to libpq, text": lambda conninfo: libpq.read(conninfo, ALL, binary=False),
                "SELECT * to libpq, binary": lambda conninfo: libpq.read(conninfo, ALL, binary=True),
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


def copy_out(conninfo: str) -> int:
    command = [str(PSQL), "-X", "-q", "-c", "COPY lineitem TO STDOUT", conninfo]
    count = subprocess.run(f"{' '.join(map(quoted, command))} | wc -l", shell=True, capture_output=True, check=True)
    return int(count.stdout)


def quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    main()
