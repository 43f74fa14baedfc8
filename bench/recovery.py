"""A segment is killed in the middle of a query: how long until the answer, and until there are all segments again.

python -m bench.recovery [--scale 1] [--segments 2] [--spares 1] [--runs 20] [--layout random]

Each run asks the query once undisturbed and once with a kill -9, every time at another moment of it.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from rich.table import Table as Printed

from bench.place import make_tpch, temporary_place
from bench.report import console, median, print_machine
from bench.segments import load, segmented_warehouse, wait_for_segments
from mere.demo.kill import QUERY, UP
from mere.demo.tpch import TABLES

SPARES = "SELECT pid FROM mere.segment_configuration WHERE status = 'spare'"
ANSWER_AIM, READY_AIM = 2.0, 3.0
WAIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds. `moment` says where in the query the kill came, from 0 to 1; `ready` and `whole` count from the kill, to
    all segments up, and the spares too."""

    moment: float
    undisturbed: float
    killed: float
    ready: float
    whole: float

    @property
    def later(self) -> float:
        return self.killed - self.undisturbed

    @property
    def recovery(self) -> float:
        """From the kill to the answer, less the query undisturbed: what is left when all its work is done once more.
        Below zero where part of the work was not lost."""
        return self.later - self.moment * self.undisturbed


def main() -> None:
    options = _options()
    print_machine()
    with temporary_place() as place:
        files = make_tpch(place, options.scale)
        words = ("--spare-segments", str(options.spares))
        with (
            segmented_warehouse(place, options.segments, [files], words) as mere,
            psycopg.connect(mere.url, autocommit=True) as connection,
            psycopg.connect(mere.url, autocommit=True) as watch,
        ):
            load(connection, [table for table in TABLES if table.name == "lineitem"], files, options.layout)
            wait_for_segments(connection, options.segments)
            runs = measure(connection, watch, options)
    print_runs(runs, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.recovery")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--segments", type=int, default=2)
    parser.add_argument("--spares", type=int, default=1)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--layout", choices=("hash", "random"), default="random")
    return parser.parse_args()


def measure(connection: psycopg.Connection, watch: psycopg.Connection, options: argparse.Namespace) -> list[Run]:
    expected = connection.execute(QUERY).fetchall()  # warm: the files are in the segments' caches
    runs = []
    for number in range(options.runs):
        with console.status(f"Run {number + 1} of {options.runs}"):
            _until(lambda: len(_pids(watch, UP)) == options.segments and len(_pids(watch, SPARES)) == options.spares)
            undisturbed = _ask(connection, expected)
            moment = 0.1 + 0.8 * number / max(1, options.runs - 1)
            runs.append(_with_kill(connection, watch, expected, undisturbed, moment, options))
    return runs


def _with_kill(
    connection: psycopg.Connection,
    watch: psycopg.Connection,
    expected: Sequence[Any],
    undisturbed: float,
    moment: float,
    options: argparse.Namespace,
) -> Run:
    victim = _pids(watch, UP)[round(moment * 100) % options.segments]
    since: list[float] = []

    def strike() -> None:
        killed = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        _until(lambda: victim not in (up := _pids(watch, UP)) and len(up) == options.segments)
        since.append(time.monotonic() - killed)
        _until(lambda: len(_pids(watch, SPARES)) == options.spares)
        since.append(time.monotonic() - killed)

    striking = threading.Timer(moment * undisturbed, strike)
    striking.start()
    killed = _ask(connection, expected)
    striking.join()
    ready, whole = since
    return Run(moment, undisturbed, killed, ready, whole)


def _ask(connection: psycopg.Connection, expected: Sequence[Any]) -> float:
    started = time.monotonic()
    found = connection.execute(QUERY).fetchall()
    seconds = time.monotonic() - started
    if found != expected:
        raise SystemExit("the query gave another answer")
    return seconds


def _pids(connection: psycopg.Connection, query: str) -> list[int]:
    return [int(pid) for (pid,) in connection.execute(query.encode()).fetchall()]


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"the segments are not whole again after {WAIT_SECONDS:.0f} s")
        time.sleep(0.02)


def print_runs(runs: Sequence[Run], options: argparse.Namespace) -> None:
    what = f"{options.segments} segments, {options.spares} spares, {options.layout} layout, scale {options.scale:g}"
    console.print(f"[bold]A segment killed in mid-query, {len(runs)} runs[/bold] (seconds; {what})")
    table = Printed()
    table.add_column("")
    for name in ("median", "maximum"):
        table.add_column(name, justify="right")
    table.add_column("promise")
    lines: list[tuple[str, list[float], float | None]] = [
        ("the query undisturbed", [run.undisturbed for run in runs], None),
        ("the query, a segment killed in it", [run.killed for run in runs], None),
        ("the answer comes later by", [run.later for run in runs], None),
        ("kill to answer, less the query undisturbed", [run.recovery for run in runs], ANSWER_AIM),
        ("kill to all segments up", [run.ready for run in runs], READY_AIM),
        ("kill to the spares up too", [run.whole for run in runs], None),
    ]
    for name, seconds, aim in lines:
        promise = ""
        if aim is not None:
            promise = ("[green]✓[/green]" if median(seconds) <= aim else "[red]✗[/red]") + f" at most {aim:g}"
        table.add_row(name, f"{median(seconds):.2f}", f"{max(seconds):.2f}", promise)
    console.print(table)


if __name__ == "__main__":
    main()
