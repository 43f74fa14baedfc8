"""Better files for the rows of one table: what plain DuckDB left in PostgreSQL is written to files, small files are
merged, worn ones lose their deleted rows.

One commit per new file, so that little is lost when it gives way: a writer that was faster, or that takes rows from the
same table right now, goes first, and what was written is garbage. Runs in the coordinator process.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from mere.lake.columns import ColumnRow, assemble_columns
from mere.lake.files import DataFile
from mere.lake.maintained import Kind, MaintainedLake
from mere.lake.message import file_json
from mere.lake.rewrite import TableLayout, choose_rewrites, field_ids, flush_sql, rewrite_sql, written_file

logger = logging.getLogger(__name__)

_COLUMNS = """
SELECT column_id, parent_column, column_name, column_type, initial_default, nulls_allowed
FROM mere_lake.ducklake_column
WHERE table_id = $1 AND begin_snapshot <= $2 AND (end_snapshot IS NULL OR end_snapshot > $2)
"""
_ROW_IDS = "SELECT data_file_id, row_id_start FROM mere_lake.ducklake_data_file WHERE data_file_id = ANY ($1::bigint[])"


async def rewrite_files(lake: MaintainedLake, table: asyncpg.Record, kind: Kind) -> None:
    """MERGE or REWRITE."""
    snapshot = await lake.metadata.snapshot()
    release = lake.readers.hold(snapshot.id)
    try:
        view = await lake.metadata.table_files(table["table_id"], snapshot.id)
        groups = choose_rewrites(view.files, lake.policy.rewrite, merge=kind is Kind.MERGE, worn=kind is Kind.REWRITE)
        if lake.dry:
            lake.report.rewritten_files += sum(map(len, groups))
            lake.report.written_files += sum(1 for group in groups if any(file.live_rows for file in group))
            return
        layout = await _layout(lake, table, snapshot.id) if groups else None
        for group in groups:
            assert layout is not None
            await _rewrite(lake, layout, snapshot.id, group)
    finally:
        release()


async def _rewrite(lake: MaintainedLake, layout: TableLayout, snapshot_id: int, group: Sequence[DataFile]) -> None:
    result: list[tuple[Any, ...]] = []
    if any(file.live_rows for file in group):
        starts = dict(await lake.pool.fetch(_ROW_IDS, [file.id for file in group]))
        async with lake.engine() as engine:
            result = await engine.rows(rewrite_sql(layout, group, starts))
    sources = [(file.id, None if file.delete is None else file.delete.id) for file in group]
    if await _commit(lake, layout, snapshot_id, "rewrite_delete", result, sources=sources):
        lake.report.rewritten_files += len(group)


async def flush_inlined(lake: MaintainedLake, table: asyncpg.Record) -> None:
    """Moves rows that a plain DuckDB keeps in PostgreSQL into files."""
    snapshot = await lake.metadata.snapshot()
    view = await lake.metadata.table_files(table["table_id"], snapshot.id)
    if not view.inlined:
        return
    if lake.dry:
        lake.report.flushed_rows += sum(inlined.rows for inlined in view.inlined)
        return
    layout = await _layout(lake, table, snapshot.id)
    async with lake.engine() as engine:
        relations = []
        for number, inlined in enumerate(view.inlined):
            rows = await lake.metadata.inlined_rows(inlined, view.table_id, snapshot.id)
            await engine.load(f"mere_inlined_{number}", rows.data)
            relations.append(rows.relation(f"mere_inlined_{number}"))
        result = await engine.rows(flush_sql(layout, relations))
    moved = [(inlined.name, inlined.rows) for inlined in view.inlined]
    if await _commit(lake, layout, snapshot.id, "inline_flush", result, inlined=moved):
        lake.report.flushed_rows += sum(rows for _, rows in moved)


async def _layout(lake: MaintainedLake, table: asyncpg.Record, snapshot_id: int) -> TableLayout:
    rows = [ColumnRow(*row) for row in await lake.pool.fetch(_COLUMNS, table["table_id"], snapshot_id)]
    fields, leaves = field_ids(rows)
    prefix = lake.url_of(table["location"])
    if "://" not in prefix:
        await asyncio.to_thread(Path(prefix).mkdir, parents=True, exist_ok=True)
    columns = assemble_columns(rows)
    return TableLayout(table["table_id"], prefix, columns, fields, leaves, table["key_id"], table["buckets"])


async def _commit(
    lake: MaintainedLake,
    layout: TableLayout,
    snapshot_id: int,
    kind: str,
    result: Sequence[Sequence[Any]],
    sources: Sequence[tuple[int | None, int | None]] = (),
    inlined: Sequence[tuple[str, int]] = (),
) -> bool:
    """False when a writer goes first: then nothing happened, and what was written is garbage."""
    files = [file_json(written_file(row, layout)) for row in result if row[1]]
    message = {
        "table_id": layout.table_id,
        "read_snapshot": snapshot_id,
        "kind": kind,
        "sources": sources,
        "inlined": inlined,
        "files": files,
    }
    with lake.changing.replacing(layout.table_id) as replaced:
        if replaced is None:
            logger.info("a rewrite of table %s gave way to a transaction that changes it", layout.table_id)
            lake.report.given_up += 1
            return False
        try:
            made = await lake.pool.fetchval("SELECT mere.compact($1::text::jsonb)", json.dumps(message))
        except asyncpg.SerializationError as error:
            logger.info("a rewrite of table %s gave way: %s", layout.table_id, error.detail)
            lake.report.given_up += 1
            return False
        replaced(made)
    lake.report.written_files += len(files)
    return True
