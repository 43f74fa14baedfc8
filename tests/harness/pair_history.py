"""What clients of a coordinator pair saw, what is there in the end, and where the two contradict each other.

`check` is a pure function over the history; tests/chaos/test_pair_checker.py shows that it finds what it is for.

A transfer is one transaction: two rows (parts 1 and 2) into the lake table `entry`, an update of two rows of the lake
table `account`, one row into the heap table `journal`. Its number is unique among all clients.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

PARTS = frozenset({1, 2})


class Outcome(Enum):
    """What the client knows of its COMMIT."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"  # the server said no, or the COMMIT was never sent
    UNKNOWN = "unknown"  # it was sent, and no answer came


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transaction. `node` and `timeline` say who answered and in which of PostgreSQL's timelines; each promotion
    begins a new one. `started` is before BEGIN, `ended` when the outcome was known: seconds of one clock."""

    number: int
    source: int
    target: int
    amount: int
    outcome: Outcome
    node: str
    timeline: int
    started: float
    ended: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What one reader saw: the sum and number of all accounts, and the transfers of a range of numbers."""

    node: str
    started: float
    ended: float
    total: int
    accounts: int
    whole: frozenset[int]
    torn: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Entered:
    """A row of `journal`."""

    source: int
    target: int
    amount: int
    timeline: int


@dataclass(frozen=True, slots=True)
class Contents:
    """All there is: parts of each transfer in `entry` (sorted), rows of `journal`, balances."""

    entries: Mapping[int, tuple[int, ...]]
    journal: Mapping[int, Entered]
    balances: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken promise: which, and the evidence."""

    kind: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.evidence}"


def check(
    initial: Mapping[int, int],
    transfers: Sequence[Transfer],
    reads: Sequence[Read],
    final: Contents,
    others: Mapping[str, Contents] = MappingProxyType({}),
) -> list[Problem]:
    """Every broken promise. `others`: what was read otherwise, without the journal where that way has none."""
    return [
        *_lost(transfers, final),
        *_returned(transfers, final),
        *_half_visible(final),
        *_invented(transfers, final),
        *_balances(initial, final),
        *_readers(initial, reads, final),
        *_two_primaries(transfers),
        *_read_otherwise(final, others),
    ]


def _lost(transfers: Sequence[Transfer], final: Contents) -> list[Problem]:
    return [
        Problem("an acknowledged commit is lost", f"{one}; {_what_is_there(one.number, final)}")
        for one in transfers
        if one.outcome is Outcome.ACKNOWLEDGED
        and (
            final.entries.get(one.number) != tuple(sorted(PARTS))
            or final.journal.get(one.number) != Entered(one.source, one.target, one.amount, one.timeline)
        )
    ]


def _returned(transfers: Sequence[Transfer], final: Contents) -> list[Problem]:
    return [
        Problem("a refused commit is there", f"{one}; {_what_is_there(one.number, final)}")
        for one in transfers
        if one.outcome is Outcome.REFUSED and (one.number in final.entries or one.number in final.journal)
    ]


def _half_visible(final: Contents) -> list[Problem]:
    return [
        Problem("a transaction is half visible", f"{number}: {_what_is_there(number, final)}")
        for number in sorted(set(final.entries) | set(final.journal))
        if final.entries.get(number) != tuple(sorted(PARTS)) or number not in final.journal
    ]


def _invented(transfers: Sequence[Transfer], final: Contents) -> list[Problem]:
    known = {one.number for one in transfers}
    return [
        Problem("nobody wrote this", f"{number}: {_what_is_there(number, final)}")
        for number in sorted((set(final.entries) | set(final.journal)) - known)
    ]


def _balances(initial: Mapping[int, int], final: Contents) -> list[Problem]:
    expected = dict(initial)
    for row in final.journal.values():
        expected[row.source] -= row.amount
        expected[row.target] += row.amount
    problems = []
    if expected != dict(final.balances):
        evidence = f"the journal gives {expected}, the accounts hold {dict(final.balances)}"
        problems.append(Problem("the balances are not those of the transfers", evidence))
    if sum(final.balances.values()) != sum(initial.values()):
        evidence = f"{sum(initial.values())} at first, {sum(final.balances.values())} in the end"
        problems.append(Problem("the total is not conserved", evidence))
    return problems


def _readers(initial: Mapping[int, int], reads: Sequence[Read], final: Contents) -> list[Problem]:
    problems = []
    for read in reads:
        if (read.total, read.accounts) != (sum(initial.values()), len(initial)):
            evidence = f"{read.total} in {read.accounts} accounts on {read.node} at {read.started:.3f}"
            problems.append(Problem("a reader saw another total", evidence))
        if read.torn:
            evidence = f"{sorted(read.torn)[:5]} on {read.node} at {read.started:.3f}"
            problems.append(Problem("a reader saw half a transaction", evidence))
        if gone := read.whole - final.entries.keys():
            evidence = f"{sorted(gone)[:5]} on {read.node} at {read.started:.3f}"
            problems.append(Problem("a reader saw what is gone", evidence))
    return problems


def _two_primaries(transfers: Sequence[Transfer]) -> list[Problem]:
    """A timeline belongs to one node; who began after an answer of a later timeline gets none of an earlier one."""
    answered = [one for one in transfers if one.outcome is Outcome.ACKNOWLEDGED]
    problems = []
    owner: dict[int, Transfer] = {}
    for one in answered:
        first = owner.setdefault(one.timeline, one)
        if first.node != one.node:
            problems.append(Problem("two primaries in one timeline", f"{first} and {one}"))
    latest: Transfer | None = None
    by_end = sorted(answered, key=lambda one: one.ended)
    place = 0
    for one in sorted(answered, key=lambda one: one.started):
        while place < len(by_end) and by_end[place].ended < one.started:
            if latest is None or by_end[place].timeline > latest.timeline:
                latest = by_end[place]
            place += 1
        if latest is not None and latest.timeline > one.timeline:
            problems.append(Problem("an old primary acknowledged", f"{one} after {latest}"))
    return problems


def _read_otherwise(final: Contents, others: Mapping[str, Contents]) -> list[Problem]:
    problems = []
    for name, other in others.items():
        pairs: dict[str, tuple[Mapping[int, object], Mapping[int, object]]] = {
            "entries": (other.entries, final.entries),
            "balances": (other.balances, final.balances),
        }
        if other.journal:
            pairs["journal"] = (other.journal, final.journal)
        for what, (found, expected) in pairs.items():
            differing = [key for key in sorted(found.keys() | expected.keys()) if found.get(key) != expected.get(key)]
            if differing:
                told = ", ".join(f"{key}: {found.get(key)}, not {expected.get(key)}" for key in differing[:5])
                problems.append(Problem(f"{name} reads other {what}", told))
    return problems


def _what_is_there(number: int, final: Contents) -> str:
    return f"parts {final.entries.get(number, ())}, journal {final.journal.get(number)}"


def outages(transfers: Sequence[Transfer], moments: Sequence[float]) -> list[float | None]:
    """For each moment the longest time between two acknowledgements, from that moment to the next one (or to the end);
    None if nothing was acknowledged any more."""
    ends = sorted(one.ended for one in transfers if one.outcome is Outcome.ACKNOWLEDGED)
    found: list[float | None] = []
    for number, moment in enumerate(moments):
        until = moments[number + 1] if number + 1 < len(moments) else float("inf")
        within = [moment, *(end for end in ends if moment < end < until)]
        found.append(max((later - earlier for earlier, later in itertools.pairwise(within)), default=None))
    return found
