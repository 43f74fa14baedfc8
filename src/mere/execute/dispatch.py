"""The dispatcher: runs the slices of a plan on the segments, and survives the loss of any of them. Coordinator process.

A slice starts when its inputs are complete; slices that do not wait for each other run side by side. An attempt reads
immutable files and named parts and leaves new parts, so it can run again on any segment: when a segment dies, its
attempts start again elsewhere; when parts are lost, the units that made them become due again (see dispatch_graph).
How often is bounded, so that a statement that kills every segment it touches ends with an error, not with the service.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from mere.errors import MereError, QueryCanceled
from mere.execute.admission import Admission
from mere.execute.compose import Body
from mere.execute.dispatch_graph import Changes, Graph, Unit
from mere.execute.dispatch_tasks import Scans, Store, Tasks, TaskSource
from mere.execute.shares import ROW_GROUP
from mere.execute.stable import is_stable
from mere.lake.message import NewFile
from mere.plan.nodes import DistributedPlan
from mere.runtime.base import Part, PartsLost, Result, Runtime, SegmentLost

_OUT_OF_MEMORY_TRIES = 2  # a second segment that dies of the same work is no coincidence
_MOST_HINDERED = 4  # times as many attempts as may lose their segment
_BREATH = 0.05  # seconds before the same segment is asked again, when there is no other


@dataclass(frozen=True, slots=True)
class DispatchOptions:
    """`rows`: a query that reads fewer stays on the coordinator; `read_everywhere_rows`: a scan of no more is read by
    every segment. `piece_rows`: what a large answer is read by (see pieces). `attempts` of one slice over one share.
    `patience`: seconds to wait for any segment to answer. `running` and `waiting`: statements at a time."""

    rows: int = 100_000
    read_everywhere_rows: int = 50_000
    piece_rows: int = 4 * ROW_GROUP
    attempts: int = 4
    patience: float = 30.0
    running: int = 8
    waiting: int = 256


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a task, for EXPLAIN ANALYZE. `lost` says why there is no result."""

    unit: Unit
    segment: int
    result: Result | None
    lost: str | None = None


@dataclass(slots=True)
class Report:
    """`waited` is the time in the queue."""

    attempts: list[Attempt] = field(default_factory=list)
    waited: float = 0.0


class Dispatcher:
    """One per process: what all statements share."""

    def __init__(self, runtime: Runtime, options: DispatchOptions = DispatchOptions()) -> None:
        self.runtime = runtime
        self.options = options
        self.admission = Admission(options.running, options.waiting)
        self.busy: Counter[int] = Counter()  # tasks that run, by segment
        self._numbers = itertools.count(1)

    def open(
        self,
        plan: DistributedPlan,
        scans: Scans,
        constants: Mapping[str, exp.Expression],
        bodies: dict[int, Body] | None = None,
        own_parts: Sequence[Part] = (),
        stores: Sequence[Store] = (),
        width: int | None = None,
    ) -> Dispatch:
        """`own_parts` are the coordinator's, which the statement brings along; they are released with it. `width`: the
        shares that the scans are divided into, where they are more than the segments."""
        tasks = Tasks(f"s{next(self._numbers)}", plan, scans, constants, bodies, stores)
        return Dispatch(self, plan, tasks, own_parts, width)

    def open_tasks(self, plan: DistributedPlan, tasks: TaskSource) -> Dispatch:
        """A plan whose tasks are not made of scans."""
        return Dispatch(self, plan, tasks, ())

    async def choose(self, share: int, avoid: set[int], anywhere: bool) -> int:
        """A segment for a share: always the same one for a share of a scan while it lives, since it has the files in
        its cache; the least busy one for what can run `anywhere`."""
        ready = self.runtime.ready()
        if not ready:
            ready = await self.runtime.wait_ready(self.options.patience)
        others = [segment for segment in ready if segment not in avoid]
        if not others:
            await asyncio.sleep(_BREATH)
            others = list(await self.runtime.wait_ready(self.options.patience))
        if anywhere or avoid:
            return min(others, key=lambda segment: (self.busy[segment], segment))
        return others[share % len(others)]


class Dispatch:
    """One statement's run. `complete`, then read the parts of the root's motions; `close` in any case."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        plan: DistributedPlan,
        tasks: TaskSource,
        own_parts: Sequence[Part],
        width: int | None = None,
    ) -> None:
        self.plan = plan
        self.in_pieces = width is not None and width > plan.segments
        self.report = Report()
        self._stable = frozenset(slice_.number for slice_ in plan.slices if is_stable(slice_.tree))
        self._alone = frozenset(s.number for s in plan.slices if len(s.inputs) and not s.scans)
        self.graph = Graph(plan, root_inputs(plan), self._stable, tasks.idle, width)
        self._dispatcher = dispatcher
        self.runtime = dispatcher.runtime
        self._tasks = tasks
        self._own_parts = tuple(own_parts)
        self._attempts: Counter[Unit] = Counter()
        self._losses: defaultdict[Unit, list[SegmentLost]] = defaultdict(list)
        self._gone: Counter[Unit] = Counter()  # outputs that were lost after they were made
        self._hindered: Counter[Unit] = Counter()  # attempts that found their input gone
        self._running: dict[asyncio.Task[Result], Unit] = {}
        self._abandoned: set[asyncio.Task[Result]] = set()
        self._driver: asyncio.Task[object] | None = None
        self._canceled = False
        self._closed = False

    @property
    def repeatable(self) -> bool:
        """Whether every slice gives the same rows whenever it runs."""
        return len(self._stable) == len(self.plan.slices)

    async def complete(self, units: Sequence[Unit] | None = None) -> None:
        """Returns when everything that the root reads is there, or of a dispatch in pieces these `units`. Waits for its
        turn first. Not to be called twice at a time."""
        self._check()
        if self._has(units):
            return
        self._driver = asyncio.current_task()
        started = asyncio.get_running_loop().time()
        try:
            async with self._dispatcher.admission.turn(begun=self.graph.passed_on):
                self.report.waited += asyncio.get_running_loop().time() - started
                await self._drive(units)
        except asyncio.CancelledError:
            if self._canceled and self._driver is not None and self._driver.uncancel() == 0:
                self._check()
            raise
        finally:
            self._driver = None

    def windows(self, slice_: int) -> list[list[Unit]]:
        """The pieces of the slice that run side by side: one on each segment."""
        units = self.graph.units(slice_)
        return [units[first : first + self.plan.segments] for first in range(0, len(units), self.plan.segments)]

    def files(self, slice_: int) -> tuple[NewFile, ...]:
        """What the slice has written, once everything is complete."""
        return tuple(file for unit in self.graph.units(slice_) for file in self.graph.written(unit))

    def cancel(self) -> None:
        """Ends the statement with QueryCanceled wherever it is. Callable from the event loop at any time."""
        if not self._canceled:
            self._canceled = True
            if self._driver is not None:
                self._driver.cancel()

    async def fetch(self, part: Part) -> pa.Table:
        """Rows at the coordinator. Raises PartsLost, after which `lost` and `complete` make them again."""
        self._check()
        return await self.runtime.fetch(part)

    def lost(self, parts: Sequence[Part]) -> None:
        """The units that made these parts are due again."""
        unknown = [part for part in parts if not self.graph.knows(part)]
        if unknown and all(part in self._own_parts for part in unknown):
            raise MereError("rows of the coordinator were lost on their way to the segments", sqlstate="58000")
        for unit in self.graph.makers(parts):
            self._gone[unit] += 1
            if self._gone[unit] >= self._dispatcher.options.attempts:
                raise MereError(
                    f"the output of slice {unit[0]} was lost {self._gone[unit]} times",
                    sqlstate="58000",
                    detail="Nodes of the cluster that held it went away.",
                )
        self._apply(self.graph.lost(parts))

    async def close(self) -> None:
        """Stops what still runs and releases every part. May be called twice."""
        self._closed = True
        await self._stop()
        self.runtime.release([*self.graph.everything(), *self._own_parts])
        self._own_parts = ()

    def release(self, parts: Sequence[Part]) -> None:
        if parts:
            self.runtime.release(parts)

    # The loop

    def _has(self, units: Sequence[Unit] | None) -> bool:
        return self.graph.complete if units is None else self.graph.has(units)

    async def _drive(self, units: Sequence[Unit] | None) -> None:
        try:
            while True:
                for unit in self.graph.due():
                    if units is None or unit in units:
                        self._start(unit)
                if self._has(units):
                    return
                done, _ = await asyncio.wait([*self._running, *self._abandoned], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._settle(task)
        finally:
            await self._stop()

    def _start(self, unit: Unit) -> None:
        self.graph.start(unit)
        self._running[asyncio.ensure_future(self._run(unit))] = unit

    def _settle(self, task: asyncio.Task[Result]) -> None:
        """Takes in what became of a unit. Raises what the statement did wrong."""
        unit = self._running.pop(task, None)
        if unit is None:
            self._abandoned.discard(task)
            self._release_late(task)
            return
        try:
            result = task.result()
        except PartsLost as lost:
            self.graph.stopped(unit)
            self._hindered[unit] += 1
            if self._hindered[unit] > _MOST_HINDERED * self._dispatcher.options.attempts:
                raise MereError(f"the input of slice {unit[0]} is lost again and again", sqlstate="58000") from lost
            self.lost(lost.parts)
        else:
            self.release(self.graph.finish(unit, result))

    def _apply(self, changes: Changes) -> None:
        for task, unit in list(self._running.items()):
            if unit in changes.stop:
                del self._running[task]
                self._abandoned.add(task)
                task.cancel()
        self.release(changes.release)

    async def _stop(self) -> None:
        """Ends every attempt, and waits for it: nothing of the statement may run after it."""
        tasks = [*self._running, *self._abandoned]
        for unit in self._running.values():
            self.graph.stopped(unit)
        self._running, self._abandoned = {}, set()
        for task in tasks:
            task.cancel()
        while pending := [task for task in tasks if not task.done()]:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError:
                continue  # whoever asked is told soon enough: the tasks end within a second
        for task in tasks:
            self._release_late(task)

    def _release_late(self, task: asyncio.Task[Result]) -> None:
        """The result of an attempt that nobody waits for any more."""
        if not task.cancelled() and task.exception() is None:
            self.release(task.result().parts)

    # One unit

    async def _run(self, unit: Unit) -> Result:
        """Attempts until one succeeds. Raises the statement's own error, PartsLost, or that there were too many."""
        avoid: set[int] = set()
        while True:
            segment = await self._dispatcher.choose(unit[1], avoid, unit[0] in self._alone)
            if not self.graph.ready(unit):
                raise PartsLost(())  # while it waited; it is due again when they are back
            self._attempts[unit] += 1
            task = self._tasks.task(*unit, self._attempts[unit], self.graph.inputs(unit))
            self._dispatcher.busy[segment] += 1
            try:
                result = await self.runtime.run(segment, task)
            except SegmentLost as lost:
                self.report.attempts.append(Attempt(unit, segment, None, str(lost)))
                self._note_loss(unit, lost)
                avoid.add(segment)
            except PartsLost as lost:
                self.report.attempts.append(Attempt(unit, segment, None, str(lost)))
                raise
            else:
                self.report.attempts.append(Attempt(unit, segment, result))
                return result
            finally:
                self._dispatcher.busy[segment] -= 1

    def _note_loss(self, unit: Unit, lost: SegmentLost) -> None:
        losses = self._losses[unit]
        losses.append(lost)
        starved = sum(loss.out_of_memory for loss in losses)
        if starved >= _OUT_OF_MEMORY_TRIES:
            raise MereError(
                "out of memory",
                sqlstate="53200",
                detail=f"Slice {unit[0]} ended {starved} segments for want of memory.",
                hint="Raise the memory of the segments, or let the query hold less at once.",
            ) from lost
        if len(losses) >= self._dispatcher.options.attempts:
            raise MereError(
                f"slice {unit[0]} lost its segment {len(losses)} times",
                sqlstate="58000",
                detail="; ".join(dict.fromkeys(str(loss) for loss in losses)),
            ) from lost

    def _check(self) -> None:
        if self._canceled:
            raise QueryCanceled("canceling statement due to user request")


def root_inputs(plan: DistributedPlan) -> list[int]:
    """The motions that the root reads."""
    named = {table.name for table in plan.root.tree.find_all(exp.Table)}
    return [motion.number for motion in plan.motions if motion.table in named]
