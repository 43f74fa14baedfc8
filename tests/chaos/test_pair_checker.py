"""The checker of the pair's ledger finds each broken promise in a history, and nothing in an honest one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from harness.pair_history import Contents, Entered, Outcome, Problem, Read, Transfer, check, outages

INITIAL = {0: 100, 1: 100, 2: 100}
ACKNOWLEDGED, REFUSED, UNKNOWN = Outcome.ACKNOWLEDGED, Outcome.REFUSED, Outcome.UNKNOWN
# A crash of the primary `a` between 3 and 4; `b` goes on in timeline 2. 3 is lost in its COMMIT, 5 conflicts.
HONEST = [
    Transfer(1, 0, 1, 10, ACKNOWLEDGED, "a", 1, 0.0, 1.0),
    Transfer(2, 1, 2, 5, ACKNOWLEDGED, "a", 1, 0.5, 1.5),
    Transfer(3, 2, 0, 7, UNKNOWN, "a", 1, 2.0, 3.0),
    Transfer(4, 0, 2, 1, ACKNOWLEDGED, "b", 2, 6.0, 7.0),
    Transfer(5, 0, 1, 9, REFUSED, "b", 2, 6.5, 7.5),
]


def contents(*numbers: int) -> Contents:
    """As if exactly these transfers had happened."""
    happened = [one for one in HONEST if one.number in numbers]
    balances = dict(INITIAL)
    for one in happened:
        balances[one.source] -= one.amount
        balances[one.target] += one.amount
    return Contents(
        {one.number: (1, 2) for one in happened},
        {one.number: Entered(one.source, one.target, one.amount, one.timeline) for one in happened},
        balances,
    )


def kinds(problems: list[Problem]) -> set[str]:
    return {problem.kind for problem in problems}


@pytest.mark.parametrize("survivors", [(1, 2, 4), (1, 2, 3, 4)], ids=["without the unknown", "with the unknown"])
def test_an_honest_history_has_no_problem(survivors: tuple[int, ...]) -> None:
    final = contents(*survivors)
    reads = [Read("a", 1.0, 1.2, 300, 3, frozenset({1})), Read("b", 8.0, 8.1, 300, 3, frozenset(survivors))]
    assert check(INITIAL, HONEST, reads, final, {"DuckDB": final}) == []


def test_a_lost_commit() -> None:
    assert kinds(check(INITIAL, HONEST, [], contents(1, 4))) == {"an acknowledged commit is lost"}


def test_a_commit_that_was_refused_and_is_there() -> None:
    assert kinds(check(INITIAL, HONEST, [], contents(1, 2, 4, 5))) == {"a refused commit is there"}


def test_a_commit_with_other_values_than_were_acknowledged() -> None:
    whole = contents(1, 2, 4)
    final = replace(whole, journal={**whole.journal, 4: Entered(0, 2, 2, 2)})
    assert kinds(check(INITIAL, HONEST, [], final)) == {
        "an acknowledged commit is lost",
        "the balances are not those of the transfers",
    }


@pytest.mark.parametrize("number", [3, 4], ids=["unknown", "acknowledged"])
def test_a_commit_of_which_one_row_is_missing(number: int) -> None:
    whole = contents(1, 2, 3, 4)
    final = replace(whole, entries={**whole.entries, number: (1,)})
    assert "a transaction is half visible" in kinds(check(INITIAL, HONEST, [], final))


def test_a_commit_that_is_in_the_lake_and_not_in_the_heap() -> None:
    whole = contents(1, 2, 3, 4)
    final = replace(whole, journal=contents(1, 2, 4).journal)
    assert kinds(check(INITIAL, HONEST, [], final)) == {
        "a transaction is half visible",
        "the balances are not those of the transfers",
    }


def test_a_row_that_is_there_twice() -> None:
    whole = contents(1, 2, 4)
    final = replace(whole, entries={**whole.entries, 2: (1, 1, 2)})
    assert "a transaction is half visible" in kinds(check(INITIAL, HONEST, [], final))


def test_an_account_that_missed_a_transfer() -> None:
    whole = contents(1, 2, 4)
    final = replace(whole, balances={**whole.balances, 0: whole.balances[0] + 1})
    assert kinds(check(INITIAL, HONEST, [], final)) == {
        "the balances are not those of the transfers",
        "the total is not conserved",
    }


def test_a_transfer_that_nobody_made() -> None:
    assert kinds(check(INITIAL, HONEST[:2], [], contents(1, 2, 4))) == {"nobody wrote this"}


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (Read("b", 1.0, 1.2, 290, 3, frozenset()), "a reader saw another total"),
        (Read("b", 1.0, 1.2, 300, 4, frozenset()), "a reader saw another total"),
        (Read("b", 1.0, 1.2, 300, 3, frozenset({1}), frozenset({2})), "a reader saw half a transaction"),
        (Read("b", 1.0, 1.2, 300, 3, frozenset({1, 3})), "a reader saw what is gone"),
    ],
)
def test_a_reader_that_saw_what_must_not_be(read: Read, kind: str) -> None:
    assert kinds(check(INITIAL, HONEST, [read], contents(1, 2, 4))) == {kind}


def test_an_old_primary_that_acknowledges_after_the_new_one() -> None:
    late = replace(HONEST[1], number=6, started=8.0, ended=9.0)
    final = contents(1, 2, 4)
    final = Contents(
        {**final.entries, 6: (1, 2)},
        {**final.journal, 6: Entered(1, 2, 5, 1)},
        {0: 89, 1: 100, 2: 111},
    )
    assert kinds(check(INITIAL, [*HONEST, late], [], final)) == {"an old primary acknowledged"}


def test_an_answer_that_was_held_up_while_the_roles_changed_is_no_split_brain() -> None:
    """It began before anybody heard of the new primary, and its commit is there."""
    held_up = replace(HONEST[1], ended=9.0)
    assert check(INITIAL, [HONEST[0], held_up, *HONEST[2:]], [], contents(1, 2, 4)) == []


def test_two_nodes_that_acknowledge_in_one_timeline() -> None:
    other = [replace(one, node="b") if one.number == 2 else one for one in HONEST]
    assert kinds(check(INITIAL, other, [], contents(1, 2, 4))) == {"two primaries in one timeline"}


def test_a_plain_duckdb_or_a_standby_that_reads_something_else() -> None:
    final, fewer = contents(1, 2, 4), contents(1, 4)
    for other, kind in [
        (replace(final, entries=fewer.entries), "DuckDB reads other entries"),
        (replace(final, balances=fewer.balances), "DuckDB reads other balances"),
        (replace(final, journal=fewer.journal), "DuckDB reads other journal"),
    ]:
        assert kinds(check(INITIAL, HONEST, [], final, {"DuckDB": other})) == {kind}
    without_journal = replace(final, journal={})
    assert check(INITIAL, HONEST, [], final, {"DuckDB": without_journal}) == []


def test_an_outage_is_the_longest_time_without_an_acknowledgement() -> None:
    assert outages(HONEST, [0.5]) == [pytest.approx(5.5)]  # from 1.5 to 7.0
    assert outages(HONEST, [0.5, 1.2]) == [pytest.approx(0.5), pytest.approx(5.5)]
    assert outages(HONEST, [0.0, 7.0]) == [pytest.approx(1.0), None]
