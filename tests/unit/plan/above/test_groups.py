"""GROUP BY and aggregates, divided."""

from __future__ import annotations

import pytest
from harness.dividing import check, divide
from harness.plan_warehouse import Warehouse

LARGE = 3_000_000.0

ANSWERS = (
    "select count(*) from t",
    "select a, count(*), sum(c), avg(c), min(d), max(f), sum(d), avg(d), avg(e) from t group by a",
    "select k, count(*) from t group by k",
    """select sum(c), sum(d), avg(e), min(b), count(a), bool_and(a > 0), bool_or(a > 4), bit_and(c), bit_or(a),
    bit_xor(c) from t""",
    "select sum(c), count(*), avg(d), max(b) from (select a, b, c, c::numeric(10,2) as d from nothing) s",
    "select sum(c) from t where a > 1000",
    "select a, sum(c) from nothing group by a",
    "select stddev(c), variance(d), stddev_pop(e), var_pop(c), var_samp(e), stddev_samp(a) from t",
    "select b, stddev(c), var_pop(d), variance(e) from t group by b",
    """select b, corr(e, c), covar_pop(e, c), covar_samp(e,c), regr_slope(e,c), regr_intercept(e,c), regr_r2(e,c),
    regr_count(e,c), regr_sxx(e,c), regr_syy(e,c), regr_sxy(e,c), regr_avgx(e,c), regr_avgy(e,c) from t group by
    b""",
    "select corr(e, e), regr_count(e, e) from t where a > 1000",
    """select a, sum(c) filter (where b = 'a'), count(*) filter (where d > 20), avg(e) filter (where c > 500) from
    t group by a""",
    """select sum(c) filter (where b = 'a'), count(b) filter (where d > 20), stddev(c) filter (where b = 'b') from
    t""",
    "select a % 2 as p, extract(month from f) as m, count(*) from t group by 1, 2",
    "select a + 1, sum(c) * 2 + count(*) from t group by a having sum(c) > 1000",
    "select 1 from t having count(*) > 3",
    "select 1 from t having count(*) > 3000",
    "select 1 as x from t group by a",
    "select count(distinct a) from t",
    "select count(distinct 1), a from t group by a",
    "select count(distinct 1) from nothing",
    "select count(distinct k), count(*), sum(c) from t",
    "select count(distinct a), count(distinct b), sum(distinct c), avg(e), count(*) from t",
    """select count(distinct a) filter (where b = 'a'), count(distinct a) filter (where b = 'b'), count(distinct a)
    from t""",
    "select b, count(distinct a), sum(c) from t group by b",
    "select b, count(distinct a), count(distinct k), sum(distinct c), count(*), avg(distinct e) from t group by b",
    "select b, count(distinct a) filter (where c > 500), max(distinct c) from t group by b",
    "select k, count(distinct a), string_agg(b, ',' order by b) from t group by k",
    "select a, string_agg(b, ',' order by b, c) from t group by a",
    "select a, array_agg(c order by c desc) from t group by a",
    "select string_agg(distinct b, ',' order by b), array_agg(distinct a order by a) from t",
    """select b, string_agg(distinct b, ',' order by b), array_agg(distinct a order by a), percentile_cont(0.5)
    within group (order by e) from t group by b""",
    "select percentile_disc(0.25) within group (order by c), count(*) from t",
    "select percentile_cont(0.5) within group (order by c), sum(d), count(distinct a) from t",
    "select mode() within group (order by b) from t where b <> 'c'",
    """select json_object_agg(b, a) from (select b, min(a) as a from t where b is not null group by b) s where b =
    'a'""",
    "select count(distinct b), count(distinct c), count(*) from nothing",
    "select a, count(*) from (select a, b, count(*) from t group by a, b) s group by a",
    "select k, sum(n) from (select k, a, count(*) as n from t group by k, a) s group by k",
    "select max(s) from (select sum(c) as s from t group by k) x",
    "select case when a is null then 'none' else b end, count(*) from t group by 1 order by 2, 1",
    "select count(distinct e), count(distinct d), b from t group by b",
    "select every(a > 0), b from t group by b",
    "select sum(c)::float8 / count(*) from t",
    "select a, (select 7) + sum(c) from t group by a",
    "select a, sum(c) from t group by a having sum(c) > (select 3000)",
    "select a, sum(c) in (select 3000) from t group by a",
    "select sum(distinct k), count(distinct k) from t",
    "select a, array_agg(b) is null, string_agg(b, '-') is null from t group by a",
    "select array_length(array_agg(c), 1), length(string_agg(b, '')) from t",
    "select 1 as q from t",
    "select count(*) from (select from t) s",
)


@pytest.mark.parametrize("statement", ANSWERS)
def test_the_divided_answer_is_the_whole_one(tables: Warehouse, statement: str) -> None:
    check(tables, statement)


def test_groups_by_the_stored_key_need_no_motion_but_the_last(tables: Warehouse) -> None:
    divided = divide(tables, "select k, a, count(distinct b), string_agg(b, ',') from t group by k, a", stated=LARGE)
    assert divided.kinds == ["Gather"]
    assert divided.plan.plain


def test_the_null_group_of_an_outer_join_is_not_taken_for_complete(tables: Warehouse) -> None:
    divided = divide(tables, "select k, count(*) from t group by k", stated=LARGE, everywhere_null=True)
    assert divided.kinds == ["Redistribute", "Gather"]


def test_parts_of_large_groups_meet_by_their_keys(tables: Warehouse) -> None:
    divided = divide(tables, "select a, sum(c), count(*) from t group by a", policy="random", stated=LARGE)
    assert divided.kinds == ["Redistribute", "Gather"]
    assert divided.sent(0) == (
        'SELECT "t"."a" AS "mere_k0", SUM("t"."c") AS "mere_p1", COUNT(*) AS "mere_p2" '
        'FROM mere_scan_0 AS "t" GROUP BY "t"."a"'
    )


def test_parts_of_few_groups_meet_at_the_coordinator(tables: Warehouse) -> None:
    divided = divide(tables, "select a, sum(c) from t group by a order by 2 limit 3", policy="random")
    assert divided.kinds == ["Gather"]
    assert 'GROUP BY "mere_groups"."mere_k0" ORDER BY 2' in divided.root


def test_an_aggregate_that_does_not_split_moves_no_more_than_it_reads(tables: Warehouse) -> None:
    statement = "select a, percentile_cont(0.5) within group (order by e) from t where b = 'a' group by a"
    divided = divide(tables, statement, policy="random", stated=LARGE)
    assert divided.kinds == ["Redistribute", "Gather"]
    assert divided.sent(0) == (
        'SELECT "t"."a" AS "mere_k0", "t"."e" AS "mere_a1" FROM mere_scan_0 AS "t" WHERE "t"."b" = \'a\''
    )


def test_a_value_of_a_distinct_aggregate_leaves_each_segment_once(tables: Warehouse) -> None:
    divided = divide(tables, "select b, count(distinct a) from t group by b", policy="random", stated=LARGE)
    assert divided.kinds == ["Redistribute", "Gather"]
    assert divided.sent(0).endswith('GROUP BY "t"."b", "t"."a"')


def test_distinct_values_of_the_whole_table_meet_by_value_and_are_added(tables: Warehouse) -> None:
    divided = divide(tables, "select count(distinct a), sum(c) from t", policy="random", stated=LARGE)
    assert divided.kinds == ["Redistribute", "Gather"]
    assert divided.plan.motions[0].keys == ("mere_d0",)
    assert "COALESCE(SUM" in divided.root


def test_counts_over_segments_that_give_nothing_are_zero(tables: Warehouse) -> None:
    assert "COALESCE(SUM" in divide(tables, "select count(*) from nothing", stated=LARGE).root


def test_variances_merge_by_means_and_squared_differences(tables: Warehouse) -> None:
    """Large values of small variance: sums of squares would lose every digit."""
    check(tables, "select var_pop(c + 1000000000), stddev(c + 1000000000) from t")


def test_parts_of_groups_meet_where_windows_above_want_them(tables: Warehouse) -> None:
    statement = "select k, c, sum(sum(d)) over (partition by k) from t group by k, c"
    divided = divide(tables, statement, policy="random", stated=LARGE)
    assert divided.kinds == ["Redistribute", "Gather"]
    assert divided.plan.motions[0].keys == ("mere_k0",)
