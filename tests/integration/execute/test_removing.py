"""Rows removed by segments: each data file gets one delete file, whoever found its rows and whoever died meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from harness.dispatching import ROWS, motion_of, numbers, plan_of, slice_of
from harness.segments import Segments

from mere.errors import MereError
from mere.execute.answer import load_answer
from mere.execute.compose import Body
from mere.execute.dispatch import Dispatcher, DispatchOptions
from mere.execute.dispatch_tasks import LakeScan
from mere.execute.removing import losing_files, removal_plan, removal_stores
from mere.execute.scans import LakeSource
from mere.lake.message import NewFile
from mere.plan.nodes import DistributedPlan, MotionKind
from mere.runtime.base import Task
from mere.segment.deletes import LosingFile, Lost, file_table, numbered, read_lost
from mere.segment.task import Change
from mere.segment.write import WriteColumn, WriteTarget
from mere.sql import types as pg

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(60)]

FOUND = {"k": "BIGINT", "g": "BIGINT", "mere_file": "VARCHAR", "mere_pos": "BIGINT"}
COLUMNS = ", ".join(f"{name} AS {name}" for name in FOUND)
LEFT = f"{numbered('mere_rows')} UNION ALL SELECT NULL, count(*) FROM mere_rows WHERE mere_file IS NULL"


@pytest.fixture
def table(tmp_path: Path) -> LakeSource:
    """5 files, whose rows say where they lie."""
    found = numbers(tmp_path / "lake" / "numbers", files=5)
    return replace(found, scan=replace(found.scan, row_identity=True))


def finding(condition: str, *, moved: bool) -> DistributedPlan:
    """SELECT everything WHERE; `moved`: after rows of all files have met by g."""
    slices = [slice_of(1, f"SELECT {COLUMNS} FROM mere_scan_0 WHERE {condition}")]
    motions = [motion_of(1, MotionKind.REDISTRIBUTE if moved else MotionKind.GATHER, FOUND, "g" if moved else None)]
    if moved:
        slices.append(slice_of(2, f"SELECT {COLUMNS} FROM mere_motion_1", share=None, inputs=[1]))
        motions.append(motion_of(2, MotionKind.GATHER, FOUND))
    last = motions[-1].table
    return plan_of(3, slices, motions, f"SELECT {COLUMNS} FROM {last}", plain=True)


class Removing:
    """What a removal has left."""

    def __init__(self, files: list[LosingFile], lost: list[Lost], written: tuple[NewFile, ...], count: int) -> None:
        self.files = files
        self.lost = lost
        self.written = written
        self.count = count

    def rows(self, prefix: str) -> set[tuple[int, int]]:
        """(number of the file, position) by the delete files; of a file that went, what it held."""
        found = set()
        for lost in self.lost:
            if lost.path is None:
                found |= {(lost.number, position) for position in range(self.files[lost.number].rows or 0)}
            else:
                held = pq.read_table(prefix + lost.path)
                assert set(held["file_path"].to_pylist()) == {self.files[lost.number].url}
                assert held["pos"].to_pylist() == sorted(held["pos"].to_pylist())
                found |= {(lost.number, position) for position in held["pos"].to_pylist()}
        return found


async def remove(
    dispatcher: Dispatcher,
    table: LakeSource,
    prefix: str,
    plan: DistributedPlan,
    change: Change | None = None,
    *,
    once: bool = False,
) -> Removing:
    removal = removal_plan(plan)
    assert removal is not None
    files = losing_files(table.files)
    part = await dispatcher.runtime.put(file_table(files))
    stores = removal_stores(removal, prefix, part, change, once)
    scans = {"mere_scan_0": LakeScan.of(table, 3)}
    dispatch = dispatcher.open(removal.plan, scans, {}, own_parts=[part], stores=stores)
    try:
        async with dispatcher.runtime.workspace() as workspace:
            await load_answer(dispatch, Body(removal.plan.root), {}, workspace)
            lost, count = await read_lost(workspace, removal.lost.table)
            return Removing(files, lost, dispatch.files(removal.finds), count)
    finally:
        await dispatch.close()


def expected(modulo: int) -> set[tuple[int, int]]:
    each = ROWS // 5
    return {(k // each, k % each) for k in range(0, ROWS, modulo)}


@pytest.mark.parametrize("moved", [False, True], ids=["where they lie", "after they moved"])
async def test_each_file_gets_one_delete_file(
    dispatcher: Dispatcher, segments: Segments, table: LakeSource, tmp_path: Path, moved: bool
) -> None:
    prefix = f"{tmp_path}/lake/t/"
    done = await remove(dispatcher, table, prefix, finding("k % 7 = 0", moved=moved))
    assert done.count == len(range(0, ROWS, 7))
    assert sorted(lost.number for lost in done.lost) == [0, 1, 2, 3, 4]
    assert done.rows(prefix) == expected(7)
    writers = {segment for segment, task in segments.attempts if task.slice == (3 if moved else 2)}
    assert writers == {0, 1, 2}
    assert segments.live_parts == 0


async def test_files_that_lose_every_row_have_no_delete_file(
    dispatcher: Dispatcher, table: LakeSource, tmp_path: Path
) -> None:
    done = await remove(dispatcher, table, f"{tmp_path}/lake/t/", finding("k < 24000 OR k = 59999", moved=True))
    assert sorted((lost.number, lost.path is None, lost.count) for lost in done.lost) == [
        (0, True, 0),
        (1, True, 0),
        (4, False, 1),
    ]


async def test_nothing_found_is_nothing_written(dispatcher: Dispatcher, table: LakeSource, tmp_path: Path) -> None:
    done = await remove(dispatcher, table, f"{tmp_path}/lake/t/", finding("k < 0", moved=False))
    assert (done.lost, done.count) == ([], 0)
    assert not (tmp_path / "lake" / "t").exists()


def change(prefix: str) -> Change:
    """What is even moves to another k, and 100 rows come that take nobody's place."""
    target = WriteTarget("t", prefix, (WriteColumn("k", pg.INT8, 1), WriteColumn("g", pg.INT8, 2)))
    rows = (
        "SELECT * REPLACE (k + 1000000 AS k) FROM mere_source"
        " UNION ALL SELECT k, g, NULL, NULL FROM mere_source WHERE k < 200"
    )
    return Change(rows, "SELECT k, g FROM mere_rows", target, LEFT)


@pytest.mark.parametrize("seed", range(2))
async def test_segments_that_die_meanwhile_change_nothing(
    segments: Segments, table: LakeSource, tmp_path: Path, seed: int
) -> None:
    """What they have written stays behind unnamed; rows that are named are there once."""
    dice = random.Random(seed)
    prefix = f"{tmp_path}/lake/t/"
    moments = itertools.count()

    async def trouble(segment: int, task: Task) -> None:
        moment = next(moments)
        if moment % 4 != 2 or moment > 30:
            return
        if dice.random() < 0.7:
            segments.kill(segment, with_parts=dice.random() < 0.5)
        else:
            segments.lose_parts(segments.made_by_a_segment)

    segments.before = segments.during = trouble
    dispatcher = Dispatcher(segments, DispatchOptions(attempts=1000))
    done = await remove(dispatcher, table, prefix, finding("k % 2 = 0", moved=seed % 2 == 1), change(prefix))
    assert len(segments.attempts) > 9  # those of the undisturbed run
    assert done.count == ROWS // 2 + 100
    assert done.rows(prefix) == expected(2)
    written: list[Any] = []
    for file in done.written:
        written += pq.read_table(prefix + file.path)["k"].to_pylist()
    assert sorted(written) == sorted([*range(0, 200, 2), *range(1_000_000, 1_000_000 + ROWS, 2)])
    assert segments.live_parts == 0


async def test_a_second_match_is_found_wherever_the_two_were(
    dispatcher: Dispatcher, table: LakeSource, tmp_path: Path
) -> None:
    """The same position from two segments."""
    plan = finding("k % 2 = 0", moved=True)
    twice = f"SELECT {COLUMNS} FROM mere_motion_1 UNION ALL SELECT {COLUMNS} FROM mere_scan_0 WHERE k = 40"
    doubled = replace(plan, slices=(plan.slices[0], slice_of(2, twice, inputs=[1])))
    async with asyncio.timeout(30):
        with pytest.raises(MereError) as caught:
            await remove(dispatcher, table, f"{tmp_path}/lake/t/", doubled, once=True)
    assert caught.value.sqlstate == "21000"
    assert caught.value.hint
