"""One attempt of one slice in a segment's engine: tables filled from parts, the query, and its rows as parts or files.

Runs where the engine runs. Knows no runtime: parts come as Arrow tables, one after the other, and leave so. Cancelling
the awaiting task interrupts DuckDB.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import pyarrow as pa

from mere.lake.message import NewFile
from mere.segment.deletes import lost_rows, write_deletes
from mere.segment.engine import Engine
from mere.segment.locations import Location
from mere.segment.partition import Leave, Partitioner, with_target
from mere.segment.storage import Storage
from mere.segment.workspace import Workspace
from mere.segment.write import WriteTarget, write_query
from mere.sql.bind.bound import ROWS

MOTION_ROWS = 61_440  # thirty of DuckDB's vectors: few enough to sort in cache, enough that a batch costs nothing
_LOAD_BYTES = 64 * 2**20  # small parts are loaded together


@dataclass(frozen=True, slots=True)
class Incoming:
    """A temporary table that the query reads: (name, DuckDB type) columns, and its rows as they arrive."""

    table: str
    columns: tuple[tuple[str, str], ...]
    rows: AsyncGenerator[pa.Table, None]


@dataclass(frozen=True, slots=True)
class Change:
    """Rows that take the place of others. The task's query is kept as `mere_source`, what `rows` selects of it as
    `mere_rows`; of these `written` goes to storage and `left` leaves (the positions of the rows that are replaced)."""

    rows: str
    written: str
    target: WriteTarget
    left: str
    leave: Leave = field(default_factory=Leave)


@dataclass(frozen=True, slots=True)
class Removal:
    """Delete files, below `prefix`, for the positions that the task's query gives: all that there are of each data file
    that it names. What became of the files leaves (see deletes.LOST_COLUMNS). A row without a number says how many more
    rows the statement has changed. `once`: a position that comes twice is an error."""

    prefix: str
    once: bool = False


Output: TypeAlias = Leave | WriteTarget | Change | Removal
SOURCE = "mere_source"


@asynccontextmanager
async def _workspace(engine: Engine, places: Sequence[Location]) -> AsyncIterator[Workspace]:
    """A workspace in the engine, or in one for this task alone that reaches `places` too."""
    if not places:
        async with engine.workspace() as workspace:
            yield workspace
    else:
        async with engine.external(places) as other, other.workspace() as workspace:
            yield workspace


async def attempt(
    engine: Engine,
    places: Sequence[Location],
    sql: str,
    incoming: Sequence[Incoming],
    output: Output,
    files: list[NewFile],
) -> AsyncGenerator[tuple[int, pa.Table], None]:
    """Carries the task out: rows that leave, as (target, part); what was written is added to `files`."""
    async with _workspace(engine, places) as workspace:
        match output:
            case WriteTarget():
                files += await write_files(workspace, sql, incoming, output)
                return
            case Removal():
                await load_all(workspace, incoming)
                yield 0, await _remove(workspace, engine.storage(output.prefix), sql, output)
                return
            case Change():
                await load_all(workspace, incoming)
                await workspace.execute(f"CREATE TEMP TABLE {SOURCE} AS {sql}")
                await workspace.execute(f"CREATE TEMP TABLE {ROWS} AS {output.rows}")
                files += await write_query(workspace, output.written, output.target)
                sql, incoming, leave = output.left, (), output.leave
            case Leave():
                leave = output
        async with aclosing(leave_parts(workspace, sql, incoming, leave)) as leaving:
            async for part in leaving:
                yield part


async def _remove(workspace: Workspace, storage: Storage, sql: str, removal: Removal) -> pa.Table:
    more = "coalesce(sum(mere_pos) FILTER (mere_number IS NULL), 0)"
    ((changed,),) = await workspace.rows(f"SELECT count(mere_number) + {more} FROM ({sql}) AS mere_gone")
    positions = f"SELECT mere_number, mere_pos FROM ({sql}) AS mere_gone WHERE mere_number IS NOT NULL"
    return lost_rows(
        await write_deletes(workspace, storage, positions, removal.prefix, once=removal.once), int(changed)
    )


async def leave_parts(
    workspace: Workspace, sql: str, incoming: Sequence[Incoming], leave: Leave
) -> AsyncGenerator[tuple[int, pa.Table], None]:
    """The rows of the query as (target, part), each as soon as it is full. No row: no part."""
    await load_all(workspace, incoming)
    parts = Partitioner(leave)
    stream = await workspace.stream_as(parts.add, with_target(sql, leave), batch_rows=MOTION_ROWS)
    async with stream:
        async for full in stream:
            for target, part in full:
                yield target, part
    for target, part in await workspace.call(parts.finish):
        yield target, part


async def write_files(
    workspace: Workspace, sql: str, incoming: Sequence[Incoming], target: WriteTarget
) -> tuple[NewFile, ...]:
    """Writes the rows of the query to storage, under names that nobody else has."""
    await load_all(workspace, incoming)
    return await write_query(workspace, sql, target)


async def load_all(workspace: Workspace, incoming: Sequence[Incoming]) -> None:
    for table in incoming:
        await _load(workspace, table)


async def _load(workspace: Workspace, incoming: Incoming) -> None:
    """The table has the declared types, also when nothing arrives; DuckDB spills it when memory is short."""
    columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in incoming.columns)
    await workspace.execute(f"CREATE TEMP TABLE {_quoted(incoming.table)} ({columns})")
    waiting: list[pa.Table] = []
    size = 0
    async with aclosing(incoming.rows) as arriving:
        async for rows in arriving:
            if waiting and waiting[0].schema != rows.schema:  # the coordinator's decimals are wider
                await workspace.insert(incoming.table, pa.concat_tables(waiting))
                waiting, size = [], 0
            waiting.append(rows)
            size += rows.nbytes
            if size >= _LOAD_BYTES:
                await workspace.insert(incoming.table, pa.concat_tables(waiting))
                waiting, size = [], 0
    if waiting:
        await workspace.insert(incoming.table, pa.concat_tables(waiting))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
