"""What the standby costs: commits a second with and without it, and bytes sent to it for loading TPC-H, beside what a
mirrored PostgreSQL 18 sends to its own for the same load.

python -m bench.replication [--scale 1] [--skip commits|bytes]

Bytes are those of the WAL that the standby was sent (pg_stat_replication.sent_lsn), before and after.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg
from harness.pair import Pair
from rich.table import Table as Printed

from bench.insert import SECONDS, SESSIONS, commits_per_second
from bench.mirrored import mirrored_postgres
from bench.place import make_tpch, postgres, run_psql, temporary_place, warehouse
from bench.report import Comparison, console, print_machine
from mere.demo.tpch import TABLES, Table

SETTLED_SECONDS = 60.0
Connect = Callable[[], psycopg.Connection]


@dataclass(frozen=True, slots=True)
class Load:
    """One table: how long it took, and what the standby was sent for it."""

    table: str
    seconds: float
    sent: int


def main() -> None:
    options = _options()
    print_machine()
    if options.skip != "commits":
        measure_commits()
    if options.skip != "bytes":
        measure_bytes(options.scale)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.replication")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--skip", choices=("commits", "bytes"))
    return parser.parse_args()


def measure_commits() -> None:
    """One-row INSERT commits, into a lake table and into a plain PostgreSQL."""
    with temporary_place() as place, console.status("Commits"):
        with warehouse(place) as alone:
            single = [commits_per_second(alone.url, sessions) for sessions in SESSIONS]
        with Pair(place / "pair", options=()) as pair:
            pair.start()
            both = [commits_per_second(pair.conninfo, sessions) for sessions in SESSIONS]
        with postgres(place) as peer:
            plain = [commits_per_second(peer.conninfo, sessions) for sessions in SESSIONS]
        with mirrored_postgres(place) as peer:
            mirrored = [commits_per_second(peer.conninfo, sessions) for sessions in SESSIONS]
    for name, with_standby, without in (("Mere", both, single), ("PostgreSQL", mirrored, plain)):
        rows = [
            Comparison(f"{sessions} session{'s' if sessions > 1 else ''}", replicated, single_node)
            for sessions, replicated, single_node in zip(SESSIONS, with_standby, without, strict=True)
        ]
        _print_commits(name, rows)


def _print_commits(name: str, rows: Sequence[Comparison]) -> None:
    console.print(f"[bold]{name}, one-row INSERT, {SECONDS:g} s each[/bold] (commits per second)")
    table = Printed()
    table.add_column("")
    for heading in ("with a synchronous standby", "without", "ratio"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(row.what, f"{row.mere:,.0f}", f"{row.peer:,.0f}", f"{row.ratio:.2f}")
    console.print(table)


def measure_bytes(scale: float) -> None:
    with temporary_place() as place:
        files = make_tpch(place, scale)
        with console.status("Writing csv"):
            csv = {table.name: _write_csv(files, table) for table in TABLES}
        with mirrored_postgres(place) as peer:
            theirs = load(peer.conninfo, lambda: psycopg.connect(peer.superuser_conninfo, autocommit=True), csv, False)
        with Pair(place / "pair", options=()) as pair:
            pair.start()
            mine = load(pair.conninfo, pair.roles()[0].catalog, csv, True)
        print_loads(mine, theirs, sum(path.stat().st_size for path in csv.values()), scale)


def load(conninfo: str, catalog: Connect, csv: dict[str, Path], distributed: bool) -> list[Load]:
    """Each table by psql's \\copy, as a user would."""
    loads = []
    for table in TABLES:
        with console.status(f"Loading {table.name}"):
            with psycopg.connect(conninfo, autocommit=True) as connection:
                columns = table.create if distributed else f"CREATE TABLE {table.name} ({table.columns})"
                connection.execute(columns.encode())
            with catalog() as superuser:
                before, started = _sent(superuser), time.monotonic()
                run_psql(conninfo, f"\\copy {table.name} from '{csv[table.name]}' (format csv)")
                loads.append(Load(table.name, time.monotonic() - started, _sent(superuser) - before))
    return loads


def _sent(superuser: psycopg.Connection) -> int:
    """Bytes of WAL that the standby has been sent, once it has all there is at this moment."""
    row = superuser.execute("SELECT pg_current_wal_lsn()::text").fetchone()
    assert row is not None
    query = (
        "SELECT pg_wal_lsn_diff(sent_lsn, '0/0')::bigint FROM pg_stat_replication"
        " WHERE state = 'streaming' AND sync_state <> 'async' AND sent_lsn >= %s::pg_lsn"
    )
    until = time.monotonic() + SETTLED_SECONDS
    while (sent := superuser.execute(query, row).fetchone()) is None:
        if time.monotonic() > until:
            raise SystemExit("there is no synchronous standby")
        time.sleep(0.02)
    return int(sent[0])


def _write_csv(files: Path, table: Table) -> Path:
    path = files / f"{table.name}.csv"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM '{files / table.name}.parquet') TO '{path}' (FORMAT csv, HEADER false)")
    return path


def print_loads(mine: Sequence[Load], theirs: Sequence[Load], bytes_of_csv: int, scale: float) -> None:
    console.print(f"[bold]Sent to the standby for loading TPC-H, scale {scale:g}[/bold] (csv: {_mb(bytes_of_csv)} MB)")
    table = Printed()
    table.add_column("")
    for name in ("Mere, MB", "PostgreSQL, MB", "times as much", "Mere, s", "PostgreSQL, s"):
        table.add_column(name, justify="right")
    for one, other in zip([*mine, _sum(mine)], [*theirs, _sum(theirs)], strict=True):
        sent = (_mb(one.sent), _mb(other.sent), f"{other.sent / one.sent:,.1f}")
        table.add_row(one.table, *sent, f"{one.seconds:.1f}", f"{other.seconds:.1f}")
    console.print(table)


def _sum(loads: Sequence[Load]) -> Load:
    return Load("all", sum(load.seconds for load in loads), sum(load.sent for load in loads))


def _mb(count: int) -> str:
    return f"{count / 1e6:,.3f}"


if __name__ == "__main__":
    main()
