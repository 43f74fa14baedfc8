"""Reads of DuckLake's metadata: snapshots, a table's files and columns at a snapshot, statistics for pruning.

One per database in the coordinator process, over the service role's connections. File lists are kept and brought
forward by what later snapshots changed, so that a warm read of an unchanged table asks PostgreSQL nothing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from mere.errors import SerializationFailure, UndefinedObject
from mere.lake.changes import REWRITING, parse_changes
from mere.lake.columns import ColumnRow, LakeColumn, assemble_columns
from mere.lake.files import InlinedTable, TableFiles
from mere.lake.inlined import InlinedRows, read_inlined
from mere.lake.prune import Bound, FileBounds, order_of, prune
from mere.lake.scan import MappedColumn
from mere.lake.table_state import TableState, check_remembered, load_state, refresh_state

_SNAPSHOT = """
SELECT s.snapshot_id, s.schema_version, s.snapshot_time,
       (SELECT string_agg(changes_made, ',') FROM mere_lake.ducklake_snapshot_changes AS c
        WHERE c.snapshot_id > coalesce($1, s.snapshot_id)) AS changes,
       (SELECT min(snapshot_id) FROM mere_lake.ducklake_snapshot) AS oldest
FROM (SELECT snapshot_id, schema_version, snapshot_time FROM mere_lake.ducklake_snapshot
      ORDER BY snapshot_id DESC LIMIT 1) AS s
"""
_OLDEST = "SELECT min(snapshot_id) FROM mere_lake.ducklake_snapshot"
_COLUMNS = """
SELECT column_id, parent_column, column_name, column_type, initial_default, nulls_allowed
FROM mere_lake.ducklake_column
WHERE table_id = $1 AND begin_snapshot <= $2 AND (end_snapshot IS NULL OR end_snapshot > $2)
"""
_MAPPING = """
SELECT mapping_id, target_field_id, source_name, is_partition FROM mere_lake.ducklake_name_mapping
WHERE mapping_id = ANY ($1::bigint[]) AND parent_column IS NULL
"""
_BOUNDS = """
SELECT array_agg(data_file_id), array_agg(min_value), array_agg(max_value),
       array_agg(value_count), array_agg(null_count)
FROM mere_lake.ducklake_file_column_stats
WHERE table_id = $1 AND column_id = $2 AND ($3::bigint[] IS NULL OR data_file_id = ANY ($3))
"""
_SIZES = """
SELECT column_id, sum(column_size_bytes)::float8 / nullif(sum(value_count + null_count), 0)
FROM mere_lake.ducklake_file_column_stats WHERE table_id = $1 GROUP BY column_id
"""
_KEPT_OLD = 64  # file lists and columns of older snapshots, kept for time travel


@dataclass(frozen=True, slots=True)
class Snapshot:
    id: int
    schema_version: int
    time: datetime


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """What some files hold in a column. `low` and `high` are as `order` compares them (see prune.order_of), None where
    a file does not say; `width` is the stored bytes a value, None where unknown."""

    order: str | None
    low: Any
    high: Any
    width: float | None


class Metadata:
    """`data_url` is the prefix of the lake's files and ends with /."""

    def __init__(self, pool: asyncpg.Pool, data_url: str) -> None:
        self._pool = pool
        self._data_url = data_url if data_url.endswith("/") else data_url + "/"
        self._known: int | None = None  # the newest snapshot seen; later changes are not in _changed yet
        self._first = -1  # what changed before this snapshot is not known: it was the first one seen, or came after
        # others that maintenance had forgotten before they were seen
        self._changed: dict[int, dict[str, int]] = {}  # by table, when each kind of change was last seen
        self._states: dict[int, TableState] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._old: OrderedDict[tuple[int, int], TableState] = OrderedDict()
        self._columns: dict[int, tuple[int, tuple[LakeColumn, ...]]] = {}
        self._mappings: dict[int, dict[int, MappedColumn]] = {}

    async def snapshot(self) -> Snapshot:
        """The newest committed snapshot."""
        row = await self._pool.fetchrow(_SNAPSHOT, self._known)
        if row is None:
            raise UndefinedObject("the lake has no snapshot")
        self._learn(row["snapshot_id"], row["changes"], row["oldest"])
        return Snapshot(row["snapshot_id"], row["schema_version"], row["snapshot_time"])

    async def snapshot_at(self, version: int | None = None, timestamp: datetime | None = None) -> Snapshot:
        """The snapshot of AT (VERSION => n), or the last one not after AT (TIMESTAMP => t)."""
        await self.snapshot()  # old snapshots, too, change their files when these are merged
        condition, value = ("snapshot_id = $1", version) if timestamp is None else ("snapshot_time <= $1", timestamp)
        row = await self._pool.fetchrow(
            "SELECT snapshot_id, schema_version, snapshot_time FROM mere_lake.ducklake_snapshot"
            f" WHERE {condition} ORDER BY snapshot_id DESC LIMIT 1",
            value,
        )
        if row is None:
            wanted = f"version {version}" if timestamp is None else f"time {timestamp.isoformat(sep=' ')}"
            raise UndefinedObject(f"there is no snapshot at {wanted}", sqlstate="22023")
        return Snapshot(*row)

    async def table_files(self, table_id: int, snapshot_id: int, predicates: Sequence[Bound] = ()) -> TableFiles:
        """The files of a table at a snapshot, without those that cannot satisfy all of `predicates`."""
        state = await self._state(table_id, snapshot_id)
        view = state.view(snapshot_id)
        if view is None:
            view = await self._make_view(state, snapshot_id)
        if not predicates or not view.files:
            return view
        bounds = {p.column_id: await self._bounds(state, p.column_id, p.type) for p in predicates if p.needs_bounds}
        return prune(view, predicates, bounds, state.columns.bucket, state.columns.layout)

    async def column_summaries(
        self, table_id: int, snapshot_id: int, columns: Sequence[tuple[int, str]], files: TableFiles
    ) -> list[ColumnSummary]:
        """Of (column id, DuckLake type), over `files`, which `table_files` gave for this snapshot."""
        state = await self._state(table_id, snapshot_id)
        if state.widths is None:
            state.widths = {row[0]: row[1] for row in await self._pool.fetch(_SIZES, table_id)}
        found = []
        for column_id, lake_type in columns:
            bounds = await self._bounds(state, column_id, lake_type)
            low, high = (None, None) if bounds is None else bounds.range(files.positions)
            found.append(ColumnSummary(order_of(lake_type), low, high, state.widths.get(column_id)))
        return found

    async def columns_at(self, table_id: int, snapshot_id: int) -> tuple[LakeColumn, ...]:
        """The columns that a table had at a snapshot."""
        await self._catch_up(snapshot_id)
        since, columns = self._columns.get(table_id, (None, ()))
        altered = self._changed.get(table_id, {}).get("altered_table", -1)
        if since is not None and (since == snapshot_id or max(altered, self._first) <= since <= snapshot_id):
            return columns
        rows = await self._pool.fetch(_COLUMNS, table_id, snapshot_id)
        columns = assemble_columns(ColumnRow(*row) for row in rows)
        if since is None or snapshot_id > since:
            self._columns[table_id] = (snapshot_id, columns)
        return columns

    async def mappings(self, files: TableFiles) -> dict[int, dict[int, MappedColumn]]:
        """The name mappings that a scan of these files needs: by mapping id, the column of each field id."""
        wanted = {file.mapping_id for file in files.files if file.mapping_id is not None}
        missing = [mapping for mapping in wanted if mapping not in self._mappings]
        if missing:
            for row in await self._pool.fetch(_MAPPING, missing):
                column = MappedColumn(row["source_name"], bool(row["is_partition"]))
                self._mappings.setdefault(row["mapping_id"], {})[row["target_field_id"]] = column
        return {mapping: self._mappings[mapping] for mapping in wanted if mapping is not None}

    async def inlined_rows(self, table: InlinedTable, table_id: int, snapshot_id: int) -> InlinedRows:
        """The live rows that a plain DuckDB keeps in PostgreSQL, as Arrow."""
        try:
            async with self._pool.acquire() as connection:
                rows = await read_inlined(connection, table, table_id, snapshot_id)
                check_remembered(snapshot_id, await connection.fetchval(_OLDEST))
                return rows
        except asyncpg.UndefinedTableError as error:
            raise SerializationFailure("rows kept in the catalog were moved to files meanwhile") from error

    def forget(self) -> None:
        """Drops everything kept; the next reads load anew."""
        self._states.clear()
        self._old.clear()
        self._columns.clear()

    # -- what is kept ------------------------------------------------------------------------------------------

    def _learn(self, snapshot_id: int, changes: str | None, oldest: int) -> None:
        if self._known is not None and snapshot_id <= self._known:
            return
        for table_id, kind in parse_changes(changes or ""):
            self._changed.setdefault(table_id, {})[kind] = snapshot_id
        if self._known is None or oldest > self._known + 1:
            self._first = snapshot_id
        self._known = snapshot_id

    async def _catch_up(self, snapshot_id: int) -> None:
        if self._known is None or snapshot_id > self._known:
            await self.snapshot()

    async def _state(self, table_id: int, snapshot_id: int) -> TableState:
        await self._catch_up(snapshot_id)
        state = self._kept(self._states.get(table_id))
        if state is not None and state.low <= snapshot_id and not self._pending(state):
            return state
        async with self._locks.setdefault(table_id, asyncio.Lock()):
            state = self._kept(self._states.get(table_id))
            if state is not None and snapshot_id < state.low:
                return await self._old_state(table_id, snapshot_id)
            pending = self._pending(state) if state is not None else set()
            if state is not None and pending & REWRITING:
                state = None
            elif state is not None and pending:
                state = await refresh_state(self._pool, state, pending)
            if state is None:
                state = await load_state(self._pool, self._data_url, table_id, snapshot_id)
            self._states[table_id] = state
            return state

    def _kept(self, state: TableState | None) -> TableState | None:
        """The state, if all that changed since it was read is known."""
        return None if state is None or state.seen < self._first else state

    def _pending(self, state: TableState) -> set[str]:
        """The kinds of changes that came after the state was read."""
        return {kind for kind, seen in self._changed.get(state.table_id, {}).items() if seen > state.seen}

    async def _old_state(self, table_id: int, snapshot_id: int) -> TableState:
        key = (table_id, snapshot_id)
        state = self._kept(self._old.get(key))
        if state is None or self._pending(state) & REWRITING:
            state = await load_state(self._pool, self._data_url, table_id, snapshot_id)
            self._old[key] = state
            if len(self._old) > _KEPT_OLD:
                self._old.popitem(last=False)
        self._old.move_to_end(key)
        return state

    async def _make_view(self, state: TableState, snapshot_id: int) -> TableFiles:
        inlined: list[InlinedTable] = []
        for name, version in state.inlined_tables:
            rows = await self._pool.fetchval(
                f'SELECT count(*) FROM mere_lake."{name}"'
                " WHERE begin_snapshot <= $1 AND (end_snapshot IS NULL OR end_snapshot > $1)",
                snapshot_id,
            )
            if rows:
                inlined.append(InlinedTable(name, version, rows))
        if state.inlined_tables:
            check_remembered(snapshot_id, await self._pool.fetchval(_OLDEST))
        return state.make_view(snapshot_id, tuple(inlined))

    async def _bounds(self, state: TableState, column_id: int, lake_type: str) -> FileBounds | None:
        count = len(state.columns.ids)
        known = state.bounds.get(column_id)
        if known is not None and known.count == count:
            return known
        first = 0 if known is None else known.count
        fresh_ids = state.columns.ids[first:]
        columns = await self._pool.fetchrow(_BOUNDS, state.table_id, column_id, fresh_ids.tolist() if first else None)
        fresh = FileBounds.of(lake_type, fresh_ids, columns)
        state.bounds[column_id] = fresh if known is None else known.extended(fresh)
        return state.bounds[column_id]
