"""Segments on a real Ray are killed and frozen while a session asks: every answer is right, the session goes on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from harness.mere import MereProcess

pytestmark = pytest.mark.timeout(240)

ROWS, GROUPS = 20_000, 200
MOVED = "SELECT a.g, count(*), sum(b.k) FROM t AS a JOIN u AS b ON a.g = b.g GROUP BY a.g ORDER BY a.g"


@pytest.fixture(scope="module")
def cluster(session_scratch: Path) -> Iterator[MereProcess]:
    settings = {"MERE_SEGMENTS": "2", "MERE_DISTRIBUTE_ROWS": "0", "MERE_READ_EVERYWHERE_ROWS": "0"}
    server = MereProcess(session_scratch / "killed", environment=settings)
    server.start()
    try:
        with connected(server) as connection:
            connection.execute("CREATE TABLE t (k bigint, g int) DISTRIBUTED BY (k)")
            connection.execute("CREATE TABLE u (k bigint, g int) DISTRIBUTED RANDOMLY")
            made = f"SELECT i, i % {GROUPS} FROM generate_series(1, {ROWS}) AS i"
            connection.execute(f"INSERT INTO t {made}")
            connection.execute(f"INSERT INTO u {made}")
            until_up(connection)
        yield server
    finally:
        try:
            server.stop()
        finally:
            server.destroy()


def connected(server: MereProcess) -> psycopg.Connection:
    return psycopg.connect(server.conninfo(), autocommit=True)


def pids(connection: psycopg.Connection) -> list[int]:
    """Of the segments that answer."""
    found = connection.execute("SELECT pid FROM mere.segment_configuration WHERE status = 'up' ORDER BY id").fetchall()
    return [pid for (pid,) in found if pid is not None]


def until_up(connection: psycopg.Connection, count: int = 2) -> None:
    deadline = time.monotonic() + 90
    while len(pids(connection)) < count:
        assert time.monotonic() < deadline, "the segments do not come up"
        time.sleep(0.2)


def expected() -> list[tuple[int, int, int]]:
    each = ROWS // GROUPS
    sums = [sum(range(g or GROUPS, ROWS + 1, GROUPS)) for g in range(GROUPS)]
    return [(g, each * each, each * sums[g]) for g in range(GROUPS)]


def strike_later(pid: int, sign: signal.Signals, seconds: float) -> threading.Timer:
    def strike() -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, sign)

    timer = threading.Timer(seconds, strike)
    timer.start()
    return timer


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP])
def test_a_query_outlives_its_segment(cluster: MereProcess, sign: signal.Signals) -> None:
    """One blow a query, at its start, in its midst, near its end; and the next query finds two segments again."""
    with connected(cluster) as connection:
        started = time.monotonic()
        assert connection.execute(MOVED).fetchall() == expected()
        usual = time.monotonic() - started
        for share in (0.0, 0.3, 0.6, 0.9):
            until_up(connection)
            timer = strike_later(pids(connection)[round(share * 10) % 2], sign, share * usual)
            assert connection.execute(MOVED).fetchall() == expected()
            timer.join()
        until_up(connection)


def test_all_segments_at_once(cluster: MereProcess) -> None:
    with connected(cluster) as connection:
        until_up(connection)
        timers = [strike_later(pid, signal.SIGKILL, 0.02) for pid in pids(connection)]
        assert connection.execute(MOVED).fetchall() == expected()
        for timer in timers:
            timer.join()
