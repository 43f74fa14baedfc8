"""Clients that talk nonsense, many at a time: they are answered or closed, others notice nothing, and nothing stays.

MERE_FUZZ_SECONDS and MERE_FUZZ_SEED make it longer, and another one.
"""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from harness.client import Client
from harness.fuzzer import Fuzzer
from harness.process import resident_set
from harness.workspace import Workspace

SECONDS = float(os.environ.get("MERE_FUZZ_SECONDS", "4"))
SEED = int(os.environ.get("MERE_FUZZ_SEED", "20"))
GROWTH = 150 << 20
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mere'"
STAYED = "SELECT state, query, wait_event, state_change FROM pg_stat_activity WHERE usename = 'mere'"

pytestmark = pytest.mark.timeout(SECONDS + 60)


async def test_nonsense_costs_nobody_anything(space: Workspace, client: Client) -> None:
    for using in ("fuzz (id int, v text)", "heap (id int, v text) USING heap"):
        client.ok(f"CREATE TABLE {using}")
    client.ok("INSERT INTO fuzz SELECT g, 'v' || g FROM generate_series(1, 50) g")
    client.ok("CREATE TABLE kept (id int)")
    client.ok("INSERT INTO kept SELECT generate_series(1, 1000)")
    client.ok("BEGIN")
    client.ok("INSERT INTO kept VALUES (0)")
    process = space.server.process
    assert process is not None
    fuzzer = Fuzzer(space.server.port, space.schema, SEED)
    await fuzzer.run(min(1.0, SECONDS))  # what is loaded and kept once for all
    sessions = client.ok(SESSIONS).value
    before, logged = resident_set(process.pid), len(space.server.tail(1 << 30))

    running = asyncio.create_task(fuzzer.run(SECONDS))
    while not running.done():
        answer = await asyncio.to_thread(client.ok, "SELECT count(*) FROM kept")
        assert answer.value == "1001"
        await asyncio.sleep(0.05)
    await running

    assert fuzzer.clients > 10 * SECONDS / 4
    assert process.poll() is None
    said = space.server.tail(1 << 30)[logged:]
    assert "Traceback" not in said and "defect" not in said, said[-4000:]
    assert resident_set(process.pid) - before < GROWTH
    client.ok("COMMIT")
    until = time.monotonic() + 10
    while int(client.ok(SESSIONS).value or 0) > int(sessions or 0):
        assert time.monotonic() < until, client.ok(STAYED).text
        await asyncio.sleep(0.1)
