"""SELECT DISTINCT and DISTINCT ON, divided."""

from __future__ import annotations

import pytest
from harness.dividing import check, divide
from harness.plan_warehouse import Warehouse

ANSWERS = (
    "select distinct a from t",
    "select distinct k, a from t",
    "select distinct b, a % 2 from t order by 1, 2",
    "select distinct b, count(*) from t group by a, b",
    "select distinct on (a) a, c from t order by a, c desc, k",
    "select distinct on (b) b, d, c from t order by b, d, c limit 2",
    "select distinct on (k) k, c from t order by k, c",
    "select distinct on (a) c from t order by a, c, k",
    "select distinct on (a % 2, b) c, k from t order by a % 2, b, c, k, f",
    "select avg(s) from (select distinct a, b, c as s from t) x",
    "select count(*) from (select distinct a, b from t) s",
)


@pytest.mark.parametrize("statement", ANSWERS)
def test_the_divided_answer_is_the_whole_one(tables: Warehouse, statement: str) -> None:
    check(tables, statement)


def test_each_segment_leaves_out_what_it_can_first(tables: Warehouse) -> None:
    divided = divide(tables, "select distinct a, b from t", policy="random", stated=3e6)
    assert divided.kinds == ["Redistribute", "Gather"]
    assert divided.sent(0).startswith("SELECT DISTINCT")


def test_distinct_with_the_stored_key_is_complete(tables: Warehouse) -> None:
    assert divide(tables, "select distinct a, k from t", stated=3e6).kinds == ["Gather"]
