"""What SQL and `mere state` show of the segments, and `SELECT mere.resize(n)`. Lives in the coordinator process.

PostgreSQL reads the segments from a file in its data directory (catalog/sql/segments.sql), and keeps the wish for
another number as a setting of the gateway's role, which all databases share. Beside it is kept what `--segments` said
then: the wish outlives the server until that says something else, for the last word counts.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from mere.catalog.postgres import SERVICE_ERRORS, Postgres, Unconfirmed
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
async def segments_in_sql(runtime: Runtime, postgres: Postgres, settings: Settings) -> AsyncIterator[None]:
    """While it lasts, this node's catalog knows the segments."""
    table = _Table(postgres, runtime, settings.clustered)
    table.write()
    if not settings.clustered and postgres.data.cluster is None:
        yield
        return
    async with _repeated(table.write_again):
        yield


@asynccontextmanager
async def segment_wishes(runtime: Runtime, postgres: Postgres, settings: Settings) -> AsyncIterator[None]:
    """On the primary: grants what `mere.resize` asks for."""
    if not settings.clustered:
        yield
        return
    wishes = _Wishes(Unconfirmed(postgres), runtime)
    try:
        await wishes.remember(str(settings.segments or "one for each node"))
        async with _repeated(wishes.grant_again):
            yield
    finally:
        await wishes.close()


@asynccontextmanager
async def _repeated(act: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def keep_on() -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await act()

    looking = asyncio.ensure_future(keep_on())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.wait({looking})


class _Table:
    """The file that `mere.segment_configuration` reads; written when it says something else."""

    def __init__(self, postgres: Postgres, runtime: Runtime, resizable: bool) -> None:
        self._postgres = postgres
        self._runtime = runtime
        self._resizable = resizable

    def write(self) -> None:
        """Where the catalog is; in a cluster it may be on its way, or be replaced by the primary's, file and all."""
        directory = self._postgres.data.postgres
        file = directory / _FILE
        lines = [segment_line(state) for state in self._runtime.state()]
        text = json.dumps({"resizable": self._resizable, "segments": lines})
        try:
            owner = (directory / "PG_VERSION").stat()
            if file.exists() and file.read_text() == text:
                return
            fresh = file.with_name(file.name + ".new")
            fresh.write_text(text)
            fresh.chmod(0o644)
            if owner.st_uid != os.geteuid():
                os.chown(fresh, owner.st_uid, owner.st_gid)  # PostgreSQL's own tools may have to replace it
            fresh.replace(file)
        except FileNotFoundError:
            return

    async def write_again(self) -> None:
        try:
            self.write()
        except OSError as error:
            log.info("the segments cannot be told to the catalog: %s", error)


class _Wishes:
    """Numbers of segments asked for by `mere.resize`."""

    def __init__(self, postgres: Postgres, runtime: Runtime) -> None:
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

    async def grant_again(self) -> None:
        try:
            await self.grant()
        except (*SERVICE_ERRORS, OSError) as error:
            log.info("the catalog does not answer for the segments: %s", error)  # it is being started again
            await self.close()

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
