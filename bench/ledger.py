"""A coordinator pair under writers, readers and every kind of harm, as long as wanted; then all promises are checked.

python -m bench.ledger [--minutes 10] [--seed 1] [--writers 3] [--segments 0]

Ends with status 1 when a promise was broken, and then keeps its directory.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from harness import pair_trial
from harness.pair import Pair
from harness.pair_history import Outcome
from harness.pair_nemesis import Strike, possible
from harness.pair_trial import Trial
from rich.table import Table as Printed

from bench.report import console, median, print_machine


def main() -> None:
    options = _options()
    print_machine()
    place = Path(tempfile.mkdtemp(prefix="mere-bench-"))
    place.chmod(0o755)
    segments = {"MERE_SEGMENTS": str(options.segments), "MERE_SEGMENT_THREADS": "1"} if options.segments else {}
    try:
        with Pair(place, segments) as pair:
            pair.start()
            kinds = endless(possible(pair, bool(options.segments)), options)
            trial = pair_trial.run(pair, kinds, options.seed, options.writers, options.pace, tell)
            nodes = {f"{node.host.address}:{node.port}": node.name for node in pair.nodes.values()}
    except BaseException:
        console.print(f"What they left is in {place}")
        raise
    print_trial(trial, nodes, options)
    if trial.problems:
        console.print(f"What they left is in {place}")
        raise SystemExit(1)
    shutil.rmtree(place, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.ledger")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--writers", type=int, default=3)
    parser.add_argument("--segments", type=int, default=0, help="on Ray; 0: in the coordinators' own processes")
    parser.add_argument("--pace", type=float, default=0.2, help="seconds that a writer rests between transfers")
    parser.add_argument("--only", help="kinds of harm that have this in their name")
    return parser.parse_args()


def endless(kinds: list[str], options: argparse.Namespace) -> Iterator[str]:
    """All kinds in random order, again and again, until the time is over."""
    until = time.monotonic() + options.minutes * 60
    dice = random.Random(options.seed)
    kinds = [kind for kind in kinds if options.only is None or options.only in kind]
    while True:
        dice.shuffle(kinds)
        for kind in kinds:
            if time.monotonic() > until:
                return
            yield kind


def tell(strike: Strike) -> None:
    console.print(f"{strike.kind}: for {strike.harmed:.1f} s; whole again {strike.recovered:.1f} s later")


def print_trial(trial: Trial, nodes: dict[str, str], options: argparse.Namespace) -> None:
    counts = {outcome: trial.ledger.count(outcome) for outcome in Outcome}
    answered = [one for one in trial.ledger.transfers if one.outcome is Outcome.ACKNOWLEDGED]
    by_node = Counter(nodes[one.node] for one in answered)
    console.print(
        f"[bold]{len(trial.strikes)} strikes, seed {options.seed}, {options.writers} writers[/bold] (seconds)"
    )
    table = Printed()
    table.add_column("harm")
    for name in ("times", "harm lasted", "without commits", "maximum", "whole again"):
        table.add_column(name, justify="right")
    for kind in sorted({strike.kind for strike in trial.strikes}):
        both = [(one, gap) for one, gap in zip(trial.strikes, trial.outages, strict=True) if one.kind == kind]
        gaps = [gap for _, gap in both if gap is not None]
        lasted, whole = (median([getattr(one, name) for one, _ in both]) for name in ("harmed", "recovered"))
        table.add_row(kind, f"{len(both)}", *(f"{seconds:.1f}" for seconds in (lasted, median(gaps), max(gaps), whole)))
    console.print(table)
    console.print(", ".join(f"{count:,} {outcome.value}" for outcome, count in counts.items()), end="; ")
    console.print(f"acknowledged by node {dict(by_node)}, in {len({one.timeline for one in answered})} timelines")
    console.print(f"{len(trial.ledger.reads):,} reads {dict(Counter(read.node for read in trial.ledger.reads))}")
    refusals = Counter(one.message[:5] for one in trial.ledger.transfers if one.outcome is not Outcome.ACKNOWLEDGED)
    console.print(f"what clients were told: {dict(refusals.most_common())}")
    console.print(f"[bold]{len(trial.problems)} broken promises[/bold]")
    for problem in trial.problems[:20]:
        console.print(f"  {problem}", markup=False)


if __name__ == "__main__":
    main()
