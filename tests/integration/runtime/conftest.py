"""One Ray for all tests of this folder, since it takes seconds to start; each test finds two segments and a spare."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from mere.runtime.ray_runtime import RayRuntime
from mere.runtime.ray_settings import RaySettings
from mere.segment.engine import Engine, EngineSettings
from mere.segment.locations import Location, parse_location


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Location:
    return parse_location(str(tmp_path_factory.mktemp("lake")))


@pytest_asyncio.fixture(scope="session")
async def shared_runtime(lake: Location, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RayRuntime]:
    directory = tmp_path_factory.mktemp("ray")
    engine = Engine(EngineSettings(directory / "coordinator", (lake,), 2, 1 << 30))
    settings = RaySettings(
        directory=directory / "ray",
        temporary=directory / "temporary",
        locations=(lake,),
        environment={},
        segments=2,
        threads=1,
        memory=512 << 20,
        object_store=256 << 20,
    )
    runtime = RayRuntime(engine, settings)
    await runtime.start()
    yield runtime
    await runtime.close()


@pytest_asyncio.fixture
async def runtime(shared_runtime: RayRuntime) -> AsyncIterator[RayRuntime]:
    if shared_runtime.segments != 2:
        await shared_runtime.resize(2)
    await whole(shared_runtime)
    yield shared_runtime


async def whole(runtime: RayRuntime, segments: int = 2) -> None:
    """Until all segments are up, and a spare stands by."""
    async with asyncio.timeout(60):
        while True:
            found = [state.status for state in runtime.state()]
            if found.count("up") == segments and found.count("spare") == 1:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
def lake_directory(lake: Location) -> Path:
    return Path(lake.prefix)
