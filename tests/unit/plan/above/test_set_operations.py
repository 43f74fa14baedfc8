"""UNION, INTERSECT and EXCEPT, divided."""

from __future__ import annotations

import pytest
from harness.dividing import check, divide
from harness.plan_warehouse import Warehouse

ANSWERS = (
    "select a from t union all select a from u",
    "select a from t union select a from u",
    "select a, b from t union select a, b from u order by 1, 2 limit 5",
    "select a, b from t intersect select a, b from u",
    "select a, b from t intersect all select a, b from u",
    "select a, b from t except select a, b from u where a < 3",
    "select a, b from t except all select a, b from u where a < 3",
    "select k, a from t except select k, a from u",
    "select k from t union all select c from u",
    "select k from t intersect select c from u",
    "select d from t except select c from u",
    "select e from t intersect select d from u",
    "select a from t union all select 1 union all select null",
    "select a from t union select 1 union select null",
    "select count(*), sum(a) from (select a from t union all select a from u) s",
    "select k, count(*) from (select k, a from t union all select k, c from u) s group by k",
    "select a, count(*) from (select a from t union select k from u) s group by a",
    "(select a from t order by c, k limit 3) union all select a from u",
    "(select a from t order by c, k limit 3) union (select a from u order by c, k limit 4) order by 1",
    "select sum(x) from (select count(*) as x from t union all select count(*) from u) s",
    "(select a from t limit 0) except select a from u",
    "select 5 except select a from u",
    "select a from u intersect select 5",
)


@pytest.mark.parametrize("statement", ANSWERS)
def test_the_divided_answer_is_the_whole_one(tables: Warehouse, statement: str) -> None:
    check(tables, statement)


def test_a_replicated_member_of_union_all_is_counted_once(tables: Warehouse) -> None:
    """Else its rows would come once from every segment."""
    divided = divide(tables, "select a from t union all select 1", stated=3e6)
    assert "$mere_share" in divided.text
    assert divided.kinds == ["Gather"]


def test_members_by_the_same_key_meet_without_a_motion(tables: Warehouse) -> None:
    for operator in ("union", "intersect", "except all"):
        divided = divide(tables, f"select k, a from t {operator} select k, a from u", stated=3e6)
        assert divided.kinds == ["Gather"], operator


def test_members_of_different_types_are_cast_before_they_meet(tables: Warehouse) -> None:
    divided = divide(tables, "select d from t intersect select c from u", policy="random", stated=3e6)
    types = {column.duckdb_type for motion in divided.plan.motions for column in motion.columns}
    assert len(types) == 1
