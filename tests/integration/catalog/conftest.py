"""One PostgreSQL for the suite, one lake database for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from harness.catalog import LakeDatabase, lake_database, running_catalog

from mere.catalog.server import PostgresServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def catalog(session_scratch: Path) -> AsyncIterator[PostgresServer]:
    async with running_catalog(session_scratch / "catalog") as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def lake(catalog: PostgresServer, session_scratch: Path) -> AsyncIterator[LakeDatabase]:
    async with lake_database(catalog, session_scratch / "catalog-files") as database:
        yield database
