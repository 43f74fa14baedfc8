"""Small statements against PostgreSQL 18, and what planning over a table of 10,000 files costs.

python -m bench.latency
"""

from __future__ import annotations

import time
from typing import LiteralString

import psycopg

from bench.place import postgres, temporary_place, warehouse
from bench.report import Comparison, console, median, print_machine, print_table

REPEATS = 300
ROWS = 100_000
FILES = 10_000
EXTRA_MILLISECONDS = 3.0
PLANNING_MILLISECONDS = 50.0
SCHEMA: tuple[LiteralString, ...] = (
    "CREATE TABLE item (id bigint PRIMARY KEY, kind integer NOT NULL, price numeric(12,2) NOT NULL, name text)",
    "INSERT INTO item SELECT g, g % 10, g * 0.01, 'item ' || g FROM generate_series(1, 100000) AS g",
    "CREATE TABLE small (kind integer NOT NULL, price numeric(12,2) NOT NULL)",
    "INSERT INTO small SELECT g % 10, g * 0.01 FROM generate_series(1, 10000) AS g",
)
STATEMENTS: dict[str, LiteralString] = {
    "SELECT 1": "SELECT 1",
    "one row of 100,000 by key": "SELECT * FROM item WHERE id = 4711",
    "an aggregate over 10,000 rows": "SELECT kind, count(*), sum(price) FROM small GROUP BY kind ORDER BY kind",
}
PRUNED: LiteralString = "SELECT sum(v) FROM many WHERE k = 4711"


def main() -> None:
    print_machine()
    with (
        temporary_place() as place,
        warehouse(place) as mere,
        postgres(place) as peer,
        psycopg.connect(mere.url, autocommit=True) as mine,
        psycopg.connect(peer.conninfo, autocommit=True) as theirs,
    ):
        for connection in (mine, theirs):
            for sql in SCHEMA:
                connection.execute(sql)
        theirs.execute("ANALYZE")
        rows = [compare(name, mine, theirs, sql) for name, sql in STATEMENTS.items()]
        print_table(f"Latency, medians of {REPEATS}", "PostgreSQL", "milliseconds", rows, digits=2)
        print_planning(mine)


def compare(name: str, mine: psycopg.Connection, theirs: psycopg.Connection, sql: LiteralString) -> Comparison:
    with console.status(name):
        mere, peer = 1000 * half(mine, sql), 1000 * half(theirs, sql)
    return Comparison(name, mere, peer, f"at most {EXTRA_MILLISECONDS:g} ms more", mere - peer <= EXTRA_MILLISECONDS)


def half(connection: psycopg.Connection, sql: LiteralString, repeats: int = REPEATS) -> float:
    """The median time of one statement, in seconds."""
    samples = []
    for _ in range(repeats):
        started = time.perf_counter()
        connection.execute(sql).fetchall()
        samples.append(time.perf_counter() - started)
    return median(samples[repeats // 10 :])


def print_planning(connection: psycopg.Connection) -> None:
    """A query that needs one file of 10,000: what it takes beyond the same query over one file."""
    for name in ("many", "one"):
        connection.execute(f"CREATE TABLE {name} (k bigint NOT NULL, v bigint NOT NULL)")
    connection.execute("INSERT INTO one VALUES (4711, 1)")
    with console.status(f"Making {FILES:,} files"):
        for start in range(0, FILES, 500):
            with connection.transaction():
                for key in range(start, start + 500):
                    connection.execute("INSERT INTO many VALUES (%s, 1)", (key,))
    few, many = (1000 * half(connection, sql, 50) for sql in (PRUNED.replace("many", "one"), PRUNED))
    met = many - few <= PLANNING_MILLISECONDS
    row = Comparison("one row of 10,000 files", many, few, f"at most {PLANNING_MILLISECONDS:g} ms more", met)
    print_table("Planning", "of 1 file", "milliseconds", [row], digits=2)


if __name__ == "__main__":
    main()
