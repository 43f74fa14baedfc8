"""The lake databases of a serving process: each is opened at its first session and kept. Lives in `mere serve`.

What is kept of the lake's metadata is dropped when PostgreSQL has been started anew: a coordinator that was replaced
comes back without what it alone had committed, and the same numbers of snapshots, tables and files mean others then.
"""

from __future__ import annotations

import asyncio

import asyncpg

from mere.catalog.postgres import Postgres
from mere.catalog.server import GATEWAY_ROLE
from mere.errors import UndefinedObject
from mere.lake.metadata import Metadata
from mere.session.services import Database

_POOL_SIZE = 8
_STARTED = "SELECT pg_catalog.pg_postmaster_start_time() AS started, schema_version FROM mere.newest_snapshot()"
_DATA_PATH = "SELECT value FROM mere_lake.ducklake_metadata WHERE key = 'data_path' AND scope IS NULL"


class Databases:
    """Opens by name. A database that was dropped, and perhaps made again, is opened anew."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._open: dict[str, Database] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, name: str) -> Database:
        """Asked at the start of whatever reads the lake: what is kept is of the PostgreSQL that runs now."""
        known = self._open.get(name)
        if known is None:
            async with self._locks.setdefault(name, asyncio.Lock()):
                if name not in self._open:
                    self._open[name] = await self._connect(name)
                return self._open[name]
        row = await known.pool.fetchrow(_STARTED)
        known.schema_version = row["schema_version"]
        if row["started"] != known.started:
            known.started = row["started"]
            known.metadata = Metadata(known.pool, known.data_url)
            known.names_version += 1
        return known

    async def forget(self, name: str) -> None:
        """Before DROP or ALTER DATABASE: nothing of ours may hold it open."""
        database = self._open.pop(name, None)
        if database is not None:
            await _close(database.pool)

    async def close(self) -> None:
        for name in list(self._open):
            await self.forget(name)

    async def _connect(self, name: str) -> Database:
        pool = await asyncpg.create_pool(
            host=str(self._postgres.socket_directory),
            port=self._postgres.port,
            user=GATEWAY_ROLE,
            password=self._postgres.gateway_password,
            database=name,
            min_size=0,  # PostgreSQL may be away for a while
            max_size=_POOL_SIZE,
            server_settings={"application_name": "mere", "search_path": "pg_catalog, pg_temp"},
        )
        try:
            started = await pool.fetchval("SELECT pg_catalog.pg_postmaster_start_time()")
            data_url = await pool.fetchval(_DATA_PATH)
        except asyncpg.UndefinedTableError as error:
            await _close(pool)
            raise UndefinedObject(f'database "{name}" is not a lake database', sqlstate="3D000") from error
        except BaseException:
            pool.terminate()
            raise
        return Database(name, data_url, pool, Metadata(pool, data_url), started)


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(2):
            await pool.close()
    except TimeoutError:
        pool.terminate()
