"""Expressions: text and type are PostgreSQL's, or the difference is listed with its reason.

A case file has one expression (or query) a line; cases/differences.txt has those that differ on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.postgres import Peer
from integration.expressions.evaluate import Answer, Evaluator

CASES = Path(__file__).parent / "cases"
ZONES = ("UTC", "America/New_York")


def read(name: str) -> list[str]:
    lines = (CASES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def differences() -> dict[str, str]:
    found = {}
    reason = ""
    for line in (CASES / "differences.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            reason = line[2:]
        elif line:
            found[line] = reason
    return found


DIFFERENCES = differences()


@pytest.fixture(scope="module", params=ZONES)
def evaluator(request: pytest.FixtureRequest, peer: Peer) -> Iterator[Evaluator]:
    both = Evaluator(peer.conninfo, request.param)
    yield both
    both.close()


def judge(cases: list[tuple[str, Answer, Answer]], ordered: bool) -> None:
    problems = []
    for text, expected, actual in cases:
        same = expected.same_as(actual, ordered)
        if not same and text not in DIFFERENCES:
            problems.append(f"{text}\n    PostgreSQL {_shown(expected)}\n    Mere       {_shown(actual)}")
    assert not problems, f"{len(problems)} of {len(cases)} differ\n" + "\n".join(problems)


def _shown(answer: Answer) -> str:
    return f"{answer.sqlstate} {answer.message}" if answer.sqlstate else f"{answer.types} {answer.rows}"


@pytest.mark.parametrize("family", ["basics", "strings", "casts", "arrays", "resolution", "dates", "formats", "json"])
def test_expressions_agree(evaluator: Evaluator, family: str) -> None:
    cases = [
        (text, evaluator.in_postgres(f"SELECT {text} FROM v ORDER BY id"), evaluator.expression_in_mere(text, True))
        for text in read(family)
    ]
    judge(cases, ordered=True)


def test_aggregates_agree(evaluator: Evaluator) -> None:
    cases = [
        (text, evaluator.in_postgres(f"SELECT {text} FROM v"), evaluator.expression_in_mere(text, False))
        for text in read("aggregates")
    ]
    judge(cases, ordered=True)


def test_queries_agree(evaluator: Evaluator) -> None:
    cases = [(text, evaluator.in_postgres(text), evaluator.query_in_mere(text)) for text in read("queries")]
    judge(cases, ordered=False)


def test_listed_differences_are_still_differences(evaluator: Evaluator) -> None:
    """A difference that is gone must leave the list."""
    known = {text for family in CASES.glob("*.txt") if family.stem != "differences" for text in read(family.stem)}
    assert set(DIFFERENCES) <= known
