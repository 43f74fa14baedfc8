"""The wire beside PostgreSQL 18: results to drivers, prepared point lookups, and what idle connections cost.

python -m bench.wire [--rows 1000000] [--seconds 5] [--idle 500] [--repeats 3]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import LiteralString

import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]
import asyncpg
import psycopg
from harness.postgres import BINARIES, start_peer

from bench import libpq
from bench.place import PEER_SETTINGS, temporary_place
from bench.report import Comparison, console, median, print_machine, print_table
from mere.demo.server import MereServer

KEYS = 100_000
WIDE_SHARE = 5  # a wide row is as much work as so many narrow ones
CLIENTS = (1, 8, 64)
NARROW: LiteralString = "SELECT * FROM narrow"
WIDE: LiteralString = "SELECT * FROM wide"
SCHEMA: tuple[LiteralString, ...] = (
    "CREATE TABLE item (id bigint PRIMARY KEY, kind integer NOT NULL, price numeric(12,2) NOT NULL, name text)",
    "INSERT INTO item SELECT g, g % 10, g * 0.01, 'item ' || g FROM generate_series(1, {keys}) AS g",
    "CREATE TABLE narrow (k bigint NOT NULL, v double precision NOT NULL)",
    "INSERT INTO narrow SELECT g, g / 7.0 FROM generate_series(1, {rows}) AS g",
    "CREATE TABLE wide (a bigint, b bigint, c integer, d integer, e numeric(15,2), f numeric(15,2), g double precision,"
    " h boolean, i text, j text, k text, l varchar(40), m date, n date, o timestamp, p timestamptz)",
    "INSERT INTO wide SELECT g, g * 7, g % 1000, g % 7, g * 0.25, g * 0.01, g / 3.0, g % 2 = 0, 'name ' || g,"
    " 'a longer text that says little, number ' || g, CASE WHEN g % 10 = 0 THEN NULL ELSE 'x' || g % 100 END,"
    " 'ship mode ' || g % 5, date '2020-01-01' + g % 1000, date '2021-01-01' + g % 1000,"
    " timestamp '2022-01-01' + g * interval '1 minute', timestamptz '2022-01-01 00:00:00+00' + g * interval '1 second'"
    " FROM generate_series(1, {wide}) AS g",
)
LOOKUP = r"""\set id random(1, {keys})
SELECT * FROM item WHERE id = :id;
"""


def main() -> None:
    options = _options()
    print_machine()
    with temporary_place() as place, both(place, options) as (mine, theirs):
        for conninfo in (mine.conninfo, theirs.conninfo):
            with console.status("Loading both sides"):
                load(conninfo, options.rows)
        print_results(mine, theirs, options)
        print_lookups(place, mine, theirs, options)
        print_idle(mine, theirs, options)


class Side:
    """One server: how to reach it, and the process that all its others descend from."""

    def __init__(self, conninfo: str, pid: int) -> None:
        self.conninfo = conninfo
        self.pid = pid


@contextlib.contextmanager
def both(place: Path, options: argparse.Namespace) -> Iterator[tuple[Side, Side]]:
    """Mere over a folder, since storage is not what is measured here, and a PostgreSQL."""
    connections = str(options.idle + 2 * max(CLIENTS))
    peer = start_peer(place / "postgres", {**PEER_SETTINGS, "max_connections": connections})
    try:
        settings = ("--max-connections", connections)
        with MereServer(place / "mere", str(place / "lake"), {}, settings) as server:
            theirs = f"postgresql://mere@127.0.0.1:{peer.port}/mere"
            yield Side(server.url, server.pid), Side(theirs, peer.process.pid)
    finally:
        peer.stop()


def load(conninfo: str, rows: int) -> None:
    counts = {"keys": str(KEYS), "rows": str(rows), "wide": str(max(1, rows // WIDE_SHARE))}
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in SCHEMA:
            connection.execute(re.sub(r"\{(\w+)\}", lambda name: counts[name[1]], statement))
        connection.execute("ANALYZE")


# Results


def print_results(mine: Side, theirs: Side, options: argparse.Namespace) -> None:
    ways: dict[str, Callable[[str, LiteralString], int]] = {
        "psycopg, text": lambda conninfo, sql: read_psycopg(conninfo, sql, binary=False),
        "psycopg, binary": lambda conninfo, sql: read_psycopg(conninfo, sql, binary=True),
        "libpq alone, text": lambda conninfo, sql: libpq.read(conninfo, sql, binary=False),
        "libpq alone, binary": lambda conninfo, sql: libpq.read(conninfo, sql, binary=True),
        "asyncpg, binary": lambda conninfo, sql: asyncio.run(read_asyncpg(conninfo, sql)),
        "ADBC, COPY binary": read_adbc,
    }
    rows = []
    for shape, sql in (("narrow", NARROW), ("wide", WIDE)):
        for name, way in ways.items():
            with console.status(f"{shape}: {name}"):
                mere, peer = alternate(way, sql, mine.conninfo, theirs.conninfo, options.repeats)
            rows.append(Comparison(f"{shape}, {name}", mere, peer, "at least 1.00x", mere >= peer))
    title = f"{options.rows:,} narrow rows, {options.rows // WIDE_SHARE:,} wide ones, medians of {options.repeats}"
    print_table(title, "PostgreSQL", "rows per second", rows, digits=0)


def alternate(
    way: Callable[[str, LiteralString], int], sql: LiteralString, mine: str, theirs: str, repeats: int
) -> tuple[float, float]:
    """Rates of both sides, each measurement of one followed by one of the other."""
    samples: dict[str, list[float]] = {mine: [], theirs: []}
    for _ in range(repeats):
        for conninfo, rates in samples.items():
            started = time.perf_counter()
            count = way(conninfo, sql)
            rates.append(count / (time.perf_counter() - started))
    return median(samples[mine]), median(samples[theirs])


def read_psycopg(conninfo: str, sql: LiteralString, binary: bool) -> int:
    """As an application does it: every value a Python object."""
    with psycopg.connect(conninfo) as connection, connection.cursor(binary=binary) as cursor:
        return len(cursor.execute(sql).fetchall())


async def read_asyncpg(conninfo: str, sql: str) -> int:
    connection = await asyncpg.connect(conninfo)
    try:
        return len(await connection.fetch(sql))
    finally:
        await connection.close()


def read_adbc(conninfo: str, sql: str) -> int:
    with adbc_driver_postgresql.dbapi.connect(conninfo) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetch_arrow_table().num_rows)


# Point lookups


def print_lookups(place: Path, mine: Side, theirs: Side, options: argparse.Namespace) -> None:
    script = place / "lookup.sql"
    script.write_text(LOOKUP.replace("{keys}", str(KEYS)))
    rows = []
    for clients in CLIENTS:
        with console.status(f"Lookups of {clients} connections"):
            mere, peer = (pgbench(side.conninfo, script, clients, options.seconds) for side in (mine, theirs))
        rows.append(Comparison(f"{clients} connection{'s' if clients > 1 else ''}", mere, peer))
    title = f"One row of {KEYS:,} by a changing key, prepared, pgbench for {options.seconds:g} s"
    print_table(title, "PostgreSQL", "lookups per second", rows, digits=0)


def pgbench(conninfo: str, script: Path, clients: int, seconds: float) -> float:
    words = [str(BINARIES / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2))]
    words += ["-T", f"{max(1, seconds):.0f}", "-f", str(script), conninfo]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise SystemExit(f"pgbench: {done.stderr.strip() or done.stdout.strip()}")
    return float(found[1])


# Idle connections


def print_idle(mine: Side, theirs: Side, options: argparse.Namespace) -> None:
    """Each has run one statement over a table, as those of a pool have."""
    with console.status(f"{options.idle} idle connections"):
        mere, peer = (asyncio.run(idle_memory(side, options.idle)) for side in (mine, theirs))
    per = 2**20 * options.idle
    rows = [
        Comparison("all processes, PSS", mere[0] / 2**20, peer[0] / 2**20),
        Comparison("a connection, PSS", mere[0] / per, peer[0] / per),
        Comparison("Mere's own process, RSS, a connection", mere[1] / per, 0.0),
    ]
    print_table(f"What {options.idle} idle connections add", "PostgreSQL", "MB", rows, digits=2)


async def idle_memory(side: Side, count: int) -> tuple[int, int]:
    """Bytes that the connections add: to the proportional sets of all processes, to the resident set of the first."""
    before = proportional_set(side.pid), resident_set(side.pid)
    gate = asyncio.Semaphore(16)

    async def connect() -> asyncpg.Connection:
        async with gate:
            connection = await asyncpg.connect(side.conninfo)
            await connection.fetch("SELECT * FROM item WHERE id = 4711")
            return connection

    connections = await asyncio.gather(*[connect() for _ in range(count)])
    try:
        await asyncio.sleep(1)
        return proportional_set(side.pid) - before[0], resident_set(side.pid) - before[1]
    finally:
        await asyncio.gather(*[connection.close() for connection in connections])


def proportional_set(root: int) -> int:
    """The memory of a process and all its descendants, each shared page counted once."""
    total = 0
    for pid in family(root):
        with contextlib.suppress(OSError):  # it has just ended
            found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) * 1024 if found else 0
    return total


def resident_set(pid: int) -> int:
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def family(root: int) -> Iterator[int]:
    yield root
    for task in Path(f"/proc/{root}/task").iterdir():
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.wire", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="narrow rows; wide ones are a fifth")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement of lookups")
    parser.add_argument("--idle", type=int, default=500, help="idle connections")
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
