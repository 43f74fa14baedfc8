"""The types that the planner knows by itself are those that the engine would say."""

from __future__ import annotations

import pytest
import sqlglot
from harness.plan_warehouse import Table, Warehouse
from sqlglot import exp

from mere.plan.column_types import column_types
from mere.plan.nodes import MotionColumn

COLUMNS = {
    "i": "INTEGER", "b": "BIGINT", "s": "SMALLINT", "n": "DECIMAL(15,2)", "m": "DECIMAL(38,4)", "f": "DOUBLE",
    "t": "VARCHAR", "d": "DATE", "h": "HUGEINT",
}  # fmt: skip
KNOWN = (
    "r.n", "i", "count(*)", "count(r.t)", "sum(r.i)", "sum(r.b)", "sum(r.s)", "sum(r.n)", "sum(r.f)", "min(r.d)",
    "max(r.n)", "sum(r.n * (1 - r.n))", "sum(r.n * (1 - r.n) * (1 + r.n))", "sum(r.n * r.i)", "sum(r.n - 0.125)",
    "sum(-r.n)", "sum(r.m + r.n)", "sum(r.n) FILTER (WHERE r.i > 2)", "count(DISTINCT r.i)", "sum(DISTINCT r.n)",
    "CAST(sum(r.i) AS BIGINT)", "CAST(r.i AS DECIMAL(18,0))", "CAST(r.i AS TEXT)", "sum(1.50 * r.s)",
)  # fmt: skip
LEFT_TO_THE_ENGINE = (
    "sum(r.h)", "r.i + 1", "avg(r.n)", "sum(r.n / 2)", "sum(1e3 * r.i)", "coalesce(r.i, 0)", "sum(r.n * r.f)",
    "min(r.t || 'x')", "sum(r.n * r.h)", "sum(2 * r.i)", "TRY_CAST(r.t AS INTEGER)",
)  # fmt: skip


def parsed(text: str) -> exp.Expression:
    tree = sqlglot.parse_one(text, dialect="duckdb")
    assert isinstance(tree, exp.Expression)
    return tree


def described(expression: str) -> tuple[MotionColumn, ...] | None:
    tree = parsed(f'SELECT {expression} AS "x" FROM mere_scan_0 AS "r"')
    columns = tuple(MotionColumn(name, duckdb_type) for name, duckdb_type in COLUMNS.items())
    return column_types(tree, lambda name: columns if name == "mere_scan_0" else None)


@pytest.fixture(scope="module")
def engine() -> Warehouse:
    made = Warehouse([Table("unused", "k integer")])
    listed = ", ".join(f"{name} {duckdb_type}" for name, duckdb_type in COLUMNS.items())
    made.connection.execute(f"CREATE TABLE mere_scan_0 ({listed})")
    return made


@pytest.mark.parametrize("expression", KNOWN)
def test_what_is_said_is_what_the_engine_says(engine: Warehouse, expression: str) -> None:
    found = described(expression)
    rows = engine.connection.execute(f"DESCRIBE SELECT {expression} AS x FROM mere_scan_0 AS r").fetchall()
    assert found == (MotionColumn("x", rows[0][1]),)


@pytest.mark.parametrize("expression", LEFT_TO_THE_ENGINE)
def test_what_is_not_certain_is_not_said(expression: str) -> None:
    assert described(expression) is None


def test_a_column_of_a_derived_table_has_its_type() -> None:
    text = 'SELECT "q"."n" AS "x" FROM (SELECT sum("r"."n") AS "n" FROM mere_scan_0 AS "r") AS "q"'
    tree = parsed(text)
    found = column_types(tree, lambda name: (MotionColumn("n", "DECIMAL(5,1)"),))
    assert found == (MotionColumn("x", "DECIMAL(38,1)"),)


def test_a_table_that_nobody_knows_leaves_it_to_the_engine() -> None:
    tree = parsed('SELECT "r"."n" AS "x" FROM range(3) AS "r"')
    assert column_types(tree, lambda name: None) is None
