"""One table's file list as the coordinator keeps it: loaded at one snapshot, brought forward by later ones.

Used by `metadata` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import asyncpg

from mere.errors import SerializationFailure
from mere.lake.files import FOREVER, NONE, DeleteFile, FileColumns, InlinedTable, TableFiles
from mere.lake.prune import FileBounds

# One row of arrays: ten thousand rows would take asyncpg several times as long.
_FILES = f"""
SELECT coalesce(array_agg(id), '{{}}'), array_agg(begin), array_agg("end"), array_agg(rows), array_agg(size),
       array_agg(bucket), array_agg(mapping), array_agg(partial_max), array_agg(path), array_agg(layout)
FROM (
    SELECT f.data_file_id AS id, f.begin_snapshot AS begin, coalesce(f.end_snapshot, {FOREVER}) AS "end",
           f.record_count AS rows, f.file_size_bytes AS size, coalesce(v.partition_value::bigint, {NONE}) AS bucket,
           coalesce(f.mapping_id, {NONE}) AS mapping, coalesce(f.partial_max, {NONE}) AS partial_max,
           CASE WHEN f.path_is_relative THEN $3::text || f.path ELSE f.path END AS path,
           coalesce(c.column_id * 65536 + substring(c.transform FROM '[0-9]+')::bigint, {NONE}) AS layout
    FROM mere_lake.ducklake_data_file AS f
    LEFT JOIN mere_lake.ducklake_partition_column AS c
        ON c.partition_id = f.partition_id AND c.table_id = f.table_id AND c.partition_key_index = 0
        AND EXISTS (  -- of the policy that is in force: a bucket of another count or column says nothing
            SELECT FROM mere.shell AS s JOIN mere.shell_column AS k ON k.relid = s.relid AND k.attnum = s.keys[1]
            WHERE s.table_id = f.table_id AND k.column_id = c.column_id
              AND c.transform = format('bucket(%s)', s.buckets))
    LEFT JOIN mere_lake.ducklake_file_partition_value AS v
        ON v.data_file_id = f.data_file_id AND v.table_id = f.table_id AND v.partition_key_index = 0
        AND c.partition_id IS NOT NULL
    WHERE f.table_id = $1 AND $condition
) AS file
"""
_ALIVE = _FILES.replace("$condition", "(f.end_snapshot IS NULL OR f.end_snapshot > $2)")
_CHANGED = _FILES.replace("$condition", "(f.begin_snapshot > $2 OR f.end_snapshot > $2)")
_DELETES = f"""
SELECT delete_file_id, data_file_id, begin_snapshot, coalesce(end_snapshot, {FOREVER}), delete_count,
       coalesce(format, 'parquet'),
       CASE WHEN path_is_relative THEN $3::text || path ELSE path END
FROM mere_lake.ducklake_delete_file WHERE table_id = $1 AND (end_snapshot IS NULL OR end_snapshot > $2)
"""
_SNAPSHOTS = "SELECT min(snapshot_id), max(snapshot_id) FROM mere_lake.ducklake_snapshot"
_LOCATION = """
SELECT mere.lake_location(s.path, s.path_is_relative, t.path, t.path_is_relative)
FROM mere_lake.ducklake_table AS t JOIN mere_lake.ducklake_schema AS s ON s.schema_id = t.schema_id
WHERE t.table_id = $1 ORDER BY t.begin_snapshot DESC LIMIT 1
"""
_INLINED = """
SELECT table_name, schema_version FROM mere_lake.ducklake_inlined_data_tables WHERE table_id = $1 ORDER BY 2
"""

Delete = tuple[int, int, int, int, int, str, str]


@dataclass(slots=True)
class TableState:
    """Right for snapshots from `low` to `seen`. Replaced, not changed, except for what it caches."""

    table_id: int
    low: int
    seen: int
    location: str
    columns: FileColumns
    deletes: Sequence[Delete]
    inlined_tables: Sequence[tuple[str, int]]
    inlined_deletes: Sequence[tuple[int, int, int]]  # data file, position, snapshot
    bounds: dict[int, FileBounds] = field(default_factory=dict)
    views: dict[int, TableFiles] = field(default_factory=dict)
    widths: dict[int, float | None] | None = None  # by column, asked for once

    def changed_until(self, snapshot_id: int) -> int:
        """The newest snapshot up to `snapshot_id` that changed something here: views at both are the same."""
        times = [self.low]
        for column in (self.columns.begin, self.columns.end):
            before = column[column <= snapshot_id]
            times.append(int(before.max()) if len(before) else 0)
        times += [t for d in self.deletes for t in (d[2], d[3]) if t <= snapshot_id]
        times += [d[2] for d in self.inlined_deletes if d[2] <= snapshot_id]
        return max(times)

    def view(self, snapshot_id: int) -> TableFiles | None:
        made = self.views.get(snapshot_id)
        if made is not None or self.inlined_tables:
            return made
        made = self.views.get(self.changed_until(snapshot_id))
        if made is None:
            return None
        made = replace(made, snapshot_id=snapshot_id)
        self._keep(snapshot_id, made)
        return made

    def make_view(self, snapshot_id: int, inlined: tuple[InlinedTable, ...]) -> TableFiles:
        deletes = {
            # a later delete of the extension may have been merged into the file of an older one
            data_file: DeleteFile(number, url, count, snapshot_id if snapshot_id < self.seen else None, kind)
            for number, data_file, begin, end, count, kind, url in self.deletes
            if begin <= snapshot_id < end
        }
        positions: dict[int, list[int]] = {}
        for data_file, position, begin in self.inlined_deletes:
            if begin <= snapshot_id:
                positions.setdefault(data_file, []).append(position)
        live = self.columns.live_at(snapshot_id)
        files = self.columns.data_files(live, snapshot_id, deletes, {f: tuple(p) for f, p in positions.items()})
        rows = sum(file.live_rows for file in files) + sum(table.rows for table in inlined)
        view = TableFiles(self.table_id, snapshot_id, files, inlined, rows, live)
        self._keep(snapshot_id, view)
        if not self.inlined_tables:
            self._keep(self.changed_until(snapshot_id), view)
        return view

    def _keep(self, snapshot_id: int, view: TableFiles) -> None:
        if len(self.views) > 16:
            self.views.pop(next(iter(self.views)))
        self.views[snapshot_id] = view


async def load_state(pool: asyncpg.Pool, data_url: str, table_id: int, snapshot_id: int) -> TableState:
    """Everything live at or after `snapshot_id`, read in one PostgreSQL snapshot."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        oldest, newest = await connection.fetchrow(_SNAPSHOTS)
        check_remembered(snapshot_id, oldest)
        location = await _location(connection, data_url, table_id)
        files = await connection.fetchrow(_ALIVE, table_id, snapshot_id, location)
        rest = await _rest(connection, table_id, snapshot_id, location)
        return TableState(table_id, snapshot_id, newest, location, FileColumns.of(files), *rest)


async def refresh_state(pool: asyncpg.Pool, state: TableState, kinds: set[str]) -> TableState | None:
    """The state with what came after `state.seen`, of which `kinds` tell; bounds of known files are kept. None where
    files that have gone since may be forgotten already, so that nothing tells that they are gone."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        oldest, newest = await connection.fetchrow(_SNAPSHOTS)
        if state.seen < oldest:
            return None
        later = await connection.fetchrow(_CHANGED, state.table_id, state.seen, state.location)
        if kinds <= {"inserted_into_table"}:
            changed = replace(state, seen=newest, views={})
        else:
            deletes, inlined, noted = await _rest(connection, state.table_id, state.low, state.location)
            changed = replace(
                state, seen=newest, views={}, deletes=deletes, inlined_tables=inlined, inlined_deletes=noted
            )
    changed.columns = state.columns.extended(FileColumns.of(later))
    if not state.widths or "altered_table" in kinds:
        changed.widths = None
    return changed


def check_remembered(snapshot_id: int, oldest: int) -> None:
    """The files of a forgotten snapshot are forgotten too, so that a list of them would be too short."""
    if snapshot_id < oldest:
        raise SerializationFailure(
            "the snapshot that the statement reads was removed by maintenance",
            hint="Run it again; the setting retention says how long snapshots stay.",
        )


async def _location(connection: asyncpg.Connection, data_url: str, table_id: int) -> str:
    location: str | None = await connection.fetchval(_LOCATION, table_id)
    if location is None:
        return data_url
    return location if location.startswith("/") or "://" in location else data_url + location


async def _rest(
    connection: asyncpg.Connection, table_id: int, low: int, location: str
) -> tuple[list[Delete], list[tuple[str, int]], list[tuple[int, int, int]]]:
    deletes = [tuple(row) for row in await connection.fetch(_DELETES, table_id, low, location)]
    inlined = [tuple(row) for row in await connection.fetch(_INLINED, table_id)]
    noted: list[tuple[int, int, int]] = []
    if await connection.fetchval("SELECT to_regclass($1)", f"mere_lake.ducklake_inlined_delete_{table_id}") is not None:
        rows = await connection.fetch(
            f"SELECT file_id, row_id, begin_snapshot FROM mere_lake.ducklake_inlined_delete_{table_id}"
        )
        noted = [tuple(row) for row in rows]
    return deletes, inlined, noted
