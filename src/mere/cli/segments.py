"""What SQL and `mere state` show of the segments, and `SELECT mere.resize(n)`. Lives in the coordinator process.

PostgreSQL reads the segments from a file in its data directory (catalog/sql/segments.sql), and keeps the wish for
another number as a setting of the gateway's role, which all databases share. Beside it is kept what `--segments` said
then: the wish outlives the server until that says something else, for the last word counts.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from mere.catalog.server import PostgresServer
from mere.cli.control import Answer
from mere.runtime.base import Runtime, SegmentState
from mere.settings import Settings

log = logging.getLogger(__name__)

_FILE = "mere_segments.json"
_LOOK_SECONDS = 0.25
_KEPT = """
SELECT split_part(entry, '=', 1) AS name, split_part(entry, '=', 2) AS value
FROM pg_db_role_setting, unnest(setconfig) AS entry
WHERE setrole = 'mere_gateway'::regrole AND setdatabase = 0 AND entry LIKE 'mere.segments%'
"""
_WISH, _CONFIGURED = "mere.segments", "mere.segments_configured"


@asynccontextmanager
async def segments_in_sql(runtime: Runtime, postgres: PostgresServer, settings: Settings) -> AsyncIterator[None]:
    """While it lasts, the catalog knows the segments."""
    table = _Table(postgres.data.postgres / _FILE, runtime, settings.clustered)
    table.write()
    if not settings.clustered:
        yield
        return
    wishes = _Wishes(postgres, runtime)
    await wishes.remember(str(settings.segments or "one for each node"))
    looking = asyncio.ensure_future(_keep_looking(table, wishes))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.wait({looking})
        await wishes.close()


async def _keep_looking(table: _Table, wishes: _Wishes) -> None:
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            table.write()
            await wishes.grant()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.info("the catalog does not answer for the segments: %s", error)  # it is being started again
            await wishes.close()


class _Table:
    """The file that `mere.segment_configuration` reads; written when something has changed."""

    def __init__(self, file: Path, runtime: Runtime, resizable: bool) -> None:
        self._file = file
        self._runtime = runtime
        self._resizable = resizable
        self._written = ""

    def write(self) -> None:
        lines = [segment_line(state) for state in self._runtime.state()]
        text = json.dumps({"resizable": self._resizable, "segments": lines})
        if text == self._written:
            return
        fresh = self._file.with_name(self._file.name + ".new")
        fresh.write_text(text)
        fresh.chmod(0o644)  # PostgreSQL may run as another user
        fresh.replace(self._file)
        self._written = text


class _Wishes:
    """Numbers of segments asked for by `mere.resize`."""

    def __init__(self, postgres: PostgresServer, runtime: Runtime) -> None:
        self._postgres = postgres
        self._runtime = runtime
        self._connection: asyncpg.Connection | None = None
        self._granted: str | None = None

    async def remember(self, configured: str) -> None:
        """The wish of an earlier run, unless something else was configured then."""
        if (await self._kept()).get(_CONFIGURED) != configured:
            connection = await self._connected()
            await connection.execute(f"ALTER ROLE mere_gateway RESET {_WISH}")
            await connection.execute(f"ALTER ROLE mere_gateway SET {_CONFIGURED} = '{configured}'")
        await self.grant()

    async def grant(self) -> None:
        wish = (await self._kept()).get(_WISH)
        if wish is not None and wish != self._granted:
            await self._runtime.resize(int(wish))
            self._granted = wish

    async def _kept(self) -> dict[str, str]:
        rows = await (await self._connected()).fetch(_KEPT)
        return {row["name"]: row["value"] for row in rows}

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None:
            self._connection = await self._postgres.connect()
        return self._connection


def segment_line(state: SegmentState) -> dict[str, Any]:
    started = None if state.started is None else state.started.isoformat()
    return {
        "id": state.id,
        "host": state.host,
        "pid": state.pid,
        "status": state.status,
        "started": started,
        "restarts": state.restarts,
    }


async def tell_segments(runtime: Runtime) -> AsyncIterator[Answer]:
    """One answer for each segment, for `mere state`."""
    for state in runtime.state():
        yield {"segment": segment_line(state)}
