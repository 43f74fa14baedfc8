"""WITH queries that change tables are taken apart: what runs by itself, and what goes with its only reader."""

from __future__ import annotations

import pytest

from mere.errors import FeatureNotSupported, SqlSyntaxError
from mere.sql.bind import parse
from mere.sql.bind.evaluated_once import picks_inside
from mere.sql.bind.modifying import has_changes, take_apart
from mere.sql.dialect import Mere


def parts(text: str) -> list[str]:
    """What runs, in order, the main statement last."""
    taken = take_apart(parse(text), ())
    assert taken.main is not None
    return [tree.sql(Mere) for tree in (*(part.tree for part in taken.before), taken.main)]


def test_each_change_runs_by_itself_whether_it_is_read_or_not() -> None:
    assert parts("with a as (insert into t values (1)), b as (delete from u returning x) select * from b") == [
        "INSERT INTO t VALUES (1)",
        "DELETE FROM u RETURNING x",
        "SELECT * FROM b",
    ]


def test_a_query_that_one_part_reads_goes_with_it() -> None:
    assert parts("with s as (select x from q), d as (delete from t using s where t.x = s.x) select 1") == [
        "WITH s AS (SELECT x FROM q) DELETE FROM t USING s WHERE t.x = s.x",
        "SELECT 1",
    ]


def test_a_query_that_two_parts_read_runs_once_for_both() -> None:
    assert parts("with s as (select x from q limit 1), i as (insert into t select x from s) select * from s") == [
        "WITH s AS (SELECT x FROM q LIMIT 1) SELECT * FROM s",
        "INSERT INTO t SELECT x FROM s",
        "SELECT * FROM s",
    ]


def test_the_query_of_an_insert_may_bring_them() -> None:
    text = "insert into u with d as (delete from t returning x) select x from d"
    assert has_changes(parse(text))
    assert parts(text) == ["DELETE FROM t RETURNING x", "INSERT INTO u SELECT x FROM d"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("with a as (delete from t), a as (select 1) select 1", SqlSyntaxError),
        ("with recursive a as (insert into t select * from b), b as (select 1) select 1", FeatureNotSupported),
        ("with a as (insert into t overriding user value values (1)) select 1", FeatureNotSupported),
    ],
)
def test_what_cannot_be_told_apart_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        take_apart(parse(text), ())


def test_plain_with_queries_stay_as_they_are() -> None:
    assert not has_changes(parse("with a as (select 1) insert into t select * from a"))


def test_a_query_that_may_give_other_rows_each_time_runs_once() -> None:
    text = "with s as (select x from q limit 1), z as (select x from s) delete from t using z where t.x = z.x"
    assert parts(text) == [
        "WITH s AS (SELECT x FROM q LIMIT 1) SELECT * FROM s",
        "WITH z AS (SELECT x FROM s) DELETE FROM t USING z WHERE t.x = z.x",
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("x in (select x from q limit 1)", True),
        ("x in (select x from q order by y limit 1)", True),
        ("x in (select x from q order by x limit 1)", False),
        ("x in (select x from q order by x desc, y fetch first 2 rows only)", False),
        ("x in (select * from q order by x limit 1)", True),
        ("x = (select random())", True),
        ("x = random()", False),
        ("x = (select mine(x) from q)", True),
        ("x in (select distinct on (y) x from q order by y)", True),
        ("x = (select q.x from q where q.y = t.y limit 1)", False),
        ("x = (select t.x from t where t.y = 1 limit 1)", True),
    ],
)
def test_queries_that_pick_rows_are_told_from_those_that_give_the_same(query: str, expected: bool) -> None:
    assert picks_inside(parse(f"delete from t where {query}"), "t", ("mine",)) is expected
