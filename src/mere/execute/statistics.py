"""What the planner is told of the lake: rows, values and widths of each scan, and how its files are spread.

Read from the lake's metadata, kept with it; never from data. Coordinator process. Estimates may be wrong, and only
make a plan slower; that rows are spread by a hash is said only where every file obeys it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from mere.execute.scans import LakeSource, LakeView
from mere.execute.shares import stored_layout
from mere.execute.types import EngineTypes
from mere.lake.metadata import ColumnSummary, Metadata
from mere.plan.local import ColumnStatistics, Facts, ScanStatistics
from mere.segment.workspace import Workspace
from mere.sql.bind.bound import BoundSelect, Scan
from mere.sql.relations import Column

_UNKNOWN_WIDTH = 8.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def facts(
    query: BoundSelect,
    view: LakeView,
    sources: Mapping[str, LakeSource],
    postgres_rows: Mapping[str, int],
    workspace: Workspace,
    segments: int,
    read_everywhere_rows: float,
) -> Facts:
    """`sources` are the scans of lake tables, `postgres_rows` the numbers of rows of the others."""
    statistics = {name: await scan_statistics(view.metadata, source) for name, source in sources.items()}
    for scan in query.scans:
        if scan.name in postgres_rows:
            statistics[scan.name] = postgres_statistics(scan, postgres_rows[scan.name])
    types = EngineTypes(workspace.describe, query.scans, query.constants)
    return Facts(segments, {scan.name: scan for scan in query.scans}, statistics, types, read_everywhere_rows)


async def scan_statistics(metadata: Metadata, source: LakeSource) -> ScanStatistics:
    relation = source.scan.relation
    layout = stored_layout(source)
    rows = float(source.files.rows)
    return ScanStatistics(
        rows=rows,
        columns=await _columns(metadata, source, rows),
        hash_column=_key(source).name if layout is not None else None,
        buckets=relation.policy.buckets if layout is not None else 0,
        replicated=relation.policy.kind == "replicated",
        files=len(source.files.files),
    )


def postgres_statistics(scan: Scan, rows: int) -> ScanStatistics:
    """Of a table that PostgreSQL keeps: every row is sent to every segment, and nothing more is known."""
    columns = {column.name: ColumnStatistics(max(1.0, rows), _UNKNOWN_WIDTH) for column in scan.columns}
    return ScanStatistics(float(rows), columns, coordinator=True)


def _key(source: LakeSource) -> Column:
    relation = source.scan.relation
    return next(column for column in relation.columns if column.attnum == relation.policy.keys[0])


async def _columns(metadata: Metadata, source: LakeSource, rows: float) -> dict[str, ColumnStatistics]:
    table_id = source.scan.relation.table_id
    if table_id is None or source.files.table_id < 0:  # files of this transaction alone
        return {column.name: ColumnStatistics(max(1.0, rows), _UNKNOWN_WIDTH) for column in source.columns}
    wanted = [(column.column_id, column.type) for column in source.columns]
    summaries = await metadata.column_summaries(table_id, source.snapshot.id, wanted, source.files)
    return {
        column.name: column_statistics(column.type, rows, summary)
        for column, summary in zip(source.columns, summaries, strict=True)
    }


def column_statistics(lake_type: str, rows: float, summary: ColumnSummary) -> ColumnStatistics:
    """`distinct` by the range of the values, and by the stored size: b bits a value tell 2**b values apart."""
    width = max(1.0, summary.width or _UNKNOWN_WIDTH)
    distinct = rows
    known = summary.low is not None and summary.high is not None
    if known and summary.low == summary.high:
        distinct = 1.0
    elif known and summary.order == "i":
        distinct = float(summary.high - summary.low + 1)
    elif known and summary.order == "d" and lake_type == "date":
        distinct = (summary.high - summary.low) / 86_400_000_000 + 1
    elif lake_type == "boolean":
        distinct = 2.0
    elif summary.width is not None and summary.width < 4:
        distinct = 2.0 ** (8 * summary.width) + 1
    low, high = _text(lake_type, summary.order, summary.low), _text(lake_type, summary.order, summary.high)
    return ColumnStatistics(max(1.0, min(distinct, rows)), width, low, high)


def _text(lake_type: str, order: str | None, value: object) -> str | None:
    """A bound as DuckDB writes it."""
    match order, value:
        case _, None:
            return None
        case "d", int():
            instant = _EPOCH + timedelta(microseconds=value)
            text = instant.date().isoformat() if lake_type == "date" else instant.isoformat(sep=" ")
            return text if lake_type == "timestamptz" else text.removesuffix("+00:00")
        case "s", bytes():
            return value.decode(errors="replace")
    return str(value)
