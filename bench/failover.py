"""The primary coordinator goes, in one of several ways: how much later the first write is acknowledged by the other.

python -m bench.failover [--runs 20] [--only killed]

The primary is killed (PostgreSQL, Patroni and gateway together, kill -9), paused (SIGSTOP), cut off (its network cable
is pulled), or asked to hand over (`mere switchover`). Two clients write one row after another: one knows only the other
node, one uses a libpq string with both hosts.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.client import ConnectionLost, DeadlinePassed
from harness.pair import Pair
from harness.pair_ledger import PairClient
from harness.pair_node import Node
from rich.table import Table as Printed

from bench.place import temporary_place
from bench.report import console, median, print_machine

WAIT_SECONDS = 90.0
SILENCE_SECONDS = 2.0  # after which a client gives up what it asked
AIMS = {"killed": (8.0, 15.0), "switchover": (2.0, None)}


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds from the strike: to the first write that the other acknowledged, to the first that a client with both
    hosts got through, to a whole pair (from the end of the harm). `without`: between two writes of that client."""

    other: float
    both_hosts: float
    without: float
    whole: float


@dataclass(slots=True)
class Prober:
    """Writes one row after another, and notes (node, began, ended) of those that were acknowledged."""

    conninfo: str
    written: list[tuple[str, float, float]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                with PairClient(self.conninfo, SILENCE_SECONDS) as client:
                    while not self.ended.wait(0.02):
                        began = time.monotonic()
                        if client.run("INSERT INTO probe VALUES (1)").sqlstate is not None:
                            break
                        self.written.append((client.node, began, time.monotonic()))
            except (ConnectionLost, DeadlinePassed):
                pass
            self.ended.wait(0.02)

    def first_since(self, moment: float, node: str) -> float:
        """When the first write that this node acknowledged after this moment was acknowledged."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            for name, began, ended in list(self.written):
                if name == node and began > moment:
                    return ended
            time.sleep(0.01)
        raise SystemExit(f"no write on the other node within {WAIT_SECONDS:.0f} s")

    def last_before(self, moment: float, node: str) -> float:
        return max(ended for name, began, ended in list(self.written) if name != node and ended < moment)


@contextmanager
def probing(*conninfos: str) -> Iterator[list[Prober]]:
    probers = [Prober(conninfo) for conninfo in conninfos]
    threads = [threading.Thread(target=prober.run, daemon=True) for prober in probers]
    for thread in threads:
        thread.start()
    try:
        yield probers
    finally:
        for prober in probers:
            prober.ended.set()
        for thread in threads:
            thread.join(SILENCE_SECONDS + 5)


def main() -> None:
    options = _options()
    print_machine()
    with temporary_place() as place, Pair(place) as pair:
        pair.start()
        with PairClient(pair.conninfo) as client:
            client.ok("CREATE TABLE probe (n int)")
        found = {}
        for kind, (strike, mend) in WAYS.items():
            if (options.only or "") in kind and (pair.network is not None or kind != "cut off"):
                found[kind] = [_run(pair, kind, number, strike, mend, options) for number in range(options.runs)]
                print_runs({kind: found[kind]})
    print_runs(found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.failover")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", help="a way of going that has this in its name")
    return parser.parse_args()


def _kill(pair: Pair, primary: Node) -> None:
    primary.kill()


def _pause(pair: Pair, primary: Node) -> None:
    primary.pause()


def _resume(pair: Pair, primary: Node) -> None:
    primary.resume()


def _pull(pair: Pair, primary: Node) -> None:
    assert pair.network is not None
    pair.network.pull(primary.name)


def _plug(pair: Pair, primary: Node) -> None:
    assert pair.network is not None
    pair.network.plug(primary.name)


def _switch_over(pair: Pair, primary: Node) -> None:
    done = primary.command("switchover")
    if done.returncode != 0:
        raise SystemExit(f"mere switchover: {done.stdout}{done.stderr}")


def _nothing(pair: Pair, primary: Node) -> None:
    """A node that ended is started again by the wait for a whole pair."""


Step = Callable[[Pair, Node], None]
WAYS: Mapping[str, tuple[Step, Step]] = {
    "killed": (_kill, _nothing),
    "switchover": (_switch_over, _nothing),
    "paused": (_pause, _resume),
    "cut off": (_pull, _plug),
}


def _run(pair: Pair, kind: str, number: int, strike: Step, mend: Step, options: argparse.Namespace) -> Run:
    with console.status(f"{kind}, run {number + 1} of {options.runs}"):
        pair.until_whole()
        primary, other = pair.roles()
        with probing(f"{other.conninfo()} connect_timeout=2", pair.conninfo) as (direct, both):
            both.first_since(time.monotonic(), _name(primary))
            moment = time.monotonic()
            strike(pair, primary)
            first, by_both = (prober.first_since(moment, _name(other)) for prober in (direct, both))
            last = both.last_before(by_both, _name(other))
        mend(pair, primary)
        run = Run(first - moment, by_both - moment, by_both - last, pair.until_whole())
    console.print(f"{kind}: {run.other:.2f} s, by both hosts {run.both_hosts:.2f} s, whole after {run.whole:.1f} s")
    return run


def _name(node: Node) -> str:
    return f"{node.host.address}:{node.port}"


def print_runs(found: Mapping[str, Sequence[Run]]) -> None:
    console.print("[bold]From the strike to the first acknowledged write[/bold] (seconds)")
    table = Printed()
    for name in ("the primary", "runs"):
        table.add_column(name)
    for name in ("on the other", "maximum", "both hosts", "maximum", "without writes", "maximum", "whole again"):
        table.add_column(name, justify="right")
    table.add_column("aim")
    for kind, runs in found.items():
        columns = [[run.other for run in runs], [run.both_hosts for run in runs], [run.without for run in runs]]
        values = [f"{figure(column):.2f}" for column in columns for figure in (median, max)]
        whole = f"{median([run.whole for run in runs]):.1f}"
        table.add_row(kind, str(len(runs)), *values, whole, _judged(kind, columns[0]))
    console.print(table)


def _judged(kind: str, seconds: Sequence[float]) -> str:
    if kind not in AIMS:
        return ""
    usual, most = AIMS[kind]
    met = median(seconds) <= usual and (most is None or max(seconds) <= most)
    told = f"{usual:g}" + (f", at most {most:g}" if most is not None else "")
    return ("[green]✓[/green] " if met else "[red]✗[/red] ") + told


if __name__ == "__main__":
    main()
