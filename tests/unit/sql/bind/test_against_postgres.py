"""Every statement of queries.sql and changes.sql, bound and run in a plain DuckDB, gives what PostgreSQL 18 gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from harness.lakeless import Answer, Lakeless
from harness.random_queries import QueryMaker

from mere.errors import MereError
from mere.sql.bind import BoundSelect

HERE = Path(__file__).parent
APPROXIMATE = {700, 701, 1700}
Row = tuple[str | None, ...]


def statements(file: str) -> list[str]:
    return [line for line in (HERE / file).read_text().splitlines() if line.strip()]


def peer_answer(connection: psycopg.Connection[Any], sql: str) -> Answer:
    """The peer's rows as text."""
    result = connection.execute(sql.encode()).pgresult
    assert result is not None
    fields = range(result.nfields)
    rows = tuple(
        tuple(None if (value := result.get_value(row, field)) is None else value.decode() for field in fields)
        for row in range(result.ntuples)
    )
    names = tuple((result.fname(field) or b"").decode() for field in fields)
    return Answer(names, tuple(result.ftype(field) for field in fields), rows)


def same(left: str | None, right: str | None, oid: int) -> bool:
    if left == right or left is None or right is None or oid not in APPROXIMATE:
        return left == right
    return math.isclose(float(left), float(right), rel_tol=1e-9)


def assert_same_rows(expected: Sequence[Row], actual: Sequence[Row], oids: Sequence[int], ordered: bool) -> None:
    assert len(expected) == len(actual), f"{expected} -> {actual}"
    if not ordered:
        expected, actual = sorted(expected, key=_sort_key), sorted(actual, key=_sort_key)
    for left, right in zip(expected, actual, strict=True):
        pairs = zip(left, right, oids, strict=True)
        assert all(same(value, other, oid) for value, other, oid in pairs), f"{left} -> {right}"


def _sort_key(row: Row) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in row]


@pytest.mark.parametrize("sql", statements("queries.sql"))
def test_query(lakeless: Lakeless, sql: str) -> None:
    expected = peer_answer(lakeless.connection, sql)
    actual = lakeless.run(sql)
    assert actual.names == expected.names
    assert actual.oids == expected.oids
    ordered = "order by" in sql and not any(word in sql for word in ("over", "limit", "fetch", "group by grouping"))
    assert_same_rows(expected.rows, actual.rows, expected.oids, ordered)


@pytest.mark.parametrize("sql", statements("changes.sql"))
def test_change(lakeless: Lakeless, sql: str) -> None:
    """RETURNING and the table afterwards are the peer's; or both fail alike. The peer's change is rolled back."""
    actual, failed = None, None
    try:
        actual = lakeless.run(sql)
    except MereError as error:
        failed = error.sqlstate
    connection = lakeless.connection
    connection.execute("begin")
    try:
        expected = peer_answer(connection, sql)
        assert failed is None
        assert actual is not None
        assert lakeless.bound is not None and not isinstance(lakeless.bound, BoundSelect)
        after = peer_answer(connection, f"select * from {lakeless.bound.relation.name}")
        assert_same_rows(after.rows, actual.written, after.oids, ordered=False)
        assert actual.names == expected.names
        assert actual.oids == expected.oids
        assert_same_rows(expected.rows, actual.rows, expected.oids, ordered=False)
    except psycopg.Error as error:
        assert failed == error.sqlstate
    finally:
        connection.execute("rollback")


@pytest.mark.parametrize("seed", range(3))
def test_random_queries(lakeless: Lakeless, seed: int) -> None:
    maker = QueryMaker(seed)
    compared = 0
    for _ in range(40):
        sql = maker.query()
        try:
            expected = peer_answer(lakeless.connection, sql)
        except psycopg.Error:
            continue
        actual = lakeless.run(sql)
        assert (actual.names, actual.oids) == (expected.names, expected.oids), sql
        try:
            assert_same_rows(expected.rows, actual.rows, expected.oids, ordered=False)
        except AssertionError as error:
            raise AssertionError(f"{sql}: {error}") from error
        compared += 1
    assert compared > 20


def test_a_tree_can_be_bound_again(lakeless: Lakeless) -> None:
    sql = "select a, count(*) over w from t window w as (partition by b) order by 1"
    assert lakeless.run(sql) == lakeless.run(sql)


@pytest.mark.parametrize(
    ("sql", "parameters", "rows"),
    [
        ("select a from t where a = $1", [(23, "2")], [("2",)]),
        ("select $1, $2 || 'x'", [(23, None), (25, "it's")], [(None, "it'sx")]),
        ("select a from t order by a limit $1 offset $2", [(20, "1"), (20, "1")], [("2",)]),
        ("select $1 + 1", [(1700, "2.50")], [("3.50",)]),
    ],
)
def test_parameters(lakeless: Lakeless, sql: str, parameters: list[tuple[int, str | None]], rows: list[Row]) -> None:
    assert lakeless.run(sql, parameters).rows == tuple(rows)


def test_engine_errors_are_not_hidden(lakeless: Lakeless) -> None:
    with pytest.raises(duckdb.Error, match="22012"):
        lakeless.run("select a / (a - a) from t")
