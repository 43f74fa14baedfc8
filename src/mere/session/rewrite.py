"""DDL that stored rows must bear out or follow: what PostgreSQL refuses on its own, with the gateway's help.

Lives in the coordinator process. The order is always the same: lock the shell, look at the table as it is, vouch for it
(a row in mere.ddl_ticket), let PostgreSQL change the shell, then check or rewrite the rows under the new definition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mere.catalog.backend import CommandResult, Fetch
from mere.catalog.resolve import resolve
from mere.errors import UndefinedObject
from mere.execute.query import slice_text
from mere.execute.scans import LakeView
from mere.lake.metadata import Snapshot
from mere.plan.planner import plan
from mere.segment.task import SOURCE
from mere.session.defaults import default_expressions
from mere.session.on_segments import source_text
from mere.session.postgres_rows import PostgresRows
from mere.session.select import lake_view
from mere.session.state import SessionState
from mere.session.store import store
from mere.sql.bind import BindContext, BoundSelect, bind, parse
from mere.sql.bind.bound import DefaultColumn
from mere.sql.lexer import quote_identifier
from mere.sql.relations import Column, Kind, Relation, Resolved
from mere.sql.token_cursor import Name
from mere.sql.types import duckdb_type, format_type


@dataclass(frozen=True, slots=True)
class LockedTable:
    """A lake table under ACCESS EXCLUSIVE lock, as it is before the change, and what the transaction sees of it."""

    relation: Relation
    resolved: Resolved
    view: LakeView

    @property
    def qualified(self) -> str:
        return qualified_name(self.relation)


def qualified_name(relation: Relation) -> str:
    return f"{quote_identifier(relation.schema)}.{quote_identifier(relation.name)}"


async def look_up(state: SessionState, name: Name) -> tuple[Relation, Resolved]:
    resolved = await resolve(state.backend, [name])
    relation = resolved.by_name.get(name)
    if relation is None:
        raise UndefinedObject(f'relation "{".".join(name)}" does not exist')
    return relation, resolved


async def lock_table(state: SessionState, name: Name) -> LockedTable | None:
    """None when the name is not a lake table's. Owner's rights are PostgreSQL's to check, when the ALTER runs."""
    relation, _ = await look_up(state, name)
    if relation.kind is not Kind.LAKE:
        return None
    if relation.materialized:
        await state.backend.fetch("SELECT mere.start_refresh($1::oid)", [str(relation.oid)])
    else:
        await state.backend.simple(f"LOCK TABLE {qualified_name(relation)} IN ACCESS EXCLUSIVE MODE")
    key = (relation.schema, relation.name)
    relation, resolved = await look_up(state, key)
    row = (await state.backend.fetch("SELECT id, schema_version FROM mere.newest_snapshot()"))[0]
    snapshot = await state.database.metadata.snapshot_at(version=int(row[0] or 0))
    return LockedTable(relation, resolved, lake_view(state, Snapshot(snapshot.id, int(row[1] or 0), snapshot.time)))


async def lock_tables(state: SessionState, name: Name) -> list[LockedTable]:
    """A lake table, or the partitions of a partitioned one; none when the name is neither's."""
    relation, _ = await look_up(state, name)
    names = [(leaf.schema, leaf.name) for leaf in relation.partitions] if relation.kind is Kind.PARTITIONED else [name]
    found = [await lock_table(state, each) for each in names]
    return [table for table in found if table is not None]


async def vouch(state: SessionState, relation: Relation) -> None:
    """Tells the event triggers that the gateway takes care of this table's rows in this transaction: they say nothing
    about its later changes either, so that those must all come to the gateway."""
    await _note(state, "ddl_ticket", [relation.oid])
    state.transaction.vouched.add(relation.oid)


async def vouch_no_more(state: SessionState) -> None:
    """Before PostgreSQL runs what may define anything (a DO block): its changes are for the event triggers to judge."""
    if state.transaction.vouched:
        async with state.database.pool.acquire() as connection:
            await connection.execute(
                "DELETE FROM mere.ddl_ticket WHERE relid = ANY ($1::oid[])", list(state.transaction.vouched)
            )
        state.transaction.vouched.clear()


async def note_written(state: SessionState) -> None:
    """Before DDL: tells PostgreSQL which tables have rows that this transaction has not committed yet."""
    await _note(state, "written", list(state.transaction.overlay.tables))


async def _note(state: SessionState, table: str, relations: Sequence[int]) -> None:
    if not relations:
        return
    (result,) = await state.backend.pipeline([Fetch("SELECT pg_catalog.pg_current_xact_id()")])
    assert isinstance(result, CommandResult)
    async with state.database.pool.acquire() as connection:
        await connection.execute(
            f"INSERT INTO mere.{table} (xid, relid) SELECT $1::text::xid8, unnest($2::oid[]) ON CONFLICT DO NOTHING",
            result.rows[0][0],
            list(relations),
        )


async def count_where(state: SessionState, table: LockedTable, condition: str) -> int:
    """How many rows satisfy a PostgreSQL condition over the table's columns."""
    query = _bound(state, table, f"SELECT count(*) FROM {table.qualified} WHERE {condition}")
    workspace = state.open_workspace()
    try:
        text = await slice_text(plan(query).root, table.view, PostgresRows(state.backend), workspace)
        return int((await workspace.rows(text))[0][0])
    finally:
        await workspace.close()


def _bound(state: SessionState, table: LockedTable, text: str) -> BoundSelect:
    key = (table.relation.schema, table.relation.name)
    # The change itself asks for the owner's rights; reading is part of it, whatever SELECT rights there are.
    relation = _readable(table.relation)
    resolved = Resolved({key: relation}, table.resolved.in_views)
    bound = bind(parse(text), resolved, BindContext(state.backend.parameters.get("TimeZone", "UTC")))
    assert isinstance(bound, BoundSelect)
    return bound


def _readable(relation: Relation) -> Relation:
    return replace(relation, privileges=relation.privileges | {"SELECT"})


async def rewrite_rows(
    state: SessionState, table: LockedTable, changed: Relation, expressions: Mapping[int, str]
) -> None:
    """Writes every row again under the definition `changed`: all files of the table are replaced.

    `expressions` are PostgreSQL expressions over the old columns, by attnum, for columns that are not simply kept;
    columns that the table did not have get their default.
    """
    old = {column.attnum: column for column in table.relation.columns}
    selected = [
        f"({expressions.get(column.attnum, quote_identifier(column.name))})::{format_type(column.type)}"
        f" AS {quote_identifier(column.name)}"
        for column in changed.columns
        if column.attnum in old or column.attnum in expressions
    ]
    kept = [c for c in changed.columns if c.attnum in old or c.attnum in expressions]
    query = _bound(
        state, table, f"SELECT {', '.join(_old_names(old, kept, selected, expressions))} FROM {table.qualified}"
    )
    workspace = state.open_workspace()
    try:
        text = await source_text(state, table.view, query, workspace)
        await workspace.execute(f"CREATE TEMP TABLE {SOURCE} AS {text}")
        count = int((await workspace.rows(f"SELECT count(*) FROM {SOURCE}"))[0][0])
        fresh = [DefaultColumn(column, column.default) for column in changed.columns if column not in kept]
        defaults = await default_expressions(state, workspace, fresh, SOURCE, count)
        values = [_value(column, defaults) for column in changed.columns]
        state.transaction.overlay = state.transaction.overlay.truncate(changed.oid, table.view.snapshot.id)
        await store(state, workspace, changed, f"SELECT {', '.join(values)} FROM {SOURCE}", table.view.snapshot.id)
    finally:
        await workspace.close()


def _old_names(
    old: Mapping[int, Column], kept: Sequence[Column], selected: Sequence[str], expressions: Mapping[int, str]
) -> list[str]:
    """A kept column is read under the name it had."""
    texts = []
    for column, text in zip(kept, selected, strict=True):
        if column.attnum not in expressions and old[column.attnum].name != column.name:
            before = quote_identifier(old[column.attnum].name)
            text = f"{before}::{format_type(column.type)} AS {quote_identifier(column.name)}"
        texts.append(text)
    return texts


def _value(column: Column, defaults: Mapping[int, str]) -> str:
    name = quote_identifier(column.name)
    return f"CAST({defaults.get(column.attnum, name)} AS {duckdb_type(column.type)}) AS {name}"
