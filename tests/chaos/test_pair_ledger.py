"""A coordinator pair under writers and readers, struck again and again: what it acknowledged is there, once and whole.

The long run, with every kind of harm, is `python -m bench.ledger`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import pair_trial
from harness.pair import Pair
from harness.pair_history import Outcome
from harness.pair_nemesis import possible

SEED = 334
KINDS = ("the primary killed", "the primary cut off, not from its clients", "the primary paused")


@pytest.fixture(scope="module")
def pair(session_scratch: Path) -> Iterator[Pair]:
    with Pair(session_scratch / "pair") as found:
        yield found.start()


@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost_and_nothing_else_is_there(pair: Pair) -> None:
    kinds = [kind for kind in KINDS if kind in possible(pair)]
    random.Random(SEED).shuffle(kinds)
    trial = pair_trial.run(pair, kinds, SEED)
    told = "\n".join(
        f"{strike} without writes {outage}" for strike, outage in zip(trial.strikes, trial.outages, strict=True)
    )
    assert not trial.problems, "\n".join(map(str, trial.problems[:10])) + f"\n{told}"
    assert len({one.node for one in trial.ledger.transfers if one.outcome is Outcome.ACKNOWLEDGED}) == 2, told
    assert {read.node for read in trial.ledger.reads} == {"alpha", "beta"}, trial.ledger.refusals[-3:]
