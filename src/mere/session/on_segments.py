"""Statements that change tables, with the segments at work: they read, and where they can they write too.

Lives in the coordinator process. Owns the choice; what is not worth it, or not possible, runs on the coordinator's own
engine as it does without segments.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

from sqlglot import exp

from mere.execute.answer import load_answer
from mere.execute.compose import Body
from mere.execute.dispatch import Dispatch, root_inputs
from mere.execute.dispatch_tasks import Store
from mere.execute.distributed import (
    Brought,
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
from mere.execute.removing import RemovalPlan, losing_files, removal_plan, removal_stores
from mere.execute.scans import LakeView
from mere.lake.files import TableFiles
from mere.lake.message import NewFile
from mere.plan.nodes import DistributedPlan
from mere.plan.planner import plan
from mere.runtime.base import Part
from mere.segment.deletes import LosingFile, Lost, file_table, read_lost
from mere.segment.task import Change
from mere.segment.workspace import Workspace
from mere.segment.write import WriteTarget
from mere.session.postgres_rows import PostgresRows
from mere.session.state import SessionState
from mere.sql.bind.bound import BoundSelect

Arrange: TypeAlias = Callable[[DistributedPlan], tuple[DistributedPlan, tuple[Store, ...]]]


def _as_planned(plan_: DistributedPlan) -> tuple[DistributedPlan, tuple[Store, ...]]:
    return plan_, ()


@dataclass(frozen=True, slots=True)
class Removed:
    """What a statement has done to the table's `files`, by their numbers in `losing`: which of them lost rows, which
    data files were `written`, and how many rows it changed."""

    files: TableFiles
    losing: Sequence[LosingFile]
    lost: Sequence[Lost]
    written: tuple[NewFile, ...]
    count: int


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


async def removed(
    state: SessionState,
    view: LakeView,
    query: BoundSelect,
    workspace: Workspace,
    prefix: str,
    change: Change | None = None,
    *,
    once: bool = False,
) -> Removed | None:
    """The segments find the rows and write the delete files of those that have positions, and the data files of
    `change`. `prefix` is the table's, `once` as in segment.task.Removal. None where the coordinator has to do it."""
    opened = await _opened(state, view, query, workspace)
    if opened is None:
        return None
    (source,) = (source for source in opened.sources.values() if source.scan.row_identity)
    runtime = state.services.dispatcher.runtime
    files = losing_files(source.files)
    part = await runtime.put(file_table(files))
    found: list[RemovalPlan] = []

    def arrange(plan_: DistributedPlan) -> tuple[DistributedPlan, tuple[Store, ...]]:
        removal = removal_plan(plan_)
        if removal is None:
            return plan_, ()
        found.append(removal)
        return removal.plan, removal_stores(removal, prefix, part, change, once)

    _, dispatch = await start_query(state, view, query, PlanMemory(), opened, workspace, arrange, [part])
    try:
        if not found:
            return None
        await load_answer(dispatch, Body(dispatch.plan.root), opened.constants, workspace)
        lost, count = await read_lost(workspace, found[0].lost.table)
        await workspace.execute(f"DROP TABLE {found[0].lost.table}")
        return Removed(source.files, files, lost, dispatch.files(found[0].finds), count)
    finally:
        await dispatch.close()


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
    opened = await _opened(state, view, query, workspace)
    if opened is None:
        yield None
        return

    def arrange(plan_: DistributedPlan) -> tuple[DistributedPlan, tuple[Store, ...]]:
        return plan_, (store(_sender(plan_)),) if store is not None and plan_.plain else ()

    _, dispatch = await start_query(state, view, query, PlanMemory(), opened, workspace, arrange)
    try:
        yield Started(dispatch, opened.constants)
    finally:
        await dispatch.close()


async def _opened(state: SessionState, view: LakeView, query: BoundSelect, workspace: Workspace) -> Opened | None:
    """The query with its tables, if it is one for the segments."""
    dispatcher = state.services.dispatcher
    if not may_distribute(query, dispatcher):
        return None
    opened = await open_query(query, view, PostgresRows(state.backend), workspace)
    return opened if opened.rows >= dispatcher.options.rows else None


async def start_query(
    state: SessionState,
    view: LakeView,
    query: BoundSelect,
    memory: PlanMemory,
    opened: Opened,
    workspace: Workspace,
    arrange: Arrange = _as_planned,
    parts: Sequence[Part] = (),
    *,
    pieces: bool = False,
) -> tuple[Planned, Dispatch]:
    """The plan, and its run on the segments, not begun yet; the caller closes that, and with it go the `parts`.
    `pieces` as in `open_dispatch`."""
    dispatcher = state.services.dispatcher
    brought = Brought(parts=list(parts))
    try:
        await bring_postgres_rows(brought, query, opened.constants, PostgresRows(state.backend), workspace, dispatcher)
        planned = await plan_query(query, opened, view, brought.rows, workspace, dispatcher, memory)
        arranged, stores = arrange(planned.plan)
        planned = planned if arranged is planned.plan else replace(planned, plan=arranged)
        return planned, await state.distribute(planned, opened, view, brought, stores, pieces)
    except BaseException:
        dispatcher.runtime.release(brought.parts)
        raise


def _sender(plan_: DistributedPlan) -> int:
    """The slice whose rows a plain root passes on."""
    (number,) = root_inputs(plan_)
    return next(motion.sender for motion in plan_.motions if motion.number == number)
