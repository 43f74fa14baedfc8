"""ORDER BY, LIMIT and the root, divided."""

from __future__ import annotations

import pytest
from harness.dividing import check, divide
from harness.plan_warehouse import Warehouse

ANSWERS = (
    "select a, c from t order by c desc, a limit 5",
    "select a, c from t order by c desc, a, k limit 5 offset 7",
    "select a from t order by c, k, d limit 3",
    "select * from t order by k, a, b, c, d, e, f",
    "select c from t order by d * 2, c, k",
    "select a, count(*) from t group by a order by count(*) desc, a nulls first limit 2",
    "select k, count(*) from t group by k order by 2 desc, 1 limit 4",
    "select c from t order by c fetch first 3 rows with ties",
    "select c from t order by c offset 2 fetch first 3 rows with ties",
    "select a, sum(c) from t group by a order by 2 fetch first 2 rows with ties",
    "select count(*) from (select a from t limit 7) s",
    "select sum(c) from (select c from t order by c, k limit 10 offset 3) s",
    "select s.x from (select a as x from t order by c limit 3) s group by s.x",
)


@pytest.mark.parametrize("statement", ANSWERS)
def test_the_divided_answer_is_the_whole_one(tables: Warehouse, statement: str) -> None:
    check(tables, statement)


def test_segments_send_no_more_than_the_first_rows(tables: Warehouse) -> None:
    divided = divide(tables, "select a, c from t order by c limit 5 offset 2", stated=3e6)
    assert divided.sent(0).endswith("ORDER BY 2 ASC NULLS LAST LIMIT 7")
    assert divided.root.endswith("ORDER BY 2 ASC NULLS LAST LIMIT 5 OFFSET 2")


def test_what_only_orders_is_dropped_at_the_end(tables: Warehouse) -> None:
    divided = divide(tables, "select a from t order by c limit 5")
    assert '"mere_sort_0"' in divided.sent(0)
    assert divided.root.startswith('SELECT "mere_rows"."a" AS "a" FROM')


def test_without_order_the_rows_pass_through(tables: Warehouse) -> None:
    assert divide(tables, "select a, c from t where a = 1").plan.plain


def test_the_order_of_a_derived_table_means_nothing(tables: Warehouse) -> None:
    divided = divide(tables, "select k, count(*) from (select k, a from t order by c) s group by k")
    assert "ORDER BY" not in divided.text


def test_ties_are_cut_on_each_segment_first(tables: Warehouse) -> None:
    divided = divide(tables, "select c from t order by c fetch first 3 rows with ties", stated=3e6)
    assert "QUALIFY RANK()" in divided.sent(0)


def test_a_replicated_table_is_read_by_one_segment(tables: Warehouse) -> None:
    divided = divide(tables, "select a from t", policy="replicated")
    assert [slice_.where.value for slice_ in divided.plan.slices] == ["one"]


def test_an_arbitrary_choice_is_made_once(tables: Warehouse) -> None:
    statement = "select a, count(*) from (select a from t limit 7) s group by a"
    divided = divide(tables, statement, policy="replicated")
    assert [slice_.where.value for slice_ in divided.plan.slices] == ["one"]
