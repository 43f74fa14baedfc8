"""From the root's motions to the rows of the answer: the last query of a plan, on the coordinator's own engine.

Nothing leaves for the client before every slice has run, so that a loss until then costs time and nothing else. The
rows of the root's motions are loaded into temporary tables, which DuckDB spills, and the root runs over them. A large
answer that the root only passes on is not loaded whole: share by share it is loaded, sent, and let go. A share whose
parts are lost before it was loaded runs again, which is right since the others do not depend on it; where a re-run may
give other rows (see dispatch_graph) and some are with the client already, the statement fails instead.

Rows of a plain scan do not wait for the others (see pieces): while some pieces are sent, the next ones are read, one on
each segment and no more, so a client that takes its time holds up the segments and fills no memory. A piece counts as
sent when it is loaded here, so it never runs again, and its rows are sent once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Generic, TypeVar

import pyarrow as pa
from sqlglot import exp

from mere.errors import MereError
from mere.execute.compose import Body
from mere.execute.dispatch import Dispatch, root_inputs
from mere.execute.dispatch_graph import Unit
from mere.plan.nodes import Motion
from mere.runtime.base import Part, PartsLost
from mere.segment.task import Incoming, load_all
from mere.segment.workspace import Workspace
from mere.sql.lexer import quote_identifier

T = TypeVar("T")
_LOADED_WHOLE = 64 * 2**20  # bytes of a plain answer up to which sending it share by share saves nothing
_AHEAD = 4  # parts on their way to the coordinator at a time


class Answer(Generic[T]):
    """Batches, read once. `close` may be called at any point, but not while somebody waits for a batch."""

    def __init__(self, batches: AsyncIterator[T], close: Callable[[], Awaitable[None]]) -> None:
        self._batches = batches
        self.close = close

    def __aiter__(self) -> AsyncIterator[T]:
        return self._batches


async def open_answer(
    dispatch: Dispatch,
    body: Body,
    constants: Mapping[str, exp.Expression],
    workspace: Workspace,
    convert: Callable[[pa.RecordBatch], T],
) -> Answer[T]:
    """Runs the plan; returns the converted batches of its answer when the first of them is there.

    `body` is the root's query with the columns of the answer. The caller closes the answer, then dispatch and
    workspace.
    """
    text = body.text({}, constants)
    motions = [motion for motion in dispatch.plan.motions if motion.number in root_inputs(dispatch.plan)]
    if dispatch.in_pieces:
        by_piece = _by_piece(dispatch, motions[0], workspace, text, convert)
        return Answer(await _started(by_piece), by_piece.aclose)
    await dispatch.complete()
    if dispatch.plan.plain and len(motions) == 1 and _size(dispatch, motions[0]) > _LOADED_WHOLE:
        by_share = _by_share(dispatch, motions[0], workspace, text, convert)
        return Answer(await _started(by_share), by_share.aclose)
    await _load(dispatch, motions, workspace)
    await dispatch.close()
    stream = await workspace.stream_as(convert, text)
    return Answer(stream, stream.close)


async def load_answer(
    dispatch: Dispatch, body: Body, constants: Mapping[str, exp.Expression], workspace: Workspace
) -> str:
    """Runs the plan; returns the root's query, over rows that are in the workspace now."""
    motions = [motion for motion in dispatch.plan.motions if motion.number in root_inputs(dispatch.plan)]
    await dispatch.complete()
    await _load(dispatch, motions, workspace)
    return body.text({}, constants)


def _size(dispatch: Dispatch, motion: Motion) -> int:
    return sum(part.bytes for part in dispatch.graph.parts(motion.number))


async def _load(dispatch: Dispatch, motions: Sequence[Motion], workspace: Workspace) -> None:
    """The motions as tables, made again as often as it takes."""
    while True:
        try:
            for motion in motions:
                await _fill(dispatch, motion, dispatch.graph.parts(motion.number), workspace)
            return
        except PartsLost as lost:
            dispatch.lost(lost.parts)
            for motion in motions:
                await workspace.execute(f"DROP TABLE IF EXISTS {quote_identifier(motion.table)}")
            await dispatch.complete()


async def _fill(dispatch: Dispatch, motion: Motion, parts: Sequence[Part], workspace: Workspace) -> None:
    columns = tuple((column.name, column.duckdb_type) for column in motion.columns)
    async with aclosing(_fetched(dispatch, parts)) as arriving:
        await load_all(workspace, [Incoming(motion.table, columns, arriving)])


async def _fetched(dispatch: Dispatch, parts: Sequence[Part]) -> AsyncGenerator[pa.Table, None]:
    """The parts in their order, a few of them on their way."""
    waiting: list[asyncio.Task[pa.Table]] = []
    left = iter(parts)
    try:
        while True:
            while len(waiting) < _AHEAD and (part := next(left, None)) is not None:
                waiting.append(asyncio.ensure_future(dispatch.fetch(part)))
            if not waiting:
                return
            yield await waiting.pop(0)
    finally:
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.gather(*waiting, return_exceptions=True)


async def _by_share(
    dispatch: Dispatch,
    motion: Motion,
    workspace: Workspace,
    text: str,
    convert: Callable[[pa.RecordBatch], T],
) -> AsyncGenerator[T, None]:
    for unit in dispatch.graph.units(motion.sender):
        async with aclosing(_sent(dispatch, motion, unit, workspace, text, convert, dispatch.complete)) as batches:
            async for batch in batches:
                yield batch
    await dispatch.close()


async def _by_piece(
    dispatch: Dispatch,
    motion: Motion,
    workspace: Workspace,
    text: str,
    convert: Callable[[pa.RecordBatch], T],
) -> AsyncGenerator[T, None]:
    windows = dispatch.windows(motion.sender)
    ahead = asyncio.ensure_future(dispatch.complete(windows[0]))

    async def again() -> None:
        await ahead  # one at a time
        await dispatch.complete(window)

    try:
        for number, window in enumerate(windows):
            await ahead
            if number + 1 < len(windows):
                ahead = asyncio.ensure_future(dispatch.complete(windows[number + 1]))
            for unit in window:
                async with aclosing(_sent(dispatch, motion, unit, workspace, text, convert, again)) as batches:
                    async for batch in batches:
                        yield batch
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)
    await dispatch.close()


async def _sent(
    dispatch: Dispatch,
    motion: Motion,
    unit: Unit,
    workspace: Workspace,
    text: str,
    convert: Callable[[pa.RecordBatch], T],
    again: Callable[[], Awaitable[None]],
) -> AsyncGenerator[T, None]:
    """The rows of one share; `again` makes lost ones anew."""
    table = quote_identifier(motion.table)
    while parts := dispatch.graph.parts_of(unit):
        try:
            await _fill(dispatch, motion, parts, workspace)
            break
        except PartsLost as lost:
            await workspace.execute(f"DROP TABLE IF EXISTS {table}")
            _refuse_other_rows(dispatch, lost)
            dispatch.lost(lost.parts)
            await again()
    dispatch.release(dispatch.graph.take(unit))
    if not parts:
        return
    stream = await workspace.stream_as(convert, text)
    async with stream:
        async for batch in stream:
            yield batch
    await workspace.execute(f"DROP TABLE {table}")


def _refuse_other_rows(dispatch: Dispatch, lost: PartsLost) -> None:
    """The client has rows already that a second run would contradict."""
    if dispatch.graph.passed_on and not dispatch.repeatable:
        raise MereError(
            "a part of the answer was lost while it was sent",
            sqlstate="58000",
            hint="Run the statement again.",
        ) from lost


async def _started(batches: AsyncGenerator[T, None]) -> AsyncIterator[T]:
    """With the first batch already made, so that errors before it are raised here."""
    try:
        first = await anext(batches, None)
    except BaseException:
        await batches.aclose()
        raise
    return _chained(first, batches)


async def _chained(first: T | None, rest: AsyncIterator[T]) -> AsyncIterator[T]:
    if first is not None:
        yield first
        async for batch in rest:
            yield batch
