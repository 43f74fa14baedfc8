"""How long writers wait beside maintenance: commits while a large table is rewritten, and while snapshots go.

python -m bench.maintenance [--rows 10000000]
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from rich.table import Table

from bench.place import temporary_place
from bench.report import console, print_machine
from mere.demo.seaweed import SeaweedFS
from mere.demo.server import MereServer

FILES = 20
ALONE_SECONDS = 10.0
OPTIONS = ("--retention", "1s", "--maintenance-interval", "0")
WRITERS = {
    "INSERT into the table": "INSERT INTO big VALUES (%s, 'late')",
    "INSERT into another": "INSERT INTO small VALUES (%s, 'late')",
}


@dataclass(slots=True)
class Writer:
    """Commits one row after another and notes how long each took."""

    url: str
    sql: str
    seconds: list[float] = field(default_factory=list)

    def work(self, ended: threading.Event) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not ended.is_set():
                began = time.monotonic()
                connection.execute(self.sql, [len(self.seconds)])
                self.seconds.append(time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.maintenance")
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows: int = parser.parse_args().rows
    print_machine()
    with (
        temporary_place() as place,
        SeaweedFS(place / "s3") as store,
        MereServer(place / "mere", f"{store.url}/lake", store.environment, OPTIONS) as server,
    ):
        measure(server.url, rows)


def measure(url: str, rows: int) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        with console.status("Loading"):
            owner.execute("CREATE TABLE big (id bigint, note text)")
            owner.execute("CREATE TABLE small (id bigint, note text)")
            for number in range(FILES):
                first, last = number * rows // FILES, (number + 1) * rows // FILES - 1
                owner.execute(f"INSERT INTO big SELECT g, md5(g::text) FROM generate_series({first}, {last}) g")
        printed = Table("beside", "took s", "writer", "commits", "median ms", "99% ms", "longest ms")
        add(printed, "nothing", url, lambda: time.sleep(ALONE_SECONDS))
        add(printed, f"VACUUM FULL of {rows:,} rows in {FILES} files", url, lambda: owner.execute("VACUUM FULL big"))
        snapshots = owner.execute("SELECT count(*) FROM mere.snapshots").fetchone()
        assert snapshots is not None
        forget = "SELECT * FROM mere.maintain(kinds => '{expire}')"
        add(printed, f"forgetting {snapshots[0]:,} snapshots", url, lambda: owner.execute(forget))
        console.print(printed)
        log = "SELECT kind, files_replaced, files_written, gave_way, snapshots, duration FROM mere.maintenance_log"
        for row in owner.execute(log):
            console.print(*row)


def add(printed: Table, beside: str, url: str, act: Callable[[], object]) -> None:
    ended = threading.Event()
    writers = {name: Writer(url, sql) for name, sql in WRITERS.items()}
    threads = [threading.Thread(target=writer.work, args=(ended,)) for writer in writers.values()]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    began = time.monotonic()
    act()
    took = time.monotonic() - began
    ended.set()
    for thread in threads:
        thread.join()
    for name, writer in writers.items():
        taken = [1000 * seconds for seconds in writer.seconds]
        worst = statistics.quantiles(taken, n=100)[98]
        figures = [f"{value:.1f}" for value in (statistics.median(taken), worst, max(taken))]
        printed.add_row(beside, f"{took:.1f}", name, str(len(taken)), *figures)


if __name__ == "__main__":
    main()
