"""The lake databases of a serving process: each is opened at its first session and kept. Lives in `mere serve`."""

from __future__ import annotations

import asyncio

import asyncpg

from mere.catalog.postgres import Postgres
from mere.catalog.server import GATEWAY_ROLE
from mere.errors import UndefinedObject
from mere.lake.metadata import Metadata
from mere.session.services import Database

_POOL_SIZE = 8
_DATA_PATH = "SELECT value FROM mere_lake.ducklake_metadata WHERE key = 'data_path' AND scope IS NULL"


class Databases:
    """Opens by name. A database that was dropped, and perhaps made again, is opened anew."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._open: dict[str, Database] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, name: str) -> Database:
        known = self._open.get(name)
        if known is not None:
            return known
        async with self._locks.setdefault(name, asyncio.Lock()):
            if name not in self._open:
                self._open[name] = await self._connect(name)
            return self._open[name]

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
            data_url = await pool.fetchval(_DATA_PATH)
        except asyncpg.UndefinedTableError as error:
            await _close(pool)
            raise UndefinedObject(f'database "{name}" is not a lake database', sqlstate="3D000") from error
        except BaseException:
            pool.terminate()
            raise
        return Database(name, data_url, pool, Metadata(pool, data_url))


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(2):
            await pool.close()
    except TimeoutError:
        pool.terminate()
