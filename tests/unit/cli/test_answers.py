"""The demo's comparison: it must notice a wrong answer, and only a wrong one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mere.demo.answers import first_difference, same_value
from mere.demo.tpch import TABLES, queries


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ("FRANCE   ", "FRANCE", True),
        (" FRANCE", "FRANCE", False),
        (Decimal("1995"), 1995, True),
        (Decimal("0.03443588904066555"), 0.034435889040665546, True),
        (Decimal("10.01"), Decimal("10.010"), True),
        (Decimal("10.01"), Decimal("10.02"), False),
        (1.0, 1.00001, False),
        (None, None, True),
        (None, 0, False),
        ("1", 1.0, False),
        (date(1995, 3, 15), date(1995, 3, 15), True),
    ],
)
def test_same_value(found: object, expected: object, same: bool) -> None:
    assert same_value(found, expected) is same


def test_first_difference() -> None:
    assert first_difference([(1, "a")], [(1, "a")]) is None
    assert first_difference([], [(1,)]) == "0 rows instead of 1"
    assert first_difference([(2,), (1,)], [(1,), (2,)]) == "row 1 is (2,) instead of (1,)"


def test_the_queries_and_tables_are_complete() -> None:
    assert len(queries()) == 22
    assert [table.name for table in TABLES if f"CREATE TABLE {table.name} (" not in table.create] == []
    assert all("DISTRIBUTED" in table.create for table in TABLES)
