"""Default values for rows that are being inserted. Lives in the coordinator process.

A default is PostgreSQL's expression. One that gives the same value for every row of a statement is evaluated once, a
sequence hands out its numbers in one block, anything else is evaluated by PostgreSQL as often as there are rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from mere.segment.workspace import Workspace
from mere.session.postgres_rows import PostgresRows, plain_text
from mere.session.state import SessionState
from mere.sql.bind import duckdb_text
from mere.sql.bind.bound import DefaultColumn
from mere.sql.lexer import quote_identifier
from mere.sql.literals import literal
from mere.sql.types import duckdb_type, format_type

_NEXTVAL = re.compile(
    r"\A\s*(?:pg_catalog\.)?nextval\((?P<sequence>'(?:[^']|'')*')(?:::regclass)?\)\s*\Z", re.IGNORECASE
)
_CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_.\"]*)\s*\(")
# Functions that mean one value for a whole statement; any other call may be volatile.
_STABLE = frozenset(
    {
        "now", "transaction_timestamp", "statement_timestamp", "current_setting", "current_database", "current_schema",
        "upper", "lower", "coalesce", "nullif", "date_trunc", "to_char", "to_date", "timezone", "length", "concat",
        "numeric", "varchar", "character", "bpchar", "timestamp", "time", "interval", "bit", "greatest", "least",
        "make_date", "make_interval", "array", "date_part", "extract", "round", "abs", "md5", "format",
    }
)  # fmt: skip


async def default_expressions(
    state: SessionState, workspace: Workspace, defaults: Sequence[DefaultColumn], rows: str, count: int
) -> dict[int, str]:
    """A DuckDB expression by attnum. `rows` is the temporary table whose rows want the defaults; expressions may read
    its rowid, and values made one by one stand in a temporary table joined by position under `mere_defaults`."""
    expressions: dict[int, str] = {}
    for default in defaults:
        column = default.column
        duckdb = duckdb_type(column.type)
        if default.expression is None:
            expressions[column.attnum] = f"NULL::{duckdb}"
        elif match := _NEXTVAL.match(default.expression):
            expressions[column.attnum] = await _from_sequence(state, workspace, match["sequence"], column.attnum, count)
            expressions[column.attnum] = f"CAST({expressions[column.attnum]} AS {duckdb})"
        elif is_stable(default.expression):
            value = await state.backend.fetch(f"SELECT {plain_text(default.expression, column.type)}")
            expressions[column.attnum] = duckdb_text(literal(value[0][0], column.type).sql)
        else:
            expressions[column.attnum] = await _one_by_one(state, workspace, default, count)
    return expressions


def is_stable(expression: str) -> bool:
    """Whether the default has one value for all rows of a statement."""
    return all(name.lower().removeprefix("pg_catalog.") in _STABLE for name in _CALL.findall(expression))


async def _from_sequence(state: SessionState, workspace: Workspace, sequence: str, attnum: int, count: int) -> str:
    """`count` numbers of a sequence: one run, unless it steps otherwise or others take numbers at the same time."""
    if count == 0:
        return "NULL"
    (row,) = await state.backend.fetch(
        "SELECT min(v), CASE WHEN max(v) - min(v) <> count(*) - 1 THEN array_agg(v) END"
        f" FROM (SELECT nextval({sequence}::regclass) AS v FROM generate_series(1, $1::bigint)) AS s",
        [str(count)],
    )
    low, listed = row
    if listed is None:
        return f"({low} + rowid)"
    name = _values_name(attnum)
    await workspace.load(name, pa.table({"value": pa.array(listed.strip("{}").split(","), pa.string())}))
    return _value_of(name, "BIGINT")


async def _one_by_one(state: SessionState, workspace: Workspace, default: DefaultColumn, count: int) -> str:
    assert default.expression is not None
    kind = default.column.type
    query = f"SELECT ({default.expression})::{format_type(kind)} FROM generate_series(1, {count})"
    name = _values_name(default.column.attnum)
    await PostgresRows(state.backend).load_values(name, query, kind, workspace)
    return _value_of(name, duckdb_type(kind))


def _values_name(attnum: int) -> str:
    """The table of values beside the rows."""
    return f"mere_default_{attnum}"


def _value_of(name: str, duckdb: str) -> str:
    """The expression that reads the value of each row."""
    return f"CAST((SELECT d.value FROM {quote_identifier(name)} AS d WHERE d.rowid = mere_source.rowid) AS {duckdb})"
