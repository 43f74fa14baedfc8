"""INSERT into lake tables. Lives in the coordinator process.

The common road is one COPY statement in DuckDB from the query to files. Where rows must be seen twice (RETURNING, or
defaults that differ by row) they are materialised first, in DuckDB, which spills.
"""

from __future__ import annotations

from mere.errors import DataError
from mere.execute.query import slice_text
from mere.execute.scans import LakeView
from mere.lake.message import NewFile
from mere.plan.planner import plan
from mere.segment.workspace import Workspace
from mere.session.checks import checked_query
from mere.session.defaults import default_expressions, is_stable
from mere.session.postgres_rows import PostgresRows
from mere.session.state import SessionState
from mere.session.store import store
from mere.sql.bind.bound import ROWS, BoundInsert, DefaultColumn
from mere.sql.lexer import quote_identifier
from mere.sql.types import duckdb_type

_SOURCE = "mere_source"


async def insert(state: SessionState, view: LakeView, bound: BoundInsert, workspace: Workspace) -> int:
    """Adds the rows to the transaction and returns how many. With RETURNING they stand in `mere_rows` afterwards."""
    files = await insert_rows(state, view, bound, workspace, await _source_text(state, view, bound, workspace))
    return sum(file.rows for file in files)


async def insert_rows(
    state: SessionState, view: LakeView, bound: BoundInsert, workspace: Workspace, source: str
) -> tuple[NewFile, ...]:
    """As `insert`, for rows from any DuckDB query that gives `bound.given`, in order and by name. Returns the files."""
    per_row = [*bound.mixed, *(d for d in bound.defaults if d.expression is not None and not is_stable(d.expression))]
    if per_row or bound.returning is not None:
        return await _materialised(state, view, bound, workspace, source)
    query = await _select_all_columns(state, workspace, bound, f"({source}) AS {_SOURCE}", 0)
    return await store(state, workspace, bound.relation, checked_query(bound, query), view.snapshot.id)


async def _source_text(state: SessionState, view: LakeView, bound: BoundInsert, workspace: Workspace) -> str:
    if bound.source is None:
        return "SELECT NULL AS mere_nothing"
    return await slice_text(plan(bound.source).root, view, PostgresRows(state.backend), workspace)


async def _materialised(
    state: SessionState, view: LakeView, bound: BoundInsert, workspace: Workspace, source: str
) -> tuple[NewFile, ...]:
    await workspace.execute(f"CREATE TEMP TABLE {_SOURCE} AS {source}")
    count = int((await workspace.rows(f"SELECT count(*) FROM {_SOURCE}"))[0][0])
    query = await _select_all_columns(state, workspace, bound, _SOURCE, count)
    await workspace.execute(f"CREATE TEMP TABLE {ROWS} AS {checked_query(bound, query)}")
    return await store(state, workspace, bound.relation, f"SELECT * FROM {ROWS}", view.snapshot.id)


async def _select_all_columns(
    state: SessionState, workspace: Workspace, bound: BoundInsert, source: str, count: int
) -> str:
    """A SELECT of every column of the table, in order, over the source's rows."""
    wanted: tuple[DefaultColumn, ...] = (*bound.defaults, *bound.mixed)
    defaults = await default_expressions(state, workspace, wanted, source, count)
    given = {column.attnum: column for column in bound.given}
    mixed = {default.column.attnum for default in bound.mixed}
    selected = []
    for column in bound.relation.columns:
        name = quote_identifier(column.name)
        if column.attnum in mixed:
            mark = quote_identifier(f"mere_default_{column.attnum}")
            value = f"CASE WHEN {_SOURCE}.{mark} THEN {defaults[column.attnum]} ELSE {_SOURCE}.{name} END"
        elif column.attnum in given:
            value = f"{_SOURCE}.{name}"
        elif column.attnum in defaults:
            value = defaults[column.attnum]
        else:
            raise DataError(f'no value for column "{column.name}"', sqlstate="XX000")
        selected.append(f"CAST({value} AS {duckdb_type(column.type)}) AS {name}")
    return f"SELECT {', '.join(selected)} FROM {source}"
