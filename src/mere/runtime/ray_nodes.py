"""The nodes of a Ray cluster: which there are, and a keeper on each that tells of its processes. Coordinator process.

A node is lost when its keeper is silent, however alive Ray believes it to be: Ray takes its time to see that a machine
cannot be reached. One that was lost is taken in again when its keeper answers, and not before.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any, Protocol

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mere.runtime.ray_keeper import Death, Keeper
from mere.runtime.ray_process import Chores, Node, answer, answer_in_time, in_thread, kill_all

log = logging.getLogger(__name__)

START_SECONDS = 60.0  # a process may take so long to start on a busy machine
_LOOK_SECONDS = 5.0
_HEAD_SECONDS = 30.0  # a head that keeps its state elsewhere may be away for as long

_KEEPER: Any = ray.remote(max_restarts=0, max_task_retries=0, num_cpus=0)(Keeper)


def _ask_head() -> None:
    """Raises RayError when it is silent. A question without an end, as `ray.nodes` is, must not wait for it: should
    another head answer in its place, Ray would end this whole process."""
    worker: Any = ray._private.worker.global_worker
    worker.gcs_client.get_all_node_info(timeout=_HEAD_SECONDS)


class Listener(Protocol):
    def died(self, node: Node, death: Death) -> None: ...

    def lost(self, node: Node, why: str) -> None: ...

    def gained(self) -> None: ...

    def beheaded(self) -> None: ...


class Nodes:
    """Those that answer are in `all`. A node that comes back is another `Node`."""

    def __init__(self, timeout: float, directory: Path, chores: Chores, listener: Listener) -> None:
        """`directory` holds the segments' own, on every node."""
        self.all: dict[str, Node] = {}
        self._timeout = timeout
        self._directory = directory
        self._chores = chores
        self._listener = listener
        self._lost: set[str] = set()
        self._returning: set[str] = set()

    async def open(self) -> None:
        await self._look()
        self._chores.spawn(self._keep_looking())

    def directory_of(self, pid: int) -> Path:
        return self._directory / f"segment-{pid}"

    def lose(self, node: Node, why: str) -> None:
        log.warning("the node %s is lost: %s", node.host, why)
        self.all.pop(node.id, None)
        self._lost.add(node.id)
        self._chores.spawn(in_thread(kill_all, [node.keeper]))
        self._listener.lost(node, why)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await in_thread(_ask_head)
                await self._look()
            except (RayError, TimeoutError):
                log.error("Ray's head did not answer for %g s", _HEAD_SECONDS)
                self._listener.beheaded()
                return

    async def _look(self) -> None:
        for found in await in_thread(ray.nodes):
            resources = found.get("Resources", {})
            known = found["NodeID"] in self.all or found["NodeID"] in self._returning
            if not found["Alive"] or known or not resources.get("CPU"):
                continue
            keeper = await self._keeper(found["NodeID"])
            node = Node(
                found["NodeID"], found["NodeManagerHostname"], resources["CPU"], resources.get("memory", 0), keeper
            )
            if node.id in self._lost:
                self._returning.add(node.id)
                self._chores.spawn(self._come_back(node))
            else:
                self._take_in(node)

    def _take_in(self, node: Node) -> None:
        self.all[node.id] = node
        self._chores.spawn(self._watch(node))
        self._listener.gained()

    async def _come_back(self, node: Node) -> None:
        try:
            await asyncio.wait_for(answer(node.keeper.deaths.remote()), START_SECONDS)
        except (RayError, TimeoutError):
            await in_thread(kill_all, [node.keeper])
        else:
            log.warning("the node %s answers again", node.host)
            self._lost.discard(node.id)
            self._take_in(node)
        finally:
            self._returning.discard(node.id)

    async def _watch(self, node: Node) -> None:
        """The keeper's news. A node whose keeper is silent is lost, and all that lies there."""
        patience = START_SECONDS
        while True:
            try:
                deaths = await answer_in_time(node.keeper.deaths.remote(), patience)
                patience = self._timeout
            except TimeoutError:
                self.lose(node, f"its node did not answer for {patience:g} s")
                return
            except RayError:
                if not await self._new_keeper(node):
                    self.lose(node, "its node is gone")
                    return
                continue
            for death in deaths:
                self._listener.died(node, death)

    async def _new_keeper(self, node: Node) -> bool:
        """After the keeper's own death; False if the node is gone with it."""
        try:
            async with asyncio.timeout(self._timeout):
                node.keeper = await self._keeper(node.id)
                for live in list(node.lives):
                    await answer(node.keeper.watch.remote(live.opened.pid, self.directory_of(live.opened.pid)))
                await answer(node.keeper.deaths.remote())
        except (RayError, TimeoutError):
            return False
        return True

    async def _keeper(self, node_id: str) -> Any:
        strategy = NodeAffinitySchedulingStrategy(node_id, soft=False)
        return await in_thread(_KEEPER.options(scheduling_strategy=strategy).remote)
