"""The segments of a Ray cluster: keeps as many up as are wanted, with spares beside them, and replaces what dies.

Lives in the coordinator process, on its event loop. Ray's own restarts and retries are off: what is lost is decided
here, at once, and the dispatcher decides what runs again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mere.runtime.base import SegmentLost, SegmentState
from mere.runtime.machine import fair_split
from mere.runtime.ray_keeper import Keeper
from mere.runtime.ray_process import Live, Node, Slot, answer, answer_in_time, kill_all, line_of, tells_of_memory
from mere.runtime.ray_segment import CONTROL, SegmentProcess
from mere.runtime.ray_settings import RaySettings, SegmentSettings
from mere.settings import available_cores

log = logging.getLogger(__name__)
T = TypeVar("T")

_PING_SECONDS = 0.5
_OPEN_SECONDS = 60.0
_VERDICT_SECONDS = 0.5
_AGAIN_SECONDS = 1.0  # between attempts to start a segment, doubled up to a minute
_NODES_SECONDS = 5.0

_OPTIONS: dict[str, Any] = {"max_restarts": 0, "max_task_retries": 0, "concurrency_groups": {CONTROL: 8}}
_SEGMENT: Any = ray.remote(**_OPTIONS)(SegmentProcess)
_KEEPER: Any = ray.remote(max_restarts=0, max_task_retries=0, num_cpus=0)(Keeper)


class Fleet:
    """`await open()` once Ray answers; `close()` at the end."""

    def __init__(
        self, settings: RaySettings, width: int | None, node_lost: Callable[[], None], gone: Callable[[], None]
    ) -> None:
        """`gone` is called when no node is left, and nobody else will bring one."""
        self._settings = settings
        self._wanted = width
        self._slots: list[Slot] = []
        self._spares: list[Live] = []
        self._nodes: dict[str, Node] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        self._pause = _AGAIN_SECONDS
        self._closed = False
        self._node_lost = node_lost
        self.lost_nodes: set[str] = set()
        self._gone = gone

    # What the runtime asks

    @property
    def width(self) -> int:
        return len(self._slots)

    def ready(self) -> list[int]:
        return [number for number, slot in enumerate(self._slots) if slot.live is not None]

    def at(self, segment: int) -> Live:
        live = self._slots[segment].live if segment < len(self._slots) else None
        if live is None:
            raise SegmentLost(segment, "it is down")
        return live

    async def running(self, segment: int) -> int:
        return int(await answer(self.at(segment).actor.ping.remote()))

    async def wait_ready(self, timeout: float) -> list[int]:
        """Empty when none came."""
        try:
            async with asyncio.timeout(timeout):
                while not self.ready():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return []
        return self.ready()

    def state(self) -> list[SegmentState]:
        lines = [self._line(number, slot) for number, slot in enumerate(self._slots)]
        spares = [
            SegmentState(len(lines) + number, spare.opened.host, spare.opened.pid, "spare", spare.started, 0)
            for number, spare in enumerate(self._spares)
        ]
        return lines + spares

    def _line(self, number: int, slot: Slot) -> SegmentState:
        restarts = max(slot.restarts, 0)
        if slot.live is None:
            status = "starting" if self._nodes else "down"
            return SegmentState(number, next(iter(self._hosts()), ""), None, status, None, restarts)
        opened = slot.live.opened
        return SegmentState(number, opened.host, opened.pid, "up", slot.live.started, restarts)

    def _hosts(self) -> list[str]:
        return [node.host for node in self._nodes.values()]

    # Its life

    async def open(self) -> None:
        await self._look_at_nodes()
        if not self._nodes:
            raise ConnectionError("the cluster has no node that could hold a segment")
        self._slots = [Slot() for _ in range(self._wanted or self._default_width())]
        self._spawn(self._keep_looking_at_nodes())
        self._fill()

    async def close(self) -> None:
        """Tells the processes to go; Ray ends them in any case when its driver leaves."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        actors = [live.actor for node in self._nodes.values() for live in node.lives]
        actors += [node.keeper for node in self._nodes.values()]
        await asyncio.to_thread(kill_all, actors)

    def resize(self, width: int) -> None:
        """Segments beyond the new width go when their last attempt has ended."""
        while len(self._slots) < width:
            self._slots.append(Slot())
        for slot in self._slots[width:]:
            if slot.live is not None:
                slot.live.begin()
                slot.live.retired = True
                self._spawn(self._retire(slot.live))
                slot.live.end()
        del self._slots[width:]
        self._fill()

    def give_up(self, live: Live, why: str, *, out_of_memory: bool = False) -> None:
        """Whatever ran there is lost; a spare takes its place at once. Also when it is only suspected: it is killed."""
        if live.lost.done():
            return
        live.lost.set_result(SegmentLost(live.number, why, out_of_memory=out_of_memory))
        if live.pinging is not None and live.pinging is not asyncio.current_task():
            live.pinging.cancel()
        node = self._nodes.get(live.opened.node)
        if node is not None:
            node.lives.discard(live)
            if not live.retired:
                self._send(node.keeper.kill, live.opened.pid, why)
        self._spawn(asyncio.to_thread(kill_all, [live.actor]))
        if live in self._spares:
            self._spares.remove(live)
        elif not live.retired and live.number >= 0:
            log.warning("segment %d (process %d) is lost: %s", live.number, live.opened.pid, why)
            self._slots[live.number].live = None
        self._fill()

    async def bury(self, live: Live, error: RayError) -> None:
        """Ray says that it is dead. The keeper knows better why, and is not long in telling."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(live.lost), _VERDICT_SECONDS)
        self.give_up(live, line_of(error), out_of_memory=tells_of_memory(error))

    # Filling places

    def _fill(self) -> None:
        """Spares take empty places; processes are started for what is still missing."""
        if self._closed:
            return
        for number, slot in enumerate(self._slots):
            if slot.live is None and self._spares:
                self._take_place(number, self._nearest_spare())
        missing = sum(slot.live is None for slot in self._slots)
        spare = not missing  # they wait, so that the segments are there sooner
        if spare:
            missing = self._settings.spares * len(self._nodes) - len(self._spares)
        opening = sum(node.opening for node in self._nodes.values())
        for _ in range(missing - opening):
            node = min(self._nodes.values(), key=lambda node: len(node.lives) + node.opening, default=None)
            if node is not None:
                node.opening += 1
                self._spawn(self._open_segment(node, spare=spare))
        self._changed.set()

    def _nearest_spare(self) -> Live:
        """Of the node that has the fewest segments."""
        busy = {node.id: sum(live.number >= 0 for live in node.lives) for node in self._nodes.values()}
        spare = min(self._spares, key=lambda spare: busy.get(spare.opened.node, 0))
        self._spares.remove(spare)
        return spare

    def _take_place(self, number: int, live: Live) -> None:
        live.number = number
        self._slots[number].live = live
        self._slots[number].restarts += 1
        self._changed.set()

    async def _open_segment(self, node: Node, *, spare: bool) -> None:
        """A new process; it becomes a segment where one is missing, else a spare."""
        try:
            live = await self._started(node, spare=spare)
        except (RayError, TimeoutError, ValueError) as error:
            node.opening -= 1
            log.warning("a segment on %s does not start: %s", node.host, line_of(error))
            pause, self._pause = self._pause, min(2 * self._pause, 60.0)
            await asyncio.sleep(pause)
            self._fill()
            return
        node.opening -= 1
        self._pause = _AGAIN_SECONDS
        node.lives.add(live)
        live.pinging = self._spawn(self._ping(live, node))
        empty = [number for number, slot in enumerate(self._slots) if slot.live is None]
        if empty:
            self._take_place(empty[0], live)
        else:
            self._spares.append(live)
        self._fill()

    async def _started(self, node: Node, *, spare: bool) -> Live:
        """On a cluster that others use too, a segment asks for its cores; a spare has none until it is needed."""
        strategy = NodeAffinitySchedulingStrategy(node.id, soft=False)
        cpus = 0 if spare or self._settings.address is None else self._segment_settings(node).threads
        actor = await asyncio.to_thread(_SEGMENT.options(num_cpus=cpus, scheduling_strategy=strategy).remote)
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                opened = await answer(actor.open.remote(self._segment_settings(node)))
                await answer(node.keeper.watch.remote(opened.pid, self._directory() / f"segment-{opened.pid}"))
        except BaseException:
            self._spawn(asyncio.to_thread(kill_all, [actor]))
            raise
        lost: asyncio.Future[SegmentLost] = asyncio.get_running_loop().create_future()
        return Live(actor, opened, lost, datetime.now(UTC))

    async def _retire(self, live: Live) -> None:
        await live.idle.wait()
        self.give_up(live, "it is no longer wanted")

    # Signs of life

    async def _ping(self, live: Live, node: Node) -> None:
        """A live process on a busy machine may be slow to answer; one that is silent for long does not live."""
        while True:
            try:
                await answer_in_time(live.actor.ping.remote(), self._settings.timeout)
            except TimeoutError:
                self.give_up(live, f"it did not answer for {self._settings.timeout:g} s")
                return
            except RayError as error:
                await self.bury(live, error)
                return
            await asyncio.sleep(_PING_SECONDS)

    async def _watch(self, node: Node) -> None:
        """The keeper's news. A node whose keeper is silent is lost, and all that lies there."""
        patience = _OPEN_SECONDS  # it may still be starting
        while True:
            try:
                deaths = await answer_in_time(node.keeper.deaths.remote(), patience)
                patience = self._settings.timeout
            except TimeoutError:
                self._lose_node(node, f"its node did not answer for {patience:g} s")
                return
            except RayError:
                if not await self._new_keeper(node):
                    self._lose_node(node, "its node is gone")
                    return
                continue
            for death in deaths:
                for live in [live for live in node.lives if live.opened.pid == death.pid]:
                    self.give_up(live, death.why, out_of_memory=death.out_of_memory)

    async def _new_keeper(self, node: Node) -> bool:
        """After the keeper's own death; False if the node is gone with it."""
        strategy = NodeAffinitySchedulingStrategy(node.id, soft=False)
        node.keeper = await asyncio.to_thread(_KEEPER.options(scheduling_strategy=strategy).remote)
        try:
            async with asyncio.timeout(self._settings.timeout):
                for live in list(node.lives):
                    pid = live.opened.pid
                    await answer(node.keeper.watch.remote(pid, self._directory() / f"segment-{pid}"))
                await answer(node.keeper.deaths.remote())
        except (RayError, TimeoutError):
            return False
        return True

    # Nodes

    async def _keep_looking_at_nodes(self) -> None:
        while True:
            await asyncio.sleep(_NODES_SECONDS)
            await self._look_at_nodes()
            self._fill()

    async def _look_at_nodes(self) -> None:
        for found in await asyncio.to_thread(ray.nodes):
            resources = found.get("Resources", {})
            known = found["NodeID"] in self._nodes
            if not found["Alive"] or known or not resources.get("CPU"):
                continue
            strategy = NodeAffinitySchedulingStrategy(found["NodeID"], soft=False)
            keeper = await asyncio.to_thread(_KEEPER.options(scheduling_strategy=strategy).remote)
            node = Node(
                found["NodeID"], found["NodeManagerHostname"], resources["CPU"], resources.get("memory", 0), keeper
            )
            self._nodes[node.id] = node
            self.lost_nodes.discard(node.id)
            node.watching = self._spawn(self._watch(node))

    def _lose_node(self, node: Node, why: str) -> None:
        log.warning("the node %s is lost: %s", node.host, why)
        self._nodes.pop(node.id, None)
        self.lost_nodes.add(node.id)
        for live in list(node.lives):
            self.give_up(live, why)
        self._node_lost()
        if not self._nodes and self._settings.address is None:
            self._gone()

    # Sizes

    def _default_width(self) -> int:
        threads = self._settings.threads
        if threads is None:
            return len(self._nodes)
        return max(1, sum(int(node.cpus) // threads for node in self._nodes.values()))

    def _segment_settings(self, node: Node) -> SegmentSettings:
        """On a machine of our own a fair part of it; on a cluster's node what Ray has to give there."""
        settings = self._settings
        here = max(1, -(-self.width // max(1, len(self._nodes))))
        threads, memory = settings.threads, settings.memory
        if settings.address is None:
            split = fair_split(here, available_cores())
            threads, memory = threads or split.segment_threads, memory or split.segment
        else:
            threads = threads or max(1, int(node.cpus) // here)
            memory = memory or max(2**27, int(node.memory * 0.6) // here)
        return SegmentSettings(self._directory(), settings.locations, threads, memory, settings.environment)

    def _directory(self) -> Path:
        return self._settings.temporary / "segments"

    # Tasks of its own

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the care for segments failed: %s", error, exc_info=error)

    def _send(self, method: Any, *arguments: object) -> None:
        method.remote(*arguments)
