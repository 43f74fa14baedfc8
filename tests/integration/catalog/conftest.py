"""One PostgreSQL for the suite; a lake database for each test, and one for those that leave nothing behind."""

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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kept_lake(catalog: PostgresServer, session_scratch: Path) -> AsyncIterator[LakeDatabase]:
    async with lake_database(catalog, session_scratch / "catalog-files") as database:
        columns = "(a int, b int, v varchar(10), d timestamp)"
        await database.run(
            f"CREATE TABLE filled {columns}",
            f"CREATE TABLE empty {columns}",
            "CREATE TABLE viewed (a int)",
            "CREATE VIEW v AS SELECT * FROM viewed",
            "CREATE TABLE h (a int) USING heap",
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM empty'",
            "CREATE FUNCTION g() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM empty); END'",
        )
        await database.pretend_rows("filled")
        yield database


@pytest_asyncio.fixture(loop_scope="session")
async def shared_lake(kept_lake: LakeDatabase) -> AsyncIterator[LakeDatabase]:
    """For tests that roll everything back. `filled` has rows as far as PostgreSQL knows, `empty` has none."""
    yield kept_lake
    for connection in (kept_lake.user, kept_lake.root):
        await connection.execute("ROLLBACK")
