"""Engines over a directory and over a real S3 server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from mere.demo.seaweed import SeaweedFS
from mere.segment.engine import Engine, EngineSettings
from mere.segment.storage import Storage


@pytest.fixture(scope="module", params=["directory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    if request.param == "directory":
        return Storage(str(tmp_path_factory.mktemp("lake")), {})
    store: SeaweedFS = request.getfixturevalue("object_store")
    return Storage(f"{store.url}/segment-{tmp_path_factory.mktemp('s3').name}", store.environment)


@pytest_asyncio.fixture(scope="module")
async def engine(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    running = Engine(
        EngineSettings(
            directory=tmp_path_factory.mktemp("engine"),
            locations=(storage.location,),
            threads=2,
            memory_limit=1 << 30,
            environment=storage.environment,
        )
    )
    await running.start()
    yield running
    await running.close()


@pytest_asyncio.fixture(scope="module")
async def local_engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """For what does not depend on the storage."""
    lake = Storage(str(tmp_path_factory.mktemp("lake")), {})
    await lake.probe()
    settings = EngineSettings(tmp_path_factory.mktemp("engine"), (lake.location,), 2, 1 << 30)
    running = Engine(settings)
    await running.start()
    yield running
    await running.close()


@pytest.fixture
def lake_directory(local_engine: Engine) -> Path:
    return Path(local_engine.settings.locations[0].prefix)
