"""UPDATE, DELETE and MERGE of lake tables: delete files for the rows that go, data files for those that come.

Lives in the coordinator process. Where segments find the rows they also write the files; where the rows have to be seen
here, they are materialised once in DuckDB, so that every step after sees the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from mere.execute.scans import LakeView, own_url
from mere.segment.deletes import numbered
from mere.segment.task import SOURCE, Change
from mere.segment.workspace import Workspace
from mere.session.checks import with_checks
from mere.session.defaults import default_expressions, is_stable
from mere.session.on_segments import removed, source_text
from mere.session.removal import note_removed, remove_here
from mere.session.state import SessionState
from mere.session.store import add_files, store, write_target
from mere.sql.bind.bound import ROWS, BoundDelete, BoundMerge, BoundUpdate
from mere.sql.lexer import quote_identifier
from mere.sql.relations import Relation
from mere.sql.types import duckdb_type

# The positions that a segment's rows have, and how many rows have none.
_LEFT = f"{numbered(ROWS)} UNION ALL SELECT NULL, count(*) FROM {ROWS} WHERE mere_file IS NULL"


async def delete(state: SessionState, view: LakeView, bound: BoundDelete, workspace: Workspace) -> int:
    """Removes the rows that the bound query names and returns how many they were. For RETURNING they stand in
    `mere_rows` after."""
    count = await _on_segments(state, view, bound, workspace)
    if count is None:
        count = await _materialise(state, view, bound, workspace, ROWS)
        await remove_here(state, view, bound.relation, workspace)
    return count


async def update(state: SessionState, view: LakeView, bound: BoundUpdate, workspace: Workspace) -> int:
    """For RETURNING, rows as they become stand in `mere_rows` afterwards."""
    return await _replace(state, view, bound, workspace, f"SELECT {_columns(bound.relation)} FROM {ROWS}")


async def merge(state: SessionState, view: LakeView, bound: BoundMerge, workspace: Workspace) -> int:
    kept = f"SELECT {_columns(bound.relation)} FROM {ROWS} WHERE mere_action <> 'DELETE'"
    return await _replace(state, view, bound, workspace, kept)


async def _replace(
    state: SessionState, view: LakeView, bound: BoundUpdate | BoundMerge, workspace: Workspace, kept: str
) -> int:
    """Removes the rows that others take the place of; `kept` are those others, over `mere_rows`."""
    count = await _on_segments(state, view, bound, workspace, kept)
    if count is None:
        count = await _materialise(state, view, bound, workspace, SOURCE)
        await _apply_defaults(state, workspace, bound, count)
        if count:
            await remove_here(state, view, bound.relation, workspace, once=isinstance(bound, BoundMerge))
            await store(state, workspace, bound.relation, kept, view.snapshot.id)
    return count


def seen_here(bound: BoundUpdate | BoundDelete | BoundMerge) -> str | None:
    """Why the coordinator has to see the rows itself; None where it has not."""
    if bound.returning is not None:
        return "RETURNING sends them to the client"
    if isinstance(bound, BoundDelete) or all(d.expression is None or is_stable(d.expression) for d in bound.defaults):
        return None
    return "a default gives each row a value of its own"


async def _on_segments(
    state: SessionState,
    view: LakeView,
    bound: BoundUpdate | BoundDelete | BoundMerge,
    workspace: Workspace,
    kept: str = "",
) -> int | None:
    """Each segment finds its share of the rows, and writes what becomes of them and the delete files of its share of
    the data files. None where the rows must be seen here."""
    if seen_here(bound) is not None:
        return None
    change = None
    if not isinstance(bound, BoundDelete):
        values = await default_expressions(state, workspace, bound.defaults, SOURCE, 0)
        change = Change(_final_rows(bound, values), kept, write_target(state, bound.relation), _LEFT)
    prefix, once = own_url(view, bound.relation, ""), isinstance(bound, BoundMerge)
    done = await removed(state, view, bound.select, workspace, prefix, change, once=once)
    if done is None:
        return None
    note_removed(state, view, bound.relation, done.files, done.losing, done.lost)
    add_files(state, bound.relation, done.written, view.snapshot.id)
    return done.count


async def _materialise(
    state: SessionState, view: LakeView, bound: BoundUpdate | BoundDelete | BoundMerge, workspace: Workspace, name: str
) -> int:
    text = await source_text(state, view, bound.select, workspace)
    await workspace.execute(f"CREATE TEMP TABLE {name} AS {text}")
    return int((await workspace.rows(f"SELECT count(*) FROM {name}"))[0][0])


async def _apply_defaults(
    state: SessionState, workspace: Workspace, bound: BoundUpdate | BoundMerge, count: int
) -> None:
    """Makes `mere_rows` of `mere_source`: columns set to DEFAULT get it, CHECK constraints are looked at."""
    values = await default_expressions(state, workspace, bound.defaults, SOURCE, count)
    await workspace.execute(f"CREATE TEMP TABLE {ROWS} AS {_final_rows(bound, values)}")


def _final_rows(bound: BoundUpdate | BoundMerge, values: Mapping[int, str]) -> str:
    """`mere_source` with its defaults, failing at the first row that breaks a constraint."""
    replaced = []
    for column in bound.relation.columns:
        if column.attnum not in values:
            continue
        name = quote_identifier(column.name)
        value = f"CAST({values[column.attnum]} AS {duckdb_type(column.type)})"
        if isinstance(bound, BoundMerge):
            mark = quote_identifier(f"mere_default_{column.attnum}")
            value = f"CASE WHEN {mark} THEN {value} ELSE {name} END"
        replaced.append(f"{value} AS {name}")
    star = f"* REPLACE ({', '.join(replaced)})" if replaced else "*"
    return with_checks(bound.relation, bound.checks, f"SELECT {star} FROM {SOURCE}")


def _columns(relation: Relation) -> str:
    return ", ".join(quote_identifier(column.name) for column in relation.columns)
