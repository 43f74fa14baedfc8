"""ROLLUP, CUBE and GROUPING SETS, divided."""

from __future__ import annotations

import pytest
from harness.dividing import check, divide
from harness.plan_warehouse import Warehouse

ANSWERS = (
    "select a, b, count(*), grouping(a), grouping(b), grouping(a,b), grouping(b,a) from t group by rollup (a, b)",
    "select a, b, sum(c), count(distinct k) from t group by cube (a, b)",
    "select a, b, f, sum(c), avg(d), grouping(a,b,f) from t group by grouping sets ((a, b), (f), (), (b, f))",
    "select k, a, sum(c) from t group by k, rollup (a)",
    "select a, b, sum(c) from t group by a, cube (b, f)",
    "select a, count(*) from nothing group by rollup (a)",
    "select a, count(distinct b), count(distinct c) from nothing group by rollup (a)",
    "select a, sum(a), count(distinct a), sum(distinct c) from t group by rollup (a)",
    "select a, percentile_cont(0.5) within group (order by e) from t group by rollup (a, b)",
    """select a, b, sum(c), rank() over (partition by grouping(a)+grouping(b), case when grouping(b)=0 then a end
    order by sum(c) desc) from t group by rollup(a, b)""",
)


@pytest.mark.parametrize("statement", ANSWERS)
def test_the_divided_answer_is_the_whole_one(tables: Warehouse, statement: str) -> None:
    check(tables, statement)


def test_sets_that_all_hold_the_stored_key_are_complete(tables: Warehouse) -> None:
    divided = divide(tables, "select k, a, sum(c) from t group by k, rollup (a, b)", stated=3e6)
    assert divided.kinds == ["Gather"]


def test_rows_of_different_sets_stay_apart(tables: Warehouse) -> None:
    divided = divide(tables, "select a, count(*) from t group by rollup (a)", policy="random", stated=3e6)
    assert divided.kinds == ["Redistribute", "Gather"]
    assert divided.plan.motions[0].keys == ("mere_set", "mere_k0")


def test_a_set_that_is_there_twice_gives_its_rows_twice(tables: Warehouse) -> None:
    check(tables, "select a, count(*) from t group by grouping sets ((a), (a), ())")
