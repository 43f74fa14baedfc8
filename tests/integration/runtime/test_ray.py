"""Segments on Ray: rows go around, errors keep their names, and whatever dies is noticed, told and replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mere.errors import MereError
from mere.runtime.base import Leave, Load, PartsLost, Result, SegmentLost, SegmentState, Task
from mere.runtime.ray_runtime import RayRuntime
from mere.segment.write import WriteColumn, WriteTarget
from mere.sql import types as pg

from .conftest import whole

ENDLESS = "SELECT count(*) AS n FROM range(100000000000) AS t(i) WHERE hash(i) % 7 = 3"
PAIRS = (("a", "BIGINT"), ("b", "BIGINT"))


ONE = Leave()


def task(sql: str, *loads: Load, output: Leave | WriteTarget = ONE) -> Task:
    return Task("s1", 1, 0, 1, sql, loads, output)


def numbers(count: int, first: int = 0) -> str:
    return f"SELECT i::BIGINT AS a, (i * 7)::BIGINT AS b FROM range({first}, {first + count}) AS t(i)"


async def answer(runtime: RayRuntime, sql: str, *loads: Load, segment: int = 0) -> list[dict[str, Any]]:
    result = await runtime.run(segment, task(sql, *loads))
    tables = [await runtime.fetch(part) for part in result.parts]
    runtime.release(result.parts)
    return [row for table in tables for row in table.to_pylist()]


def segment(runtime: RayRuntime, number: int) -> SegmentState:
    return next(state for state in runtime.state() if state.id == number)


@pytest.mark.parametrize("count", [1000, 1_000_000], ids=["few rows", "many rows"])
async def test_rows_go_from_segment_to_segment(runtime: RayRuntime, count: int) -> None:
    async with asyncio.timeout(60):
        sent = await asyncio.gather(
            *(
                runtime.run(n, task(numbers(count, n * count), output=Leave(2, "hash(a) % 1000")))
                for n in runtime.ready()
            )
        )
        assert [result.rows for result in sent] == [count, count]
        parts = [part for result in sent for part in result.parts]
        counts = []
        for n in runtime.ready():
            mine = Load("m", PAIRS, tuple(part for part in parts if part.target == n))
            assert mine.parts
            [row] = await answer(runtime, "SELECT count(*) AS n, sum(a)::BIGINT AS s FROM m", mine, segment=n)
            counts.append(row)
        runtime.release(parts)
    assert sum(row["n"] for row in counts) == 2 * count
    assert sum(row["s"] for row in counts) == (2 * count - 1) * count


async def test_more_than_the_object_store_holds_is_spilled(runtime: RayRuntime) -> None:
    """256 MB of it; these are some 480 MB."""
    async with asyncio.timeout(110):
        sent = await asyncio.gather(*(runtime.run(n % 2, task(numbers(7_500_000, n * 7_500_000))) for n in range(4)))
        parts = tuple(part for result in sent for part in result.parts)
        assert sum(part.bytes for part in parts) > 450 << 20
        [row] = await answer(
            runtime, "SELECT count(*) AS n, sum(b - 7 * a)::BIGINT AS s FROM m", Load("m", PAIRS, parts)
        )
        runtime.release(parts)
    assert row == {"n": 30_000_000, "s": 0}


async def test_rows_of_the_coordinator_reach_a_segment(runtime: RayRuntime) -> None:
    async with asyncio.timeout(30):
        for count in (10, 200_000):
            rows = pa.table({"a": range(count), "b": range(count)})
            part = await runtime.put(rows)
            assert await answer(runtime, "SELECT count(*) AS n FROM m", Load("m", PAIRS, (part,))) == [{"n": count}]
            assert (await runtime.fetch(part)).equals(rows)
            runtime.release([part])


async def test_files_are_written_by_the_segment(runtime: RayRuntime, lake_directory: Path) -> None:
    columns = (WriteColumn("a", pg.INT8, 1), WriteColumn("b", pg.INT8, 2))
    target = WriteTarget("t", f"{lake_directory}/t/", columns)
    async with asyncio.timeout(30):
        result = await runtime.run(1, task(numbers(1000), output=target))
    assert (result.rows, result.parts) == (1000, ())
    [file] = result.files
    assert file.rows == 1000
    assert (lake_directory / "t" / file.path).stat().st_size == file.size


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("SELECT CAST('x' || i AS INTEGER) AS a FROM range(3) AS t(i)", "22P02"),
        ("SELECT error('22012:division by zero') AS a", "22012"),
        ("SELECT count(*) AS n FROM read_parquet('/etc/passwd')", "42501"),
        ("SELECT list(i::VARCHAR || repeat('x', 1000)) AS a FROM range(3000000) AS t(i)", "53200"),
    ],
)
async def test_an_error_of_the_statement_has_its_state_and_costs_no_segment(
    runtime: RayRuntime, sql: str, state: str
) -> None:
    before = runtime.state()
    with pytest.raises(MereError) as raised:
        async with asyncio.timeout(60):
            await runtime.run(0, task(sql))
    assert raised.value.sqlstate == state
    assert runtime.state() == before


async def test_cancelling_ends_the_work_on_the_segment_within_a_second(runtime: RayRuntime) -> None:
    attempt = asyncio.ensure_future(runtime.run(0, task(ENDLESS)))
    await asyncio.sleep(0.5)
    attempt.cancel()
    async with asyncio.timeout(1):
        await asyncio.wait({attempt})
        await idle(runtime, 0)


async def test_what_was_released_is_gone(runtime: RayRuntime) -> None:
    result = await runtime.run(0, task(numbers(10)))
    runtime.release(result.parts)
    with pytest.raises(PartsLost):
        await runtime.fetch(result.parts[0])
    with pytest.raises(PartsLost) as raised:
        await runtime.run(0, task("SELECT count(*) AS n FROM m", Load("m", PAIRS, result.parts)))
    assert raised.value.parts == result.parts


async def test_a_killed_segment_is_noticed_at_once_and_a_spare_takes_its_place(runtime: RayRuntime) -> None:
    before = segment(runtime, 0)
    assert before.pid is not None
    attempt = asyncio.ensure_future(runtime.run(0, task(ENDLESS)))
    await asyncio.sleep(0.5)
    os.kill(before.pid, signal.SIGKILL)
    with pytest.raises(SegmentLost) as raised:
        async with asyncio.timeout(2):
            await attempt
    assert not raised.value.out_of_memory
    assert 0 in runtime.ready()
    async with asyncio.timeout(5):
        assert await answer(runtime, "SELECT 1 AS a") == [{"a": 1}]
    after = segment(runtime, 0)
    assert (after.restarts, after.status) == (before.restarts + 1, "up")
    assert after.pid != before.pid
    await whole(runtime)


async def test_parts_outlive_the_segment_that_made_them(runtime: RayRuntime) -> None:
    result = await runtime.run(1, task(numbers(1_000_000)))
    await lose(runtime, 1, signal.SIGKILL)
    async with asyncio.timeout(30):
        load = Load("m", PAIRS, result.parts)
        assert await answer(runtime, "SELECT count(*) AS n FROM m", load, segment=0) == [{"n": 1_000_000}]
    runtime.release(result.parts)


async def test_a_stopped_segment_is_noticed_and_killed(runtime: RayRuntime) -> None:
    pid = segment(runtime, 1).pid
    assert pid is not None
    started = time.monotonic()
    attempt = asyncio.ensure_future(runtime.run(1, task(ENDLESS)))
    await asyncio.sleep(0.2)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(SegmentLost):
        async with asyncio.timeout(8):
            await attempt
    assert time.monotonic() - started < 5  # two on a quiet machine
    await whole(runtime)
    assert not Path(f"/proc/{pid}/exe").exists()


async def test_both_segments_at_once(runtime: RayRuntime) -> None:
    pids = [state.pid for state in runtime.state()]
    for pid in pids:
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        await until(lambda: not {state.pid for state in runtime.state()} & set(pids))
        await runtime.wait_ready(30)
        assert await answer(runtime, "SELECT 1 AS a", segment=runtime.ready()[0]) == [{"a": 1}]
    await whole(runtime)


async def test_no_segment_in_time_is_a_clear_error(runtime: RayRuntime) -> None:
    for state in runtime.state():
        assert state.pid is not None
        os.kill(state.pid, signal.SIGKILL)
    async with asyncio.timeout(5):
        await until(lambda: not runtime.ready())
    with pytest.raises(MereError) as raised:
        await runtime.wait_ready(0.01)
    assert raised.value.sqlstate == "57P03"
    await whole(runtime)


async def test_resizing_lets_running_attempts_end(runtime: RayRuntime) -> None:
    slow = asyncio.ensure_future(runtime.run(1, task("SELECT count(*) AS n FROM range(300000000) AS t(i)")))
    await asyncio.sleep(0.1)
    await runtime.resize(1)
    assert runtime.segments == 1
    async with asyncio.timeout(60):
        result: Result = await slow
        assert result.rows == 1
        await whole(runtime, 1)
        await runtime.resize(3)
        await whole(runtime, 3)
        assert await answer(runtime, "SELECT 1 AS a", segment=2) == [{"a": 1}]
    await runtime.resize(2)
    await whole(runtime)


async def test_an_attempt_on_a_number_without_a_segment_is_lost(runtime: RayRuntime) -> None:
    with pytest.raises(SegmentLost):
        await runtime.run(7, task("SELECT 1 AS a"))


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def idle(runtime: RayRuntime, number: int) -> None:
    """Until nothing runs on the segment any more."""
    while await runtime.running(number):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def lose(runtime: RayRuntime, number: int, signal_number: int) -> None:
    pid = segment(runtime, number).pid
    assert pid is not None
    os.kill(pid, signal_number)
    async with asyncio.timeout(10):
        await until(lambda: segment(runtime, number).pid != pid)
