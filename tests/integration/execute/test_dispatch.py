"""Slices on segments that live, die and lose what they made: the answer is right, and nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.dispatching import EXPECTED, ROWS, answer, everything, first_ones, grouped, numbers, opened, rows_of
from harness.segments import Segments

from mere.errors import MereError
from mere.execute import answer as answering
from mere.execute.compose import Body
from mere.execute.dispatch import Dispatcher, DispatchOptions
from mere.execute.scans import LakeSource
from mere.runtime.base import SegmentLost, Task

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(30)]

Kill = Callable[[int, Task], None]


def once(segments: Segments, wanted: Callable[[int, Task], bool], act: Kill, *, during: bool = False) -> list[Task]:
    """At the first attempt that is wanted, `act`. The attempts that were struck."""
    struck: list[Task] = []

    async def moment(segment: int, task: Task) -> None:
        if not struck and wanted(segment, task):
            struck.append(task)
            act(segment, task)

    if during:
        segments.during = moment
    else:
        segments.before = moment
    return struck


async def test_slices_run_in_order_and_leave_nothing(
    segments: Segments, dispatcher: Dispatcher, source: LakeSource
) -> None:
    assert await answer(dispatcher, grouped(3), source) == EXPECTED
    assert [task.slice for _, task in segments.attempts] == [1, 1, 1, 2, 2, 2]
    assert {(segment, task.share) for segment, task in segments.attempts} == {(0, 0), (1, 1), (2, 2)}
    assert segments.live_parts == 0


@pytest.mark.parametrize("buckets", [0, 8])
async def test_every_row_is_in_one_share(
    segments: Segments, dispatcher: Dispatcher, tmp_path: Path, buckets: int
) -> None:
    rows = await answer(dispatcher, everything(3), numbers(tmp_path / "lake" / "n", buckets=buckets))
    assert sorted(k for k, _ in rows) == list(range(ROWS))


async def test_segments_with_nothing_to_read_are_not_asked(
    segments: Segments, dispatcher: Dispatcher, tmp_path: Path
) -> None:
    """Two buckets, three segments."""
    rows = await answer(dispatcher, grouped(3), numbers(tmp_path / "lake" / "n", buckets=2))
    assert rows == EXPECTED
    assert [task.share for _, task in segments.attempts if task.slice == 1] == [0, 1]


@pytest.mark.parametrize("slice_", [1, 2])
@pytest.mark.parametrize("during", [False, True])
async def test_a_dead_segments_work_is_done_elsewhere(
    segments: Segments, dispatcher: Dispatcher, source: LakeSource, slice_: int, during: bool
) -> None:
    struck = once(
        segments,
        lambda segment, task: segment == 1 and task.slice == slice_,
        lambda segment, _: segments.kill(segment),
        during=during,
    )
    assert await answer(dispatcher, grouped(3), source) == EXPECTED
    assert len(struck) == 1
    again = [(segment, task.attempt) for segment, task in segments.attempts if task.slice == slice_ and task.share == 1]
    assert len(again) == 2 and again[1][0] != 1 and again[1][1] == 2
    assert len(segments.attempts) == 7  # nothing else ran twice
    assert segments.live_parts == 0


async def test_lost_parts_run_only_what_made_them(
    segments: Segments, dispatcher: Dispatcher, source: LakeSource
) -> None:
    """A node goes with the parts of segment 0, when the second slice is about to read them."""
    once(
        segments,
        lambda segment, task: task.slice == 2,
        lambda *_: segments.kill(0, with_parts=True),
    )
    assert await answer(dispatcher, grouped(3), source) == EXPECTED
    first = sorted((task.share, task.attempt) for _, task in segments.attempts if task.slice == 1)
    assert first == [(0, 1), (0, 2), (1, 1), (2, 1)]
    assert segments.live_parts == 0


async def test_parts_lost_on_their_way_to_the_coordinator(
    segments: Segments, dispatcher: Dispatcher, source: LakeSource
) -> None:
    """The last slice is done, its inputs are released: all of it runs again."""
    dispatch = opened(dispatcher, grouped(3), source)
    await dispatch.complete()
    assert segments.lose_parts() > 0
    assert await rows_of(dispatch) == EXPECTED
    assert segments.live_parts == 0


async def test_rows_that_may_differ_are_not_mixed(
    segments: Segments, dispatcher: Dispatcher, source: LakeSource
) -> None:
    """LIMIT gives other rows the second time, so all that was made of the first ones is made anew."""
    shares: list[int] = []

    async def strike(segment: int, task: Task) -> None:
        if task.slice == 2 and task.attempt == 1:
            shares.append(task.share)
            if len(shares) == 3:
                await asyncio.sleep(0.1)  # the other two are done by now
                segments.lose_parts()

    segments.before = strike
    assert await answer(dispatcher, first_ones(3), source) == [(10, 10)]
    assert sum(task.slice == 1 for _, task in segments.attempts) == 2
    assert sum(task.slice == 2 for _, task in segments.attempts) == 6
    assert segments.live_parts == 0


async def test_the_last_segment_standing_does_it_all(
    segments: Segments, dispatcher: Dispatcher, source: LakeSource
) -> None:
    segments.recovery = None
    segments.kill(0)
    segments.kill(2)
    assert await answer(dispatcher, grouped(3), source) == EXPECTED
    assert {segment for segment, _ in segments.attempts} == {1}


async def test_all_gone_and_back(segments: Segments, dispatcher: Dispatcher, source: LakeSource) -> None:
    segments.recovery = 0.3

    def all_of_them(*_: object) -> None:
        for segment in range(3):
            segments.kill(segment)

    once(segments, lambda _, task: task.slice == 2, all_of_them)
    assert await answer(dispatcher, grouped(3), source) == EXPECTED


async def test_all_gone_and_none_coming(segments: Segments, source: LakeSource) -> None:
    segments.recovery = None
    for segment in range(3):
        segments.kill(segment)
    with pytest.raises(MereError) as raised:
        await answer(Dispatcher(segments, DispatchOptions(patience=0.2)), grouped(3), source)
    assert raised.value.sqlstate == "57P03"


async def test_a_poison_statement_ends(segments: Segments, dispatcher: Dispatcher, source: LakeSource) -> None:
    """It kills every segment that it touches: bounded attempts, then an error, and the service goes on."""

    async def kill(segment: int, task: Task) -> None:
        if task.share == 0:
            segments.kill(segment)

    segments.before = kill
    with pytest.raises(MereError) as raised:
        await answer(dispatcher, grouped(3), source)
    assert raised.value.sqlstate == "58000"
    assert max(task.attempt for _, task in segments.attempts if task.share == 0) == 4
    segments.before = lambda *_: asyncio.sleep(0)
    await segments.wait_ready(1)
    assert await answer(dispatcher, grouped(3), source) == EXPECTED
    assert segments.live_parts == 0


async def test_out_of_memory_ends_sooner(segments: Segments, dispatcher: Dispatcher, source: LakeSource) -> None:
    async def starve(segment: int, task: Task) -> None:
        raise SegmentLost(segment, "killed by the kernel", out_of_memory=True)

    segments.before = starve
    with pytest.raises(MereError) as raised:
        await answer(dispatcher, grouped(3), source)
    assert raised.value.sqlstate == "53200"
    assert all(task.attempt <= 2 for _, task in segments.attempts)


async def test_an_error_of_the_statement_stops_the_others(
    segments: Segments, dispatcher: Dispatcher, source: LakeSource
) -> None:
    async def hang(segment: int, task: Task) -> None:
        if task.share == 1:
            raise MereError("division by zero", sqlstate="22012")
        await asyncio.sleep(60)

    segments.before = hang
    with pytest.raises(MereError) as raised:
        await answer(dispatcher, grouped(3), source)
    assert raised.value.sqlstate == "22012"
    assert segments.busy == 0 and segments.live_parts == 0


async def test_cancel_stops_every_segment(segments: Segments, dispatcher: Dispatcher, source: LakeSource) -> None:
    all_started = asyncio.Event()

    async def hang(segment: int, task: Task) -> None:
        if segments.busy == 3:
            all_started.set()
        await asyncio.sleep(60)

    segments.before = hang
    dispatch = opened(dispatcher, grouped(3), source)
    running = asyncio.create_task(rows_of(dispatch))
    await all_started.wait()
    started = asyncio.get_running_loop().time()
    dispatch.cancel()
    with pytest.raises(MereError) as raised:
        await running
    assert raised.value.sqlstate == "57014"
    assert asyncio.get_running_loop().time() - started < 1
    assert segments.busy == 0 and dispatcher.admission.running == 0 and segments.live_parts == 0


async def test_a_large_answer_goes_share_by_share(
    segments: Segments, dispatcher: Dispatcher, source: LakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Share 1 is lost when share 0 is with the client already: it runs again, and no row comes twice."""
    monkeypatch.setattr(answering, "_LOADED_WHOLE", 0)
    dispatch = opened(dispatcher, everything(3), source)
    await dispatch.complete()
    kept = {part.handle for part in dispatch.graph.parts_of((1, 0))}
    segments.lose_parts(lambda number: number not in kept)
    rows = await rows_of(dispatch)
    assert sorted(k for k, _ in rows) == list(range(ROWS))
    assert sorted(task.share for _, task in segments.attempts) == [0, 1, 1, 2, 2]
    assert segments.live_parts == 0


async def test_a_large_answer_that_nobody_reads_on(
    segments: Segments, dispatcher: Dispatcher, source: LakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "_LOADED_WHOLE", 0)
    dispatch = opened(dispatcher, everything(3), source)
    async with segments.workspace() as workspace:
        rows = await answering.open_answer(dispatch, Body(dispatch.plan.root), {}, workspace, lambda batch: batch)
        async for batch in rows:
            assert batch.num_rows > 0
            break
        assert segments.live_parts > 0
        await rows.close()
        await dispatch.close()
    assert segments.live_parts == 0


async def test_many_statements_take_turns(segments: Segments, source: LakeSource) -> None:
    dispatcher = Dispatcher(segments, DispatchOptions(running=2, waiting=30))
    most = 0

    async def count(segment: int, task: Task) -> None:
        nonlocal most
        most = max(most, dispatcher.admission.running)

    segments.before = count
    answers = await asyncio.gather(*(answer(dispatcher, grouped(3), source) for _ in range(16)))
    assert all(rows == EXPECTED for rows in answers)
    assert most == 2 and segments.live_parts == 0


async def test_one_statement_too_many(segments: Segments, source: LakeSource) -> None:
    dispatcher = Dispatcher(segments, DispatchOptions(running=1, waiting=2))
    tried = await asyncio.gather(*(answer(dispatcher, grouped(3), source) for _ in range(5)), return_exceptions=True)
    refused = [outcome for outcome in tried if isinstance(outcome, MereError)]
    assert [error.sqlstate for error in refused] == ["53300", "53300"]
    assert [outcome for outcome in tried if not isinstance(outcome, MereError)] == [EXPECTED] * 3
    assert segments.live_parts == 0
