"""A trial of a coordinator pair: clients, harm, and the check of everything in the end."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness import pair_ledger, pair_nemesis
from harness.pair import Pair
from harness.pair_history import Contents, Problem, check, outages
from harness.pair_ledger import Ledger
from harness.pair_nemesis import Strike


@dataclass(frozen=True, slots=True)
class Trial:
    """`outages`: for each strike the longest time without an acknowledgement that followed."""

    ledger: Ledger
    strikes: Sequence[Strike]
    outages: Sequence[float | None]
    problems: Sequence[Problem]


def run(
    pair: Pair,
    kinds: Iterable[str],
    seed: int,
    writers: int = 3,
    pace: float = 0.1,
    on_strike: Callable[[Strike], None] | None = None,
) -> Trial:
    """On a pair with an empty schema public. The pair is whole at the end."""
    ledger, done = Ledger(), []
    pair_ledger.steadily(pair, lambda: pair_ledger.prepare(pair))
    with pair_ledger.clients(pair, ledger, writers, seed, pace):
        for strike in pair_nemesis.strikes(pair, ledger, kinds, random.Random(seed)):
            done.append(strike)
            if on_strike is not None:
                on_strike(strike)
    final, others = pair_ledger.steadily(pair, lambda: _read_all(pair))
    problems = check(pair_ledger.INITIAL, ledger.transfers, ledger.reads, final, others)
    return Trial(ledger, done, outages(ledger.transfers, [strike.moment for strike in done]), problems)


def _read_all(pair: Pair) -> tuple[Contents, dict[str, Contents]]:
    """As the primary tells it, and as others do."""
    primary, standby = pair.roles()
    final = pair_ledger.contents(primary)
    return final, {
        "a plain DuckDB": pair_ledger.contents_without_mere(primary),
        "the standby": pair_ledger.contents_of_standby(standby, final),
    }
