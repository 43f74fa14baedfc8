"""Statements that change tables, with the segments at work: they read, and where they can they write too.

Lives in the coordinator process. Owns the choice; what is not worth it, or not possible, runs on the coordinator's own
engine as it does without segments.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlglot import exp

from mere.execute.answer import load_answer, load_left
from mere.execute.compose import Body
from mere.execute.dispatch import Dispatch, root_inputs
from mere.execute.dispatch_tasks import Store
from mere.execute.distributed import (
    Constants,
    Opened,
    PlanMemory,
    Planned,
    bring_postgres_rows,
    may_distribute,
    open_query,
    plan_query,
)
from mere.execute.query import slice_text
from mere.execute.scans import LakeView
from mere.lake.message import NewFile
from mere.plan.nodes import DistributedPlan
from mere.plan.planner import plan
from mere.segment.task import Change
from mere.segment.workspace import Workspace
from mere.segment.write import WriteTarget
from mere.session.postgres_rows import PostgresRows
from mere.session.state import SessionState
from mere.sql.bind.bound import ROWS, BoundSelect


@dataclass(frozen=True, slots=True)
class Started:
    """A query on the segments."""

    dispatch: Dispatch
    constants: Constants

    @property
    def plan(self) -> DistributedPlan:
        return self.dispatch.plan


async def source_text(
    state: SessionState,
    view: LakeView,
    query: BoundSelect,
    workspace: Workspace,
    outputs: Sequence[exp.Expression] | None = None,
) -> str:
    """The query of a statement's rows for the coordinator's engine. What segments have to do for it is done, and the
    rows that they found are in the workspace. `outputs` are expressions over its columns; None: the columns."""
    async with started(state, view, query, workspace) as run:
        if run is not None:
            return await load_answer(run.dispatch, Body(run.plan.root, outputs), run.constants, workspace)
    return await slice_text(plan(query).root, view, PostgresRows(state.backend), workspace, outputs)


async def written(
    state: SessionState,
    view: LakeView,
    query: BoundSelect,
    workspace: Workspace,
    target: WriteTarget,
    rows: Callable[[str], str],
) -> tuple[NewFile, ...] | str:
    """The files that the segments have written: each its share of what `rows` makes of the query's text. Or that text
    for the coordinator's engine, where it has to write: see `source_text`."""
    async with started(state, view, query, workspace, lambda sender: Store(sender, target, rows)) as run:
        if run is not None and run.plan.plain:
            await run.dispatch.complete()
            return run.dispatch.files(_sender(run.plan))
        if run is not None:
            return await load_answer(run.dispatch, Body(run.plan.root), run.constants, workspace)
    return await slice_text(plan(query).root, view, PostgresRows(state.backend), workspace)


async def changed(
    state: SessionState,
    view: LakeView,
    query: BoundSelect,
    workspace: Workspace,
    change: Change,
    left: tuple[tuple[str, str], ...],
) -> tuple[tuple[NewFile, ...], int] | None:
    """The files that the segments have written, and how many rows they left: these are in the workspace's table
    `mere_rows`, of columns `left`. None where the coordinator's engine has to do it."""
    async with started(state, view, query, workspace, lambda sender: Store(sender, change, _same)) as run:
        if run is None or not run.plan.plain:
            return None
        sender = _sender(run.plan)
        count = await load_left(run.dispatch, sender, ROWS, left, workspace)
        return run.dispatch.files(sender), count


@asynccontextmanager
async def started(
    state: SessionState,
    view: LakeView,
    query: BoundSelect,
    workspace: Workspace,
    store: Callable[[int], Store] | None = None,
) -> AsyncIterator[Started | None]:
    """The query on the segments, not begun yet; None when it is none for them. `store` is used where the root only
    passes on what one slice gives; that slice's number is its argument."""
    dispatcher, postgres = state.services.dispatcher, PostgresRows(state.backend)
    opened = await open_query(query, view, postgres, workspace) if may_distribute(query, dispatcher) else None
    if opened is None or opened.rows < dispatcher.options.rows:
        yield None
        return
    _, dispatch = await start_query(state, view, query, PlanMemory(), opened, workspace, store)
    try:
        yield Started(dispatch, opened.constants)
    finally:
        await dispatch.close()


async def start_query(
    state: SessionState,
    view: LakeView,
    query: BoundSelect,
    memory: PlanMemory,
    opened: Opened,
    workspace: Workspace,
    store: Callable[[int], Store] | None = None,
) -> tuple[Planned, Dispatch]:
    """The plan, and its run on the segments, not begun yet; the caller closes that. `store` as in `started`."""
    dispatcher = state.services.dispatcher
    brought = await bring_postgres_rows(query, opened.constants, PostgresRows(state.backend), workspace, dispatcher)
    try:
        planned = await plan_query(query, opened, view, brought.rows, workspace, dispatcher, memory)
        stored = store(_sender(planned.plan)) if store is not None and planned.plan.plain else None
        return planned, await state.distribute(planned, opened, view, brought, stored)
    except BaseException:
        dispatcher.runtime.release(brought.parts)
        raise


def _sender(plan_: DistributedPlan) -> int:
    """The slice whose rows a plain root passes on."""
    (number,) = root_inputs(plan_)
    return next(motion.sender for motion in plan_.motions if motion.number == number)


def _same(text: str) -> str:
    return text
