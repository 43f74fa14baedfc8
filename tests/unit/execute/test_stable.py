"""Which slices give the same rows whenever they run."""

from __future__ import annotations

import pytest
from harness.dispatching import query

from mere.execute.stable import is_stable


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a, b + 1 AS c FROM t WHERE a > 1",
        "SELECT t.a FROM t LEFT JOIN u ON t.a = u.a",
        "SELECT a, count(*) AS n, min(b) AS low FROM t GROUP BY a",
        "SELECT DISTINCT a FROM t",
        "SELECT a FROM t UNION ALL SELECT upper(b) FROM u",
    ],
)
def test_filters_joins_and_exact_aggregates(text: str) -> None:
    assert is_stable(query(text))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM t LIMIT 3",
        "SELECT a FROM (SELECT a FROM t ORDER BY b LIMIT 3) AS u",
        "SELECT sum(x) AS s FROM t",
        "SELECT row_number() OVER (ORDER BY a) AS n FROM t",
        "SELECT DISTINCT ON (a) a, b FROM t",
        "SELECT string_agg(b, ',') AS s FROM t",
        "SELECT any_value(b) AS b FROM t GROUP BY a",
        "SELECT arg_min(b, a) AS b FROM t",
    ],
)
def test_what_may_differ(text: str) -> None:
    assert not is_stable(query(text))
