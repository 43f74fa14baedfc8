"""Window functions, divided."""

from __future__ import annotations

import pytest
from harness.dividing import check, divide
from harness.plan_warehouse import Warehouse

ANSWERS = (
    "select a, c from (select a, c, rank() over (partition by a order by c desc) as r from t) s where r < 3",
    """select a, c from (select a, c, row_number() over (partition by b order by c, k, f) as r, f from t) s
    where 1 = r and r = 1 and a > 0""",
    """select a, c, n from (select a, c, dense_rank() over (order by c) as r, count(*) over () as n from t) s
    where r <= 3""",
    """select * from (select b, sum(c), rank() over (partition by b order by sum(c)) as r from t group by a, b) s
    where r <= 2""",
    """select * from (select distinct a, rank() over (order by a) as r from t) s where r <= 2""",
    "select a, sum(c), rank() over (order by sum(c) desc) from t group by a",
    "select a, b, sum(c), sum(sum(c)) over (partition by a), sum(sum(c)) over () from t group by a, b",
    "select k, c, sum(c) over (partition by k) from t",
    "select k, c, row_number() over (partition by k order by c, f, e, d, a, b) from t",
    """select k, c, sum(c) over (partition by a) as s, avg(e) over (partition by a, b), count(*) over (partition by
    k) from t""",
    "select k, c, sum(c) over (partition by a), count(*) over (partition by b) from t",
    """select k, c, sum(c) over (partition by a % 2), rank() over (partition by extract(month from f) order by c),
    lag(c) over (order by c, k, f) from t""",
    "select rank() over (order by c), a from t where c < 100",
    "select count(*) over (), a from t",
    """select first_value(c) over (partition by b order by c, k rows between 1 preceding and current row) from t
    where b is not null""",
    "select distinct a, sum(c) over (partition by a) from t",
    """select a, r from (select a, c, rank() over (partition by a order by c desc, k, f) as r from t) s where r <=
    2""",
    """select a, max(b) over (partition by a order by c, b rows unbounded preceding) from (select a, max(b) as b,
    sum(c) as c from t group by a, k) s""",
    """select a, lead(sum(c)) over (order by a), sum(c) - lag(sum(c)) over (order by a) from t group by a order by
    a""",
    """select extract(year from f), b, sum(d), sum(sum(d)) over (partition by extract(year from f)) from t group by
    1, 2""",
    """select sum(sum(d)) over (partition by b order by extract(month from f) rows unbounded preceding), b,
    extract(month from f) from t group by b, extract(month from f)""",
    "select a, ntile(4) over (order by a) from (select distinct a from t) s",
)


@pytest.mark.parametrize("statement", ANSWERS)
def test_the_divided_answer_is_the_whole_one(tables: Warehouse, statement: str) -> None:
    check(tables, statement)


def test_partitions_by_the_stored_key_need_no_motion(tables: Warehouse) -> None:
    divided = divide(tables, "select k, rank() over (partition by k, a order by c) from t", stated=3e6)
    assert divided.kinds == ["Gather"]


def test_a_computed_key_becomes_a_column_before_rows_move(tables: Warehouse) -> None:
    divided = divide(tables, "select c, count(*) over (partition by c % 7) from t", policy="random", stated=3e6)
    assert divided.kinds == ["Redistribute", "Gather"]
    assert '% 7 AS "mere_k0"' in divided.sent(0)


def test_a_limit_on_a_rank_leaves_rows_out_before_they_move(tables: Warehouse) -> None:
    statement = "select a, c from (select a, c, rank() over (partition by a order by c) as r from t) s where r <= 2"
    divided = divide(tables, statement, policy="random", stated=3e6)
    assert divided.kinds == ["Redistribute", "Gather"]
    assert divided.sent(0).endswith('QUALIFY RANK() OVER (PARTITION BY "t"."a" ORDER BY "t"."c" ASC NULLS LAST) <= 2')


def test_windows_of_two_keys_move_rows_twice(tables: Warehouse) -> None:
    statement = "select sum(c) over (partition by a), sum(c) over (partition by b) from t"
    divided = divide(tables, statement, policy="random", stated=3e6)
    assert divided.kinds == ["Redistribute", "Redistribute", "Gather"]


def test_a_window_over_everything_comes_after_the_groups(tables: Warehouse) -> None:
    divided = divide(tables, "select a, rank() over (order by sum(c)) from t group by a", policy="random", stated=3e6)
    assert divided.kinds == ["Redistribute", "Gather"]


def test_ranks_over_a_replicated_table_are_given_once(tables: Warehouse) -> None:
    divided = divide(tables, "select row_number() over (order by a) from t", policy="replicated")
    assert [slice_.where.value for slice_ in divided.plan.slices] == ["one"]
