"""A Ray cluster that somebody else runs, of two nodes: segments on both, and one of them freezes.

In a process of its own, since a process can be in one cluster only.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.ray_cluster import RayCluster


@pytest.fixture
def cluster(scratch: Path) -> Iterator[RayCluster]:
    found = RayCluster(scratch)
    try:
        found.start(2)
        yield found
    finally:
        found.stop()


@pytest.mark.timeout(300)
def test_a_frozen_node_is_lost_with_its_parts_and_the_other_takes_over(cluster: RayCluster, scratch: Path) -> None:
    """What a partition looks like from here: nothing answers, and nothing says so."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    driver = context.Process(target=_drive, args=(cluster.address, cluster.environment, scratch, theirs))
    driver.start()
    try:
        assert _told(ours) == "ready"
        cluster.signal(1, signal.SIGSTOP)
        assert _told(ours) == {"lost": "segment", "parts of": "the frozen node", "answer": 1_000_000}
    finally:
        driver.kill()
        driver.join()


def _told(pipe: Any) -> Any:
    assert pipe.poll(120), "no news in two minutes"
    return pipe.recv()


def _drive(address: str, environment: dict[str, str], directory: Path, pipe: Any) -> None:
    import asyncio

    os.environ.update(environment)
    asyncio.run(_freeze(address, directory, pipe))


async def _freeze(address: str, directory: Path, pipe: Any) -> None:
    import asyncio

    from mere.runtime.base import Leave, Load, PartsLost, SegmentLost, Task
    from mere.runtime.ray_runtime import RayRuntime
    from mere.runtime.ray_settings import RaySettings
    from mere.segment.engine import Engine, EngineSettings
    from mere.segment.locations import parse_location

    def task(sql: str, *loads: Load) -> Task:
        return Task("s1", 1, 0, 1, sql, loads, Leave())

    lake = parse_location(str(directory / "lake"))
    settings = RaySettings(directory, directory / "temporary", (lake,), {}, address, 2, 1, 256 << 20, timeout=4)
    runtime = RayRuntime(Engine(EngineSettings(directory / "coordinator", (lake,), 1, 1 << 28)), settings)
    await runtime.start()
    while [state.status for state in runtime.state()].count("spare") < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.05)

    rows = "SELECT i AS a FROM range(1000000) AS t(i)"
    made = {segment: await runtime.run(segment, task(rows)) for segment in runtime.ready()}
    endless = "SELECT count(*) AS n FROM range(100000000000) AS t(i) WHERE hash(i) % 7 = 3"
    attempts = {n: asyncio.ensure_future(runtime.run(n, task(endless))) for n in runtime.ready()}
    pipe.send("ready")
    told: dict[str, Any] = {}
    done, rest = await asyncio.wait(attempts.values(), return_when=asyncio.FIRST_COMPLETED)
    for attempt in done:
        told["lost"] = "segment" if isinstance(attempt.exception(), SegmentLost) else attempt.exception()
    for attempt in rest:
        attempt.cancel()
    frozen = next(segment for segment, attempt in attempts.items() if attempt in done)
    for segment, result in made.items():
        load = Load("m", (("a", "BIGINT"),), result.parts)
        [working, *_] = await runtime.wait_ready(30)
        try:
            answer = await runtime.run(working, task("SELECT count(*) AS n FROM m", load))
        except PartsLost as lost:
            assert set(lost.parts) <= set(result.parts)
            told["parts of"] = "the frozen node" if segment == frozen else "another"
        else:
            told["answer"] = (await runtime.fetch(answer.parts[0])).column("n")[0].as_py()
    pipe.send(told)
