"""How many values a condition leaves a column, where it lists them."""

from __future__ import annotations

import pytest
from sqlglot import parse_one

from mere.plan.estimate import listed


@pytest.mark.parametrize(
    ("condition", "counts"),
    [
        ("t.a = 1", {"a": 1}),
        ("t.a IN (1, 2, 3)", {"a": 3}),
        ("t.a = 1 AND t.b IN (1, 2)", {"a": 1, "b": 2}),
        ("t.a IN (1, 2, 3) AND t.a IN (1, 2)", {"a": 2}),
        ("(t.a = 1 AND t.b = 2) OR (t.a = 2 AND t.b = 2)", {"a": 2, "b": 1}),
        ("t.a = 1 OR t.a = 2 OR t.a = 1", {"a": 2}),
        ("t.a = 1 OR t.b = 2", {}),
        ("t.a = t.b", {}),
        ("t.a > 1", {}),
        ("NOT t.a = 1", {}),
        ("t.a IN (SELECT 1)", {}),
    ],
)
def test_listed_values_are_counted(condition: str, counts: dict[str, int]) -> None:
    tree = parse_one(f"SELECT 1 WHERE {condition}").args["where"].this
    assert {name: len(values) for (_, name), values in listed(tree).items()} == counts
