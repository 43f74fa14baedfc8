"""Upkeep of one lake, table by table and in small commits: rows kept in PostgreSQL move to files, small and worn files
become better ones, old snapshots are forgotten, and files that nobody needs any more are deleted.

Runs in the coordinator process, beside writers: it takes the commit lock for a moment per commit, and gives way
(its own commit is refused, its file becomes garbage) when a writer was faster.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import pyarrow as pa

from mere.lake.columns import ColumnRow, assemble_columns
from mere.lake.files import DataFile
from mere.lake.message import file_json
from mere.lake.metadata import Metadata
from mere.lake.readers import Readers
from mere.lake.rewrite import (
    RewritePolicy,
    TableLayout,
    choose_rewrites,
    field_ids,
    flush_sql,
    rewrite_sql,
    written_file,
)

logger = logging.getLogger(__name__)

_TABLES = """
SELECT t.table_id, mere.lake_location(s.path, s.path_is_relative, t.path, t.path_is_relative) AS location,
       k.column_id AS key_id, coalesce(m.buckets, 0) AS buckets
FROM mere_lake.ducklake_table AS t
JOIN mere_lake.ducklake_schema AS s ON s.schema_id = t.schema_id
JOIN mere.shell AS m ON m.table_id = t.table_id
LEFT JOIN mere_lake.ducklake_partition_info AS i ON i.table_id = t.table_id AND i.end_snapshot IS NULL
LEFT JOIN mere_lake.ducklake_partition_column AS k ON k.partition_id = i.partition_id
WHERE t.end_snapshot IS NULL AND (i.partition_id IS NULL) = (m.policy <> 'hash') ORDER BY t.table_id
"""
_COLUMNS = """
SELECT column_id, parent_column, column_name, column_type, initial_default, nulls_allowed
FROM mere_lake.ducklake_column
WHERE table_id = $1 AND begin_snapshot <= $2 AND (end_snapshot IS NULL OR end_snapshot > $2)
"""
_ROW_IDS = "SELECT data_file_id, row_id_start FROM mere_lake.ducklake_data_file WHERE data_file_id = ANY ($1::bigint[])"
_LIVE_FILES = """
SELECT CASE WHEN f.path_is_relative THEN l.location || f.path ELSE f.path END
FROM (SELECT table_id, path, path_is_relative FROM mere_lake.ducklake_data_file
      UNION ALL SELECT table_id, path, path_is_relative FROM mere_lake.ducklake_delete_file) AS f
JOIN (SELECT DISTINCT t.table_id, mere.lake_location(s.path, s.path_is_relative, t.path, t.path_is_relative) AS location
      FROM mere_lake.ducklake_table AS t JOIN mere_lake.ducklake_schema AS s ON s.schema_id = t.schema_id) AS l
    ON l.table_id = f.table_id
"""
_SCHEDULED_TOO = " UNION ALL SELECT path FROM mere_lake.ducklake_files_scheduled_for_deletion"
_SCHEDULED = "SELECT path FROM mere_lake.ducklake_files_scheduled_for_deletion WHERE schedule_start <= $1"
_DELETED_TOGETHER = 1000
_OURS = (".parquet", ".puffin")


class Store(Protocol):
    """The object store below `url`, in which all the lake's own files are."""

    @property
    def url(self) -> str: ...
    def list(self, prefix: str = "") -> AsyncIterator[Any]: ...  # of objects with path, size, modified
    async def delete(self, paths: Sequence[str]) -> None: ...


class Engine(Protocol):
    """One DuckDB connection."""

    async def rows(self, sql: str) -> list[tuple[Any, ...]]: ...
    async def load(self, name: str, rows: pa.Table) -> None: ...


@dataclass(frozen=True, slots=True)
class MaintenancePolicy:
    """`retention`: how long snapshots stay. `safety`: how old a file nobody knows must be before it is deleted, and how
    long a file stays after the last snapshot that reads it was forgotten."""

    retention: timedelta = timedelta(days=7)
    safety: timedelta = timedelta(hours=24)
    rewrite: RewritePolicy = field(default_factory=RewritePolicy)


@dataclass(slots=True)
class MaintenanceReport:
    flushed_rows: int = 0
    rewritten_files: int = 0
    written_files: int = 0
    given_up: int = 0  # rewrites that a writer made void
    expired_snapshots: int = 0
    deleted_files: int = 0
    deleted_bytes: int = 0


@dataclass(slots=True)
class Maintenance:
    """`data_url` is the prefix of the lake's files and ends with /; `in_flight` are the absolute paths that open
    transactions of this process have written. One run at a time."""

    pool: asyncpg.Pool
    metadata: Metadata
    data_url: str
    store: Store
    engine: Callable[[], AbstractAsyncContextManager[Engine]]
    readers: Readers
    in_flight: set[str]
    policy: MaintenancePolicy = field(default_factory=MaintenancePolicy)
    report: MaintenanceReport = field(default_factory=MaintenanceReport)

    async def run(self, progress: Callable[[str], None] = lambda step: None) -> MaintenanceReport:
        """Everything once; `progress` is told what begins."""
        for row in await self.pool.fetch(_TABLES):
            progress(f"files of {row['location']}")
            await self.flush_inlined(row)
            await self.rewrite_files(row)
        progress("old snapshots")
        await self.expire_snapshots()
        progress("unneeded files")
        await self.delete_scheduled()
        await self.delete_orphans()
        return self.report

    async def rewrite_files(self, table: asyncpg.Record) -> None:
        """Merges small files and drops deleted rows, one commit per new file."""
        snapshot = await self.metadata.snapshot()
        release = self.readers.hold(snapshot.id)
        try:
            view = await self.metadata.table_files(table["table_id"], snapshot.id)
            groups = choose_rewrites(view.files, self.policy.rewrite)
            layout = await self._layout(table, snapshot.id) if groups else None
            for group in groups:
                assert layout is not None
                await self._rewrite(layout, snapshot.id, group)
        finally:
            release()

    async def _rewrite(self, layout: TableLayout, snapshot_id: int, group: Sequence[DataFile]) -> None:
        result: list[tuple[Any, ...]] = []
        if any(file.live_rows for file in group):
            starts = dict(await self.pool.fetch(_ROW_IDS, [file.id for file in group]))
            async with self.engine() as engine:
                result = await engine.rows(rewrite_sql(layout, group, starts))
        sources = [(file.id, None if file.delete is None else file.delete.id) for file in group]
        if await self._commit(layout, snapshot_id, "rewrite_delete", result, sources=sources):
            self.report.rewritten_files += len(group)

    async def flush_inlined(self, table: asyncpg.Record) -> None:
        """Moves rows that a plain DuckDB keeps in PostgreSQL into files."""
        snapshot = await self.metadata.snapshot()
        view = await self.metadata.table_files(table["table_id"], snapshot.id)
        if not view.inlined:
            return
        layout = await self._layout(table, snapshot.id)
        async with self.engine() as engine:
            relations = []
            for number, inlined in enumerate(view.inlined):
                rows = await self.metadata.inlined_rows(inlined, view.table_id, snapshot.id)
                await engine.load(f"mere_inlined_{number}", rows.data)
                relations.append(rows.relation(f"mere_inlined_{number}"))
            result = await engine.rows(flush_sql(layout, relations))
        moved = [(inlined.name, inlined.rows) for inlined in view.inlined]
        if await self._commit(layout, snapshot.id, "inline_flush", result, inlined=moved):
            self.report.flushed_rows += sum(rows for _, rows in moved)

    async def _layout(self, table: asyncpg.Record, snapshot_id: int) -> TableLayout:
        rows = [ColumnRow(*row) for row in await self.pool.fetch(_COLUMNS, table["table_id"], snapshot_id)]
        fields, leaves = field_ids(rows)
        location = table["location"]
        prefix = location if location.startswith("/") or "://" in location else self.data_url + location
        if "://" not in prefix:
            await asyncio.to_thread(Path(prefix).mkdir, parents=True, exist_ok=True)
        columns = assemble_columns(rows)
        return TableLayout(table["table_id"], prefix, columns, fields, leaves, table["key_id"], table["buckets"])

    async def _commit(
        self,
        layout: TableLayout,
        snapshot_id: int,
        kind: str,
        result: Sequence[Sequence[Any]],
        sources: Sequence[tuple[int | None, int | None]] = (),
        inlined: Sequence[tuple[str, int]] = (),
    ) -> bool:
        """False when a writer was faster: then nothing happened, and what was written is garbage."""
        files = [file_json(written_file(row, layout)) for row in result if row[1]]
        message = {
            "table_id": layout.table_id,
            "read_snapshot": snapshot_id,
            "kind": kind,
            "sources": sources,
            "inlined": inlined,
            "files": files,
        }
        try:
            await self.pool.execute("SELECT mere.compact($1::text::jsonb)", json.dumps(message))
        except asyncpg.SerializationError as error:
            logger.info("a rewrite of table %s gave way: %s", layout.table_id, error.detail)
            self.report.given_up += 1
            return False
        self.report.written_files += len(files)
        return True

    async def expire_snapshots(self) -> None:
        """Forgets snapshots past the retention that nobody reads."""
        before = datetime.now(UTC) - self.policy.retention
        oldest = self.readers.oldest
        expired = await self.pool.fetchval(
            "SELECT mere.expire_snapshots($1, $2)", before, 2**62 if oldest is None else oldest
        )
        self.report.expired_snapshots += expired

    async def delete_scheduled(self) -> None:
        """Deletes files whose last snapshot was forgotten long enough ago, those of the extension's upkeep too."""
        before = datetime.now(UTC) - self.policy.safety
        scheduled = [row[0] for row in await self.pool.fetch(_SCHEDULED, before)]
        known = {self._url(path) for (path,) in await self.pool.fetch(_LIVE_FILES)}
        ours = [
            path for path in scheduled if self._url(path).startswith(self.data_url) and self._url(path) not in known
        ]
        await self._delete([self._url(path) for path in ours])
        await self.pool.execute("SELECT mere.forget_scheduled($1::text[])", scheduled)

    async def delete_orphans(self) -> None:
        """Deletes files that no metadata and no open transaction knows, once they are old enough."""
        before = datetime.now(UTC) - self.policy.safety
        listed = {
            self.store.url.rstrip("/") + "/" + found.path: found.size
            async for found in self.store.list(self.data_url)
            if found.modified <= before and found.path.endswith(_OURS)
        }
        # in this order: what is committed in between is known, what is not yet is in flight
        flying = set(self.in_flight)
        known = {self._url(path) for (path,) in await self.pool.fetch(_LIVE_FILES + _SCHEDULED_TOO)}
        orphans = [url for url in listed if url not in flying and url not in known]
        await self._delete(orphans)
        self.report.deleted_bytes += sum(listed[url] for url in orphans)

    async def _delete(self, urls: Sequence[str]) -> None:
        for start in range(0, len(urls), _DELETED_TOGETHER):
            await self.store.delete(urls[start : start + _DELETED_TOGETHER])
        self.report.deleted_files += len(urls)

    def _url(self, path: str) -> str:
        return path if path.startswith("/") or "://" in path else self.data_url + path
