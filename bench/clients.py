"""Many clients at once run the 22 queries of TPC-H at random on two segments: throughput, the slowest, peak memory.

python -m bench.clients [--scale 1] [--clients 64] [--rounds 4] [--segments 2] [--active 8] [--seed 1]

Beside it the same queries, one after the other in one session: what the machine does without a crowd.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence

import psycopg
from harness.crowd import Asked, crowd, right_answers
from harness.memory import Watch
from rich.table import Table as Printed

from bench.place import make_tpch, temporary_place
from bench.report import console, median, print_machine
from bench.segments import load, segmented_warehouse, wait_for_segments
from mere.demo.tpch import TABLES, queries


def main() -> None:
    options = _options()
    print_machine()
    with temporary_place() as place:
        files = make_tpch(place, options.scale)
        words = ("--active-statements", str(options.active), "--waiting-statements", str(options.clients))
        with segmented_warehouse(place, options.segments, [files], words) as mere:
            with psycopg.connect(mere.url, autocommit=True) as connection:
                load(connection, TABLES, files, "hash")
                wait_for_segments(connection, options.segments)
                pids = [pid for (pid,) in connection.execute("SELECT pid FROM mere.segment_configuration").fetchall()]
                alone = _alone(connection)
            answers = right_answers(files)
            started = time.monotonic()
            with Watch(pids) as watch, console.status(f"{options.clients} clients"):
                asked = asyncio.run(crowd(mere.url, options.clients, options.rounds, options.seed, answers))
            print_crowd(asked, time.monotonic() - started, alone, watch.peak, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.clients")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--segments", type=int, default=2)
    parser.add_argument("--active", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _alone(connection: psycopg.Connection) -> Mapping[str, float]:
    """Seconds of each query by itself, after one run that warms up."""
    found = {}
    for _ in range(2):
        for name, sql in queries().items():
            with console.status(f"{name} by itself"):
                started = time.monotonic()
                connection.execute(sql.encode()).fetchall()
                found[name] = time.monotonic() - started
    return found


def print_crowd(
    asked: Sequence[Asked], seconds: float, alone: Mapping[str, float], peak: int, options: argparse.Namespace
) -> None:
    wrong = [one for one in asked if one.wrong is not None]
    by_itself = sum(alone[one.query] for one in asked)
    waits = [one.seconds for one in asked]
    slowest = {one.client: 0.0 for one in asked}
    for one in asked:
        slowest[one.client] = max(slowest[one.client], one.seconds)
    console.print(
        f"[bold]{options.clients} clients, {options.rounds} queries each[/bold] "
        f"({options.segments} segments, {options.active} at a time, scale {options.scale:g})"
    )
    table = Printed(show_header=False)
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("queries", f"{len(asked)}")
    table.add_row("wrong answers", f"{len(wrong)}")
    table.add_row("seconds in all", f"{seconds:.1f}")
    table.add_row("seconds, one after the other by themselves", f"{by_itself:.1f}")
    table.add_row("queries per second", f"{len(asked) / seconds:.2f}")
    table.add_row("median wait for an answer, s", f"{median(waits):.2f}")
    table.add_row("longest wait for an answer, s", f"{max(waits):.2f}")
    table.add_row("the luckiest client's longest wait, s", f"{min(slowest.values()):.2f}")
    table.add_row("peak memory of the segments, MB", f"{peak / 2**20:.0f}")
    console.print(table)
    for one in wrong:
        console.print(f"client {one.client}, {one.query}: {one.wrong}")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
