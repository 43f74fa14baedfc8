"""Queries in queries, each of which names what is below it twice: written out they would be millions of terms."""

from __future__ import annotations

import pytest
from harness.client import Client

_LEVELS = 24


@pytest.fixture
def low(client: Client) -> Client:
    client.ok("CREATE TABLE low (b bigint)")
    client.ok("INSERT INTO low SELECT generate_series(1, 10)")
    return client


def _nested(expression: str) -> str:
    table = "low"
    for level in range(_LEVELS):
        column = "b" if level == 0 else "a"
        table = f"(SELECT {expression.format(column)} AS a FROM {table}) AS s{level}"
    return f"SELECT a FROM {table}"


@pytest.mark.parametrize("expression", ["coalesce({0}, {0})", "least({0}, {0})"])
def test_a_condition_on_nested_expressions_is_answered_at_once(low: Client, expression: str) -> None:
    outcome = low.ok(f"{_nested(expression)} WHERE a > 8 ORDER BY a")
    assert outcome.text == [("9",), ("10",)]


def test_with_queries_that_are_read_twice_each_are_read_once(low: Client) -> None:
    tables = ["w0 AS (SELECT b AS a FROM low)"]
    tables += [f"w{n} AS (SELECT x.a FROM w{n - 1} AS x JOIN w{n - 1} AS y USING (a))" for n in range(1, _LEVELS)]
    outcome = low.ok(f"WITH {', '.join(tables)} SELECT sum(a) FROM w{_LEVELS - 1}")
    assert outcome.text == [("55",)]
