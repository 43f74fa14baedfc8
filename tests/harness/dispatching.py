"""Plans made by hand over Parquet files without a catalog, for tests of what runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from mere.execute.answer import open_answer
from mere.execute.compose import Body
from mere.execute.dispatch import Dispatch, Dispatcher
from mere.execute.dispatch_tasks import LakeScan
from mere.execute.pieces import in_pieces
from mere.execute.scans import LakeSource
from mere.execute.shares import stored_layout
from mere.lake.columns import LakeColumn
from mere.lake.files import DataFile, TableFiles, layout_of
from mere.lake.metadata import Snapshot
from mere.plan.nodes import DistributedPlan, Motion, MotionColumn, MotionKind, SegmentSlice, Share, Slice, Where
from mere.segment.connect import extension_file
from mere.segment.workspace import Workspace
from mere.sql.bind.bound import Scan
from mere.sql.relations import Column, Kind, Policy, Relation
from mere.sql.types import INT8, PgType

ROWS = 60_000
MODULO = 97  # of column g


def query(text: str) -> exp.Expression:
    tree = sqlglot.parse_one(text, dialect="duckdb")
    assert isinstance(tree, exp.Expression)
    return tree


def numbers(directory: Path, files: int = 3, buckets: int = 0) -> LakeSource:
    """The table `mere_scan_0` of k (0 to 59,999) and g (k % 97), as files of even size or by bucket of k."""
    written = []
    directory.mkdir(parents=True, exist_ok=True)
    source = f"SELECT k, k % {MODULO} AS g FROM range({ROWS}) r(k)"
    for number in range(buckets or files):
        path = directory / f"{number}.parquet"
        mine = f"{_bucket(buckets)} = {number}" if buckets else f"k * {files} // {ROWS} = {number}"
        options = "FORMAT parquet, FIELD_IDS {k: 1, g: 2}, ROW_GROUP_SIZE 4096"
        count = _engine().execute(f"COPY ({source} WHERE {mine}) TO '{path}' ({options})").fetchall()[0][0]
        bucket, layout = (number, layout_of(1, buckets)) if buckets else (None, None)
        written.append(DataFile(number, str(path), count, path.stat().st_size, bucket, layout=layout))
    return source_of(written, buckets)


def source_of(files: Sequence[DataFile], buckets: int = 0) -> LakeSource:
    columns = (Column(1, "k", PgType(INT8), field_id=1), Column(2, "g", PgType(INT8), field_id=2))
    policy = Policy("hash", (1,), buckets) if buckets else Policy()
    relation = Relation(1, "public", "numbers", Kind.LAKE, columns, "mere", frozenset({"SELECT"}), policy=policy)
    scan = Scan("mere_scan_0", relation, columns)
    held = TableFiles(1, 1, tuple(files), (), sum(file.rows for file in files))
    lake = (LakeColumn(1, "k", "int64", "BIGINT"), LakeColumn(2, "g", "int64", "BIGINT"))
    source = LakeSource(scan, Snapshot(1, 1, datetime.now(UTC)), lake, (), held, held, None, {})
    assert (stored_layout(source) is not None) == bool(buckets)
    return source


def _engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension_file('ducklake')}'")
    return connection


def _bucket(buckets: int) -> str:
    return f"(murmur3_32(k) & 2147483647) % {buckets}"


def slice_of(
    number: int,
    text: str,
    *,
    where: Where = Where.EVERY,
    share: Share | None = Share.OWN,
    inputs: Sequence[int] = (),
) -> SegmentSlice:
    scans = (("mere_scan_0", share),) if share is not None else ()
    return SegmentSlice(number, query(text), where, scans, tuple(inputs))


def motion_of(number: int, kind: MotionKind, columns: Mapping[str, str], destination: str | None = None) -> Motion:
    """The motion that slice `number` sends."""
    held = tuple(MotionColumn(name, kind_) for name, kind_ in columns.items())
    return Motion(number, kind, number, held, query(destination) if destination else None)


def plan_of(
    segments: int, slices: Sequence[SegmentSlice], motions: Sequence[Motion], root: str, plain: bool = False
) -> DistributedPlan:
    return DistributedPlan(tuple(slices), tuple(motions), Slice(0, query(root), (), (), ()), segments, plain)


COUNTED = (
    "SELECT g AS g, count(*) AS n, sum(k)::BIGINT AS s FROM mere_motion_1 GROUP BY g",
    "SELECT g, n, s FROM mere_motion_2 ORDER BY g",
)
# The answer of `grouped`.
EXPECTED = [(g, len(range(g, ROWS, MODULO)), sum(range(g, ROWS, MODULO))) for g in range(MODULO)]


def grouped(segments: int) -> DistributedPlan:
    """SELECT g, count(*), sum(k) ... GROUP BY g ORDER BY g by a Redistribute on g."""
    return plan_of(
        segments,
        [
            slice_of(1, "SELECT k AS k, g AS g FROM mere_scan_0"),
            slice_of(2, COUNTED[0], share=None, inputs=[1]),
        ],
        [
            motion_of(1, MotionKind.REDISTRIBUTE, {"k": "BIGINT", "g": "BIGINT"}, "hash(g) % 2147483647"),
            motion_of(2, MotionKind.GATHER, {"g": "BIGINT", "n": "BIGINT", "s": "BIGINT"}),
        ],
        COUNTED[1],
    )


def everything(segments: int) -> DistributedPlan:
    """SELECT k, g FROM numbers."""
    return plan_of(
        segments,
        [replace(slice_of(1, "SELECT k AS k, g AS g FROM mere_scan_0"), rows=float(ROWS))],
        [motion_of(1, MotionKind.GATHER, {"k": "BIGINT", "g": "BIGINT"})],
        "SELECT k, g FROM mere_motion_1",
        plain=True,
    )


def first_ones(segments: int) -> DistributedPlan:
    """Ten rows, any: LIMIT on one segment, its rows to all, who count what they got."""
    return plan_of(
        segments,
        [
            slice_of(1, "SELECT k AS k FROM mere_scan_0 LIMIT 10", where=Where.ONE, share=Share.ALL),
            slice_of(2, "SELECT k AS k FROM mere_motion_1", share=None, inputs=[1]),
        ],
        [
            motion_of(1, MotionKind.REDISTRIBUTE, {"k": "BIGINT"}, "hash(k) % 2147483647"),
            motion_of(2, MotionKind.GATHER, {"k": "BIGINT"}),
        ],
        "SELECT count(*) AS rows, count(DISTINCT k) AS values FROM mere_motion_2",
    )


def opened(dispatcher: Dispatcher, plan: DistributedPlan, source: LakeSource) -> Dispatch:
    return dispatcher.open(plan, {"mere_scan_0": LakeScan.of(source, plan.segments)}, {})


def opened_in_pieces(dispatcher: Dispatcher, source: LakeSource, rows: int) -> Dispatch:
    """`everything`, in pieces of so many rows."""
    plan = everything(dispatcher.runtime.segments)
    scan = LakeScan.of(source, plan.segments)
    cut = replace(scan, own=in_pieces(scan.own, rows))
    return dispatcher.open(plan, {"mere_scan_0": cut}, {}, width=len(cut.own))


async def answer(dispatcher: Dispatcher, plan: DistributedPlan, source: LakeSource) -> list[tuple[Any, ...]]:
    """All rows of the plan's answer."""
    return await rows_of(opened(dispatcher, plan, source))


async def rows_of(dispatch: Dispatch) -> list[tuple[Any, ...]]:
    workspace: Workspace
    async with dispatch.runtime.workspace() as workspace:
        try:
            batches = await open_answer(dispatch, Body(dispatch.plan.root), {}, workspace, tuples)
            try:
                return [row async for rows in batches for row in rows]
            finally:
                await batches.close()
        finally:
            await dispatch.close()


def tuples(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
