"""Where an acknowledged commit is: on both coordinators, or on the primary alone. For the log and `mere state`."""

from __future__ import annotations

import asyncio
import logging
from enum import Enum

import asyncpg

from mere.catalog.postgres import Postgres

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_CONFIRMED = """
    SELECT current_setting('synchronous_standby_names') <> '' AS awaited,
        (SELECT min(application_name) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) AS standby
"""


class Durability(Enum):
    BOTH = "commits are confirmed by the standby"
    ALONE = "no standby confirms commits: they are on this coordinator alone"
    WAITING = "commits wait for the standby, which does not answer"


async def durability(connection: asyncpg.Connection) -> Durability:
    """Asked of the primary."""
    row = await connection.fetchrow(_CONFIRMED)
    assert row is not None
    if not row["awaited"]:
        return Durability.ALONE
    return Durability.WAITING if row["standby"] is None else Durability.BOTH


async def tell_durability(server: Postgres) -> None:
    """Every change goes to the log, until cancelled or PostgreSQL goes."""
    known: Durability | None = None
    connection = await server.connect()
    try:
        while True:
            now = await durability(connection)
            if now is not known:
                log.warning("%s", now.value)
                known = now
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        connection.terminate()
