"""The segments of a Ray cluster: keeps as many up as are wanted, with spares beside them, and replaces what dies.

Lives in the coordinator process, on its event loop. Ray's own restarts and retries are off: what is lost is decided
here, at once, and the dispatcher decides what runs again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mere.options import available_cores
from mere.runtime.base import SegmentLost, SegmentState
from mere.runtime.machine import fair_split
from mere.runtime.ray_keeper import Death
from mere.runtime.ray_nodes import START_SECONDS, Nodes
from mere.runtime.ray_process import (
    Chores,
    Live,
    Node,
    Slot,
    answer,
    answer_in_time,
    in_thread,
    kill_all,
    line_of,
    tells_of_memory,
)
from mere.runtime.ray_segment import CONTROL, SegmentProcess
from mere.runtime.ray_settings import RaySettings, SegmentSettings

log = logging.getLogger(__name__)

_PING_SECONDS = 0.5
_VERDICT_SECONDS = 0.5
_AGAIN_SECONDS = 1.0  # between attempts to start a segment, doubled up to a minute
_CLOSE_SECONDS = 2.0

_OPTIONS: dict[str, Any] = {"max_restarts": 0, "max_task_retries": 0, "concurrency_groups": {CONTROL: 8}}
_SEGMENT: Any = ray.remote(**_OPTIONS)(SegmentProcess)


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told of what: segments came or went; a node is lost (its id), and what lies there; Ray's head is away, or
    no node is left, and nobody else will bring one."""

    changed: Callable[[], None]
    node_lost: Callable[[str], None]
    gone: Callable[[], None]


class Fleet:
    """`await open()` once Ray answers; `close()` at the end."""

    def __init__(self, settings: RaySettings, width: int | None, told: Told) -> None:
        self._settings = settings
        self._wanted = width
        self._told = told
        self._slots: list[Slot] = []
        self._spares: list[Live] = []
        self._chores = Chores()
        self._nodes = Nodes(settings.timeout, self._directory(), self._chores, self)
        self._pause = _AGAIN_SECONDS
        self._closed = False

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
            status = "starting" if self._nodes.all else "down"
            return SegmentState(number, next(iter(self._hosts()), ""), None, status, None, restarts)
        opened = slot.live.opened
        return SegmentState(number, opened.host, opened.pid, "up", slot.live.started, restarts)

    def _hosts(self) -> list[str]:
        return [node.host for node in self._nodes.all.values()]

    # Its life

    async def open(self) -> None:
        await self._nodes.open()
        if not self._nodes.all:
            self._chores.cancel()
            raise ConnectionError("the cluster has no node that could hold a segment")
        self._slots = [Slot() for _ in range(self._wanted or self._default_width())]
        self._fill()

    async def close(self) -> None:
        """Whoever waits for a segment is told. Tells the processes to go; Ray ends them in any case when its driver
        leaves, and cannot be told anything while its head is away."""
        self._closed = True
        self._chores.cancel()
        lives = [live for node in self._nodes.all.values() for live in node.lives]
        for live in lives:
            if not live.lost.done():
                live.lost.set_result(SegmentLost(live.number, "Ray has ended"))
        actors = [live.actor for live in lives] + [node.keeper for node in self._nodes.all.values()]
        with suppress(TimeoutError, RayError):
            await asyncio.wait_for(in_thread(kill_all, actors), _CLOSE_SECONDS)

    def resize(self, width: int) -> None:
        """Segments beyond the new width go when their last attempt has ended."""
        while len(self._slots) < width:
            self._slots.append(Slot())
        for slot in self._slots[width:]:
            if slot.live is not None:
                self._retire(slot.live)
        del self._slots[width:]
        self._fill()

    def give_up(self, live: Live, why: str, *, out_of_memory: bool = False) -> None:
        """Whatever ran there is lost; a spare takes its place at once. Also when it is only suspected: it is killed."""
        if live.lost.done():
            return
        live.lost.set_result(SegmentLost(live.number, why, out_of_memory=out_of_memory))
        if live.pinging is not None and live.pinging is not asyncio.current_task():
            live.pinging.cancel()
        node = self._nodes.all.get(live.opened.node)
        if node is not None:
            node.lives.discard(live)
            if not live.retired:
                node.keeper.kill.remote(live.opened.pid, why)
        self._chores.spawn(in_thread(kill_all, [live.actor]))
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
            self._even_out()
            missing = self._settings.spares * len(self._nodes.all) - len(self._spares)
        opening = sum(node.opening for node in self._nodes.all.values())
        for _ in range(missing - opening):
            node = min(self._nodes.all.values(), key=lambda node: len(node.lives) + node.opening, default=None)
            if node is not None:
                node.opening += 1
                self._chores.spawn(self._open_segment(node, spare=spare))
        self._told.changed()

    def _even_out(self) -> None:
        """A node that came later, or came back, takes over a segment of one that has two more."""
        for spare in list(self._spares):
            fullest = max(self._nodes.all, key=self._segments_on)
            if self._segments_on(fullest) >= self._segments_on(spare.opened.node) + 2:
                leaving = next(slot.live for slot in self._slots if slot.live and slot.live.opened.node == fullest)
                self._spares.remove(spare)
                self._retire(leaving)
                self._take_place(leaving.number, spare)

    def _segments_on(self, node: str) -> int:
        return sum(slot.live is not None and slot.live.opened.node == node for slot in self._slots)

    def _nearest_spare(self) -> Live:
        """Of the node that has the fewest segments."""
        spare = min(self._spares, key=lambda spare: self._segments_on(spare.opened.node))
        self._spares.remove(spare)
        return spare

    def _take_place(self, number: int, live: Live) -> None:
        live.number = number
        self._slots[number].live = live
        self._slots[number].restarts += 1
        self._told.changed()

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
        if (
            self._nodes.all.get(node.id) is not node
        ):  # lost meanwhile, and perhaps back; this one is unknown to its keeper
            await in_thread(kill_all, [live.actor])
            return
        node.lives.add(live)
        live.pinging = self._chores.spawn(self._ping(live, node))
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
        actors: list[Any] = []
        try:
            async with asyncio.timeout(START_SECONDS):
                actor = await in_thread(_SEGMENT.options(num_cpus=cpus, scheduling_strategy=strategy).remote)
                actors.append(actor)
                opened = await answer(actor.open.remote(self._segment_settings(node)))
                await answer(node.keeper.watch.remote(opened.pid, self._nodes.directory_of(opened.pid)))
        except BaseException:
            self._chores.spawn(in_thread(kill_all, actors))
            raise
        lost: asyncio.Future[SegmentLost] = asyncio.get_running_loop().create_future()
        return Live(actor, opened, lost, datetime.now(UTC))

    def _retire(self, live: Live) -> None:
        """It goes when its last attempt has ended."""
        live.begin()
        live.retired = True
        self._chores.spawn(self._see_off(live))
        live.end()

    async def _see_off(self, live: Live) -> None:
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

    # What the nodes tell (see ray_nodes.Listener)

    def gained(self) -> None:
        if self._slots:  # else they are all still to come
            self._fill()

    def lost(self, node: Node, why: str) -> None:
        for live in sorted(node.lives, key=lambda live: live.number):  # spares first: they shall not take a place
            self.give_up(live, why)
        self._told.node_lost(node.id)
        if not self._nodes.all and self._settings.address is None:
            self._told.gone()

    def died(self, node: Node, death: Death) -> None:
        for live in [live for live in node.lives if live.opened.pid == death.pid]:
            self.give_up(live, death.why, out_of_memory=death.out_of_memory)

    def beheaded(self) -> None:
        self._told.gone()

    # Sizes

    def _default_width(self) -> int:
        threads = self._settings.threads
        if threads is None:
            return len(self._nodes.all)
        return max(1, sum(int(node.cpus) // threads for node in self._nodes.all.values()))

    def _segment_settings(self, node: Node) -> SegmentSettings:
        """On a machine of our own a fair part of it; on a cluster's node what Ray has to give there."""
        settings = self._settings
        here = max(1, -(-self.width // max(1, len(self._nodes.all))))
        threads, memory = settings.threads, settings.memory
        if settings.address is None:
            split = fair_split(here, available_cores())
            threads, memory = threads or split.segment_threads, memory or split.segment
        else:
            threads = threads or max(1, int(node.cpus) // here)
            memory = memory or max(2**27, int(node.memory * 0.6) // here)
        pull_timeout = 2 * settings.timeout
        return SegmentSettings(
            self._directory(), settings.locations, threads, memory, pull_timeout, settings.environment
        )

    def _directory(self) -> Path:
        return self._settings.temporary / "segments"
