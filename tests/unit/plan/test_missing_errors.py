"""When a plan may give rows though the query on the whole is an error: only where no value that is missing counts."""

from __future__ import annotations

import pytest
from harness.dividing import warehouse
from harness.plan_proof import whatever_the_values
from harness.plan_warehouse import Warehouse


@pytest.fixture(scope="module")
def tables() -> Warehouse:
    return warehouse()


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT count(*) FROM t WHERE (SELECT u.a FROM u) = 3 OR true", "SELECT count(*) FROM t"),
        (
            "SELECT t.c FROM t WHERE t.k < 0 AND t.a = (SELECT u.a FROM u WHERE u.k = t.k)",
            "SELECT c FROM t WHERE false",
        ),
    ],
)
def test_an_error_may_be_missing_where_nobody_asks_for_the_value(tables: Warehouse, statement: str, rows: str) -> None:
    assert whatever_the_values(tables, tables.bind(statement), tables.answer(tables.bind(rows)))


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT (SELECT u.a FROM u) FROM t", "SELECT NULL::integer FROM t"),
        ("SELECT t.c FROM t WHERE t.a = (SELECT u.a FROM u WHERE u.k = t.k)", "SELECT c FROM t WHERE false"),
    ],
)
def test_not_where_the_answer_hangs_on_it(tables: Warehouse, statement: str, rows: str) -> None:
    assert not whatever_the_values(tables, tables.bind(statement), tables.answer(tables.bind(rows)))
