"""What a running server does for `mere maintain` and `mere state`: all databases, one at a time.

Only this process knows which files its sessions are writing, so that maintenance does not take them for garbage. Lives
in the coordinator process.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from mere.catalog.postgres import Postgres
from mere.catalog.server import GATEWAY_ROLE, SUPERUSER
from mere.cli.control import Answer
from mere.lake.maintenance import Maintenance, MaintenancePolicy
from mere.segment.storage import Storage, StoredObject
from mere.session.services import Services

# A plain DuckDB beside us writes files before its commit names them, and nobody can ask it.
LONGEST_FOREIGN_TRANSACTION = timedelta(hours=24)
_CLOCK_SKEW = timedelta(seconds=60)
_LAKES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname"
_HAS_LAKE = "SELECT to_regclass('mere_lake.ducklake_table') IS NOT NULL"
_SIZE = """
    SELECT count(*) AS tables, coalesce(sum(s.record_count), 0)::bigint AS rows,
        coalesce(sum(s.file_size_bytes), 0)::bigint AS bytes
    FROM mere_lake.ducklake_table AS t LEFT JOIN mere_lake.ducklake_table_stats AS s USING (table_id)
    WHERE t.end_snapshot IS NULL
"""
_OLDEST = """
    SELECT min(xact_start) FROM pg_stat_activity
    WHERE datname = $1 AND usename <> ALL ($2) AND backend_type = 'client backend'
"""


class SettledObjects:
    """The storage without what an open transaction may have written: its files are garbage only to a stranger's eye."""

    def __init__(self, storage: Storage, postgres: Postgres, database: str) -> None:
        self._storage = storage
        self._postgres = postgres
        self._database = database
        self._skew = timedelta(0) if storage.location.is_local else _CLOCK_SKEW

    @property
    def url(self) -> str:
        return self._storage.url

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        horizon = await self._oldest_transaction() - self._skew
        async for found in self._storage.list(prefix):
            if found.modified < horizon:
                yield found

    async def delete(self, paths: Sequence[str]) -> None:
        await self._storage.delete(paths)

    async def _oldest_transaction(self) -> datetime:
        """When the oldest one that is open began; now, if none is. Asked before the list is made."""
        now = datetime.now(UTC)
        connection = await self._postgres.connect()
        try:
            oldest: datetime | None = await connection.fetchval(_OLDEST, self._database, [SUPERUSER, GATEWAY_ROLE])
        finally:
            await connection.close()
        return now if oldest is None else min(oldest, now)


class Upkeep:
    """Runs maintenance over all lake databases, never twice at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._running = asyncio.Lock()

    async def handle(self, request: Answer) -> AsyncIterator[Answer]:
        """The control socket's side: one answer for each database, with what was done."""
        retention = timedelta(seconds=float(request["retention"]))
        async with self._running:
            for name in await lake_names(self._services.postgres):
                yield {"database": name, **await self._maintain(name, retention)}

    async def _maintain(self, name: str, retention: timedelta) -> dict[str, int]:
        services = self._services
        database = await services.database(name)
        maintenance = Maintenance(
            database.pool,
            database.metadata,
            database.data_url,
            SettledObjects(services.storage, services.postgres, name),
            services.engine.workspace,
            database.readers,
            database.in_flight,
            MaintenancePolicy(retention=retention, safety=min(retention, LONGEST_FOREIGN_TRANSACTION)),
        )
        return dataclasses.asdict(await maintenance.run())


async def lake_names(postgres: Postgres) -> Sequence[str]:
    """The databases that hold a lake."""
    connection = await postgres.connect()
    try:
        names = [row["datname"] for row in await connection.fetch(_LAKES)]
    finally:
        await connection.close()
    found = []
    for name in names:
        connection = await postgres.connect(name)
        try:
            if await connection.fetchval(_HAS_LAKE):
                found.append(name)
        finally:
            await connection.close()
    return found


async def tell_sizes(postgres: Postgres) -> AsyncIterator[Answer]:
    """One answer for each lake database. Rows and bytes are of all files that are current, deleted rows included."""
    for name in await lake_names(postgres):
        connection = await postgres.connect(name)
        try:
            row = await connection.fetchrow(_SIZE)
        finally:
            await connection.close()
        assert row is not None
        yield {"database": name, **dict(row)}
