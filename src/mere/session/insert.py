"""INSERT into lake tables. Lives in the coordinator process.

The common road is one COPY statement in DuckDB from the query to files. Where rows must be seen twice (RETURNING, or
defaults that differ by row) they are materialised first, in DuckDB, which spills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mere.errors import DataError
from mere.execute.scans import LakeView
from mere.lake.message import NewFile
from mere.segment.task import SOURCE
from mere.segment.workspace import Workspace
from mere.session.checks import checked_query
from mere.session.defaults import default_expressions, is_stable
from mere.session.on_segments import source_text, written
from mere.session.partitions import store_routed
from mere.session.state import SessionState
from mere.session.store import add_files, store, write_target
from mere.sql.bind.bound import ROWS, BoundInsert, BoundSelect, DefaultColumn
from mere.sql.lexer import quote_identifier
from mere.sql.relations import Kind
from mere.sql.types import duckdb_type


async def insert(state: SessionState, view: LakeView, bound: BoundInsert, workspace: Workspace) -> int:
    """Adds the rows to the transaction and returns how many. With RETURNING they stand in `mere_rows` afterwards."""
    if bound.relation.kind is Kind.PARTITIONED:
        source = bound.source
        text = "SELECT NULL AS mere_nothing" if source is None else await source_text(state, view, source, workspace)
        files = await insert_rows(state, view, bound, workspace, text)
    elif bound.source is None:
        files = await insert_rows(state, view, bound, workspace, "SELECT NULL AS mere_nothing")
    elif seen_twice(bound):
        files = await insert_rows(
            state, view, bound, workspace, await source_text(state, view, bound.source, workspace)
        )
    else:
        files = await _insert_query(state, view, bound, bound.source, workspace)
    return sum(file.rows for file in files)


async def _insert_query(
    state: SessionState, view: LakeView, bound: BoundInsert, source: BoundSelect, workspace: Workspace
) -> tuple[NewFile, ...]:
    """The segments write what they find, each its share, where there are any."""
    rows = await insert_query(state, workspace, bound)
    found = await written(state, view, source, workspace, write_target(state, bound.relation), rows)
    if isinstance(found, str):
        return await store(state, workspace, bound.relation, rows(found), view.snapshot.id)
    return add_files(state, bound.relation, found, view.snapshot.id)


async def insert_query(state: SessionState, workspace: Workspace, bound: BoundInsert) -> Callable[[str], str]:
    """From a query of `bound.given` to the query of what is written, where no row needs a default of its own."""
    defaults = await default_expressions(state, workspace, bound.defaults, SOURCE, 0)
    return lambda source: checked_query(bound, _all_columns(bound, defaults, f"({source}) AS {SOURCE}"))


async def insert_rows(
    state: SessionState, view: LakeView, bound: BoundInsert, workspace: Workspace, source: str
) -> tuple[NewFile, ...]:
    """As `insert`, for rows from any DuckDB query that gives `bound.given`, in order and by name. Returns the files."""
    if seen_twice(bound) or bound.relation.kind is Kind.PARTITIONED:
        return await _materialised(state, view, bound, workspace, source)
    query = await insert_query(state, workspace, bound)
    return await store(state, workspace, bound.relation, query(source), view.snapshot.id)


def seen_twice(bound: BoundInsert) -> bool:
    """Whether the rows must be counted or shown before, or besides, being written."""
    own = any(d.expression is not None and not is_stable(d.expression) for d in bound.defaults)
    return own or bool(bound.mixed) or bound.returning is not None


async def _materialised(
    state: SessionState, view: LakeView, bound: BoundInsert, workspace: Workspace, source: str
) -> tuple[NewFile, ...]:
    await workspace.execute(f"CREATE TEMP TABLE {SOURCE} AS {source}")
    count = int((await workspace.rows(f"SELECT count(*) FROM {SOURCE}"))[0][0])
    query = await _select_all_columns(state, workspace, bound, SOURCE, count)
    await workspace.execute(f"CREATE TEMP TABLE {ROWS} AS {checked_query(bound, query)}")
    if bound.relation.kind is Kind.PARTITIONED:
        return await store_routed(state, view, bound, workspace)
    return await store(state, workspace, bound.relation, f"SELECT * FROM {ROWS}", view.snapshot.id)


async def _select_all_columns(
    state: SessionState, workspace: Workspace, bound: BoundInsert, source: str, count: int
) -> str:
    """A SELECT of every column of the table, in order, over the source's rows."""
    wanted: tuple[DefaultColumn, ...] = (*bound.defaults, *bound.mixed)
    return _all_columns(bound, await default_expressions(state, workspace, wanted, source, count), source)


def _all_columns(bound: BoundInsert, defaults: Mapping[int, str], source: str) -> str:
    given = {column.attnum: column for column in bound.given}
    mixed = {default.column.attnum for default in bound.mixed}
    selected = []
    for column in bound.relation.columns:
        name = quote_identifier(column.name)
        if column.attnum in mixed:
            mark = quote_identifier(f"mere_default_{column.attnum}")
            value = f"CASE WHEN {SOURCE}.{mark} THEN {defaults[column.attnum]} ELSE {SOURCE}.{name} END"
        elif column.attnum in given:
            value = f"{SOURCE}.{name}"
        elif column.attnum in defaults:
            value = defaults[column.attnum]
        else:
            raise DataError(f'no value for column "{column.name}"', sqlstate="XX000")
        selected.append(f"CAST({value} AS {duckdb_type(column.type)}) AS {name}")
    return f"SELECT {', '.join(selected)} FROM {source}"
