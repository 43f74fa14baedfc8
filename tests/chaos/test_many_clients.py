"""64 clients run the 22 queries at random on two segments: all are served, and rightly; beyond the queue they are told.

bench/clients.py does the same at scale 1, by hand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from harness.crowd import crowd, right_answers
from harness.memory import Watch, own_memory
from harness.mere import MereProcess

from mere.demo import tpch

pytestmark = pytest.mark.timeout(240)

CLIENTS, ROUNDS, SEED = 64, 2, 3
ACTIVE = 4  # so that with all clients the queue is full to the last place
MEMORY = 256 << 20  # of each segment's engine, and of the coordinator's
OVER = 128 << 20  # what Python and the rows on their way may hold beside
ENDLESS = "SELECT count(*) FROM lineitem a, lineitem b, lineitem c WHERE a.l_partkey + b.l_partkey + c.l_partkey = 7"


@pytest.fixture(scope="module")
def files(session_scratch: Path) -> Path:
    directory = session_scratch / "tpch-clients"
    generator = tpch.start_generator(directory, 0.01)
    assert generator.wait(60) == 0
    return directory


@pytest.fixture(scope="module")
def server(session_scratch: Path, files: Path) -> Iterator[MereProcess]:
    settings = {
        "MERE_SEGMENTS": "2",
        "MERE_SEGMENT_THREADS": "1",
        "MERE_SEGMENT_MEMORY": f"{MEMORY >> 20}MB",
        "MERE_MEMORY_LIMIT": f"{MEMORY >> 20}MB",
        "MERE_SPARE_SEGMENTS": "0",
        "MERE_DISTRIBUTE_ROWS": "0",
        "MERE_ACTIVE_STATEMENTS": str(ACTIVE),
        "MERE_WAITING_STATEMENTS": str(CLIENTS - ACTIVE),
        "MERE_COPY_DIRECTORIES": str(files),
    }
    found = MereProcess(session_scratch / "crowded", environment=settings)
    try:
        found.start()
        with psycopg.connect(found.conninfo(), autocommit=True) as connection:
            for table in tpch.TABLES:
                connection.execute(table.create)
                connection.execute(f"COPY {table.name} FROM '{files}/{table.name}.parquet' (FORMAT parquet)")
            deadline = time.monotonic() + 60
            while len(segments(found)) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        yield found
    finally:
        try:
            found.stop()
        finally:
            found.destroy()


def segments(server: MereProcess) -> list[int]:
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        rows = connection.execute("SELECT pid FROM mere.segment_configuration WHERE status = 'up'").fetchall()
    return [pid for (pid,) in rows]


async def test_every_client_gets_every_right_answer_within_the_memory(server: MereProcess, files: Path) -> None:
    """A deadlock or a starving client would not end in time."""
    assert server.process is not None
    before = segments(server)
    pids = [server.process.pid, *before]
    idle = sum(map(own_memory, pids))
    with Watch(pids) as watch:
        async with asyncio.timeout(120):
            asked = await crowd(server.conninfo(), CLIENTS, ROUNDS, SEED, right_answers(files))
    assert len(asked) == CLIENTS * ROUNDS
    assert [(one.query, one.wrong) for one in asked if one.wrong is not None] == []
    assert watch.peak < idle + 3 * (MEMORY + OVER)
    assert segments(server) == before


async def test_who_finds_the_queue_full_is_told_so_and_who_waits_too_long_times_out(server: MereProcess) -> None:
    surplus = 6
    connections = [
        await psycopg.AsyncConnection.connect(server.conninfo(), autocommit=True) for _ in range(CLIENTS + surplus)
    ]
    try:
        async with asyncio.timeout(60):
            asking = {asyncio.ensure_future(connection.execute(ENDLESS)): connection for connection in connections}
            refused: dict[asyncio.Future[psycopg.AsyncCursor], psycopg.AsyncConnection] = {}
            while len(refused) < surplus:
                done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
                refused.update({task: asking.pop(task) for task in done})
            assert {type(task.exception()) for task in refused} == {psycopg.errors.TooManyConnections}  # 53300

            task, connection = asking.popitem()
            await connection.cancel_safe()
            with pytest.raises(psycopg.errors.QueryCanceled):
                await task
            hasty = next(iter(refused.values()))
            await hasty.execute("SET statement_timeout = '300ms'")
            with pytest.raises(psycopg.errors.QueryCanceled, match="timeout"):
                await hasty.execute(ENDLESS)

            await asyncio.gather(*(connection.cancel_safe() for connection in asking.values()))
            left = await asyncio.gather(*asking, return_exceptions=True)
            assert {type(error) for error in left} == {psycopg.errors.QueryCanceled}
            cursor = await connection.execute("SELECT count(l_orderkey) > 60000 FROM lineitem")
            assert await cursor.fetchone() == (True,)
    finally:
        for connection in connections:
            await connection.close()
