"""Which motions the engine is told to be a small part of a table: those that a condition made, not groups."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from mere.execute.sparse import filtered, is_sparse
from mere.plan.nodes import Motion, MotionColumn, MotionKind

CHOSEN = 'SELECT "k" FROM "t" WHERE "v" = 1'


def tree(sql: str) -> exp.Expression:
    parsed = sqlglot.parse_one(sql, dialect="duckdb")
    assert isinstance(parsed, exp.Expression)
    return parsed


def test_a_selection_of_few_rows_is_sparse() -> None:
    assert is_sparse(tree(CHOSEN), rows=10, whole=100)
    assert is_sparse(tree(CHOSEN), rows=0, whole=0)


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT "k" FROM "t"',
        'SELECT DISTINCT "k" FROM "t" WHERE "v" = 1',
        'SELECT "k", count(*) FROM "t" WHERE "v" = 1 GROUP BY "k"',
        'SELECT max("k") + 1 FROM "t" WHERE "v" = 1',
        'SELECT "k" FROM "t" WHERE "v" = 1 LIMIT 5',
        'SELECT "k" FROM "t" WHERE "v" = 1 UNION ALL SELECT "k" FROM "u"',
    ],
)
def test_groups_and_whole_tables_are_not(sql: str) -> None:
    assert not is_sparse(tree(sql), rows=10, whole=100)


def test_neither_is_a_condition_that_most_rows_meet() -> None:
    assert not is_sparse(tree(CHOSEN), rows=60, whole=100)


def test_the_filter_keeps_every_row_and_its_nulls_and_changes_the_estimate() -> None:
    motion = Motion(1, MotionKind.BROADCAST, 1, (MotionColumn("k", "BIGINT"),))
    with duckdb.connect() as engine:
        engine.execute(f"CREATE TEMP TABLE {motion.table} AS SELECT nullif(range, 7) AS k FROM range(100)")
        query = f"WITH {motion.table} AS NOT MATERIALIZED ({filtered(motion)}) SELECT * FROM {motion.table}"
        assert engine.execute(f"SELECT count(*), count(k), sum(k) FROM ({query})").fetchone() == (100, 99, 4943)
        ((_, plan),) = engine.execute(f"EXPLAIN {query}").fetchall()
        assert "~20 rows" in plan
