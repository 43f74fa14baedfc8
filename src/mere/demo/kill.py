"""The demo's last act: a segment is killed in the middle of a query, and the answer comes all the same.

Lives in the demo's process.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass

import asyncpg

from mere.errors import StartupError

SEGMENTS = 2
_READY_SECONDS = 120.0
# Every line item beside those of the same part: both sides move, where they do not lie by it.
QUERY = """SELECT a.l_shipmode, count(*), sum(a.l_quantity + b.l_quantity)
FROM lineitem AS a JOIN lineitem AS b ON a.l_partkey = b.l_partkey AND a.l_orderkey <> b.l_orderkey
GROUP BY a.l_shipmode ORDER BY a.l_shipmode"""
UP = "SELECT pid FROM mere.segment_configuration WHERE status = 'up' ORDER BY id"


@dataclass(frozen=True, slots=True)
class Survived:
    """Seconds: of the query by itself, of the one whose segment was killed, and until all segments were up again."""

    undisturbed: float
    killed: float
    replaced: float


async def wait_for_segments(connection: asyncpg.Connection, dead: int | None = None) -> list[int]:
    """The processes of all segments, once they are up and the `dead` one is replaced."""
    until = time.monotonic() + _READY_SECONDS
    while len(rows := await connection.fetch(UP)) < SEGMENTS or dead in [row["pid"] for row in rows]:
        if time.monotonic() > until:
            raise StartupError(f"the {SEGMENTS} segments are not up after {_READY_SECONDS:.0f} s")
        await asyncio.sleep(0.05)
    return [int(row["pid"]) for row in rows]


async def _replaced(connection: asyncpg.Connection, dead: int) -> float:
    """Seconds from now until the dead segment has a successor."""
    started = time.monotonic()
    await wait_for_segments(connection, dead)
    return time.monotonic() - started


async def kill_in_mid_query(url: str) -> Survived:
    """Kills a segment with SIGKILL. Raises StartupError if the answer is not the same."""
    connection, watch = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        before = await wait_for_segments(watch)
        expected = await connection.fetch(QUERY)  # warm: files are in the segments' caches
        started = time.monotonic()
        expected = await connection.fetch(QUERY)
        undisturbed = time.monotonic() - started
        started = time.monotonic()
        query = asyncio.create_task(connection.fetch(QUERY))
        await asyncio.sleep(undisturbed / 2)
        os.kill(before[0], signal.SIGKILL)
        replacement = asyncio.create_task(_replaced(watch, before[0]))
        found = await query
        seconds = time.monotonic() - started
        replaced = await replacement
        if found != expected:
            raise StartupError("the query whose segment was killed gave another answer")
        return Survived(undisturbed, seconds, replaced)
    finally:
        await connection.close()
        await watch.close()
