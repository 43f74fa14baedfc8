"""A large answer comes piece by piece: before the rest is read, no faster than it is taken, and each row once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from harness.dispatching import MODULO, ROWS, numbers, opened_in_pieces, rows_of, tuples
from harness.segments import Segments

from mere.errors import MereError, QueryCanceled
from mere.execute.answer import Answer, open_answer
from mere.execute.compose import Body
from mere.execute.dispatch import Dispatch, Dispatcher, DispatchOptions
from mere.execute.scans import LakeSource
from mere.runtime.base import Task

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(30)]

PIECE = 2000
EVERYTHING = [(k, k % MODULO) for k in range(ROWS)]
PIECES = ROWS // PIECE


@asynccontextmanager
async def answering(dispatch: Dispatch) -> AsyncIterator[Answer[list[tuple[Any, ...]]]]:
    async with dispatch.runtime.workspace() as workspace:
        try:
            answer = await open_answer(dispatch, Body(dispatch.plan.root), {}, workspace, tuples)
            try:
                yield answer
            finally:
                await answer.close()
        finally:
            await dispatch.close()


@pytest.mark.parametrize("buckets", [0, 8])
async def test_every_row_comes_once(dispatcher: Dispatcher, segments: Segments, tmp_path: Path, buckets: int) -> None:
    source = numbers(tmp_path / "lake" / "n", buckets=buckets)
    assert sorted(await rows_of(opened_in_pieces(dispatcher, source, PIECE))) == EVERYTHING
    assert len(segments.attempts) >= PIECES - 8
    assert {segment for segment, task in segments.attempts if task.share % 3 == 1} == {1}
    assert segments.live_parts == 0


async def test_the_first_rows_wait_for_no_others(
    dispatcher: Dispatcher, segments: Segments, source: LakeSource
) -> None:
    """No piece after those of the first round comes to an end."""

    async def wait(segment: int, task: Task) -> None:
        if task.share >= 3:
            await asyncio.sleep(3600)

    segments.before = wait
    async with answering(opened_in_pieces(dispatcher, source, PIECE)) as answer:
        rows = 0
        async for batch in answer:
            rows += len(batch)
            if rows == 3 * PIECE:
                break
    assert segments.live_parts == 0 and segments.busy == 0


async def test_who_takes_no_rows_holds_the_segments_up(
    dispatcher: Dispatcher, segments: Segments, source: LakeSource
) -> None:
    async with answering(opened_in_pieces(dispatcher, source, PIECE)) as answer:
        await anext(aiter(answer))
        await asyncio.sleep(0.3)
        assert len(segments.attempts) == 6  # what is sent, and the next
        assert segments.live_parts <= 6
        assert dispatcher.admission.running == 0


@pytest.mark.parametrize("seed", range(4))
async def test_losses_change_nothing(segments: Segments, source: LakeSource, seed: int) -> None:
    dice = random.Random(seed)

    async def trouble(segment: int, task: Task) -> None:
        if dice.random() < 0.1:
            segments.kill(segment, with_parts=dice.random() < 0.5)
        elif dice.random() < 0.1:
            segments.lose_parts()

    segments.before = segments.during = trouble
    dispatcher = Dispatcher(segments, DispatchOptions(attempts=1000))
    assert sorted(await rows_of(opened_in_pieces(dispatcher, source, PIECE))) == EVERYTHING
    assert len(segments.attempts) > PIECES
    assert segments.live_parts == 0


async def test_parts_lost_before_they_are_sent_are_made_again(
    dispatcher: Dispatcher, segments: Segments, source: LakeSource
) -> None:
    rows = []
    async with answering(opened_in_pieces(dispatcher, source, PIECE)) as answer:
        async for batch in answer:
            rows += batch
            if segments.lose_parts():
                await asyncio.sleep(0.01)
    assert sorted(rows) == EVERYTHING


async def test_an_error_in_a_later_piece_ends_the_answer(
    dispatcher: Dispatcher, segments: Segments, source: LakeSource
) -> None:
    async def fail(segment: int, task: Task) -> None:
        if task.share == 10:
            raise MereError("division by zero", sqlstate="22012")

    segments.before = fail
    rows = 0
    with pytest.raises(MereError) as caught:
        async with answering(opened_in_pieces(dispatcher, source, PIECE)) as answer:
            async for batch in answer:
                rows += len(batch)
    assert caught.value.sqlstate == "22012"
    assert 0 < rows < ROWS
    assert segments.live_parts == 0 and segments.busy == 0


async def test_cancel_ends_the_answer(dispatcher: Dispatcher, segments: Segments, source: LakeSource) -> None:
    dispatch = opened_in_pieces(dispatcher, source, PIECE)
    with pytest.raises(QueryCanceled):
        async with answering(dispatch) as answer:
            async for _ in answer:
                dispatch.cancel()
    assert segments.live_parts == 0 and segments.busy == 0
