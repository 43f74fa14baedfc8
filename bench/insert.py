"""One-row INSERT commits per second, with 1 and 8 sessions, beside PostgreSQL 18's.

python -m bench.insert
"""

from __future__ import annotations

import threading
import time

import psycopg

from bench.place import postgres, temporary_place, warehouse
from bench.report import Comparison, console, print_machine, print_table

SECONDS = 10.0
SESSIONS = (1, 8)


def main() -> None:
    print_machine()
    with temporary_place() as place, warehouse(place) as mere, postgres(place) as peer:
        rows = []
        for sessions in SESSIONS:
            with console.status(f"{sessions} sessions"):
                mine, theirs = (commits_per_second(conninfo, sessions) for conninfo in (mere.url, peer.conninfo))
            rows.append(Comparison(f"{sessions} session{'s' if sessions > 1 else ''}", mine, theirs))
    print_table(f"One-row INSERT, {SECONDS:g} s each", "PostgreSQL", "commits per second", rows, digits=0)


def commits_per_second(conninfo: str, sessions: int) -> float:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS event")
        connection.execute("CREATE TABLE event (id bigint NOT NULL, note text)")
    counts = [0] * sessions
    until = time.monotonic() + SECONDS

    def work(number: int) -> None:
        with psycopg.connect(conninfo, autocommit=True) as own:
            while time.monotonic() < until:
                own.execute("INSERT INTO event VALUES (%s, %s)", (counts[number], "an event"))
                counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


if __name__ == "__main__":
    main()
