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
from harness.processes import descendants

from .joined import MOVED, SLOW, expected, expected_slow, fill

SILENCE = 20  # seconds after which a segment is given up that nobody watches
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def cluster(session_scratch: Path) -> Iterator[MereProcess]:
    settings = {
        "MERE_SEGMENTS": "2",
        "MERE_DISTRIBUTE_ROWS": "0",
        "MERE_READ_EVERYWHERE_ROWS": "0",
        "MERE_SEGMENT_TIMEOUT": f"{SILENCE}s",
        "MERE_SEGMENT_PATIENCE": "90s",
    }
    server = MereProcess(session_scratch / "killed", environment=settings)
    try:
        server.start()
        with connected(server) as connection:
            fill(connection)
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


def test_a_keeper_dies_and_then_a_segment(cluster: MereProcess) -> None:
    """Nobody watches for a moment; the death is seen all the same, and so is the next, by another keeper."""
    assert cluster.process is not None
    with connected(cluster) as connection:
        until_up(connection)
        [keeper] = descendants(cluster.process.pid, "ray::Keeper")
        strikes = [strike_later(keeper, signal.SIGKILL, 0.05), strike_later(pids(connection)[0], signal.SIGKILL, 0.06)]
        assert connection.execute(SLOW).fetchall() == expected_slow()
        for strike in strikes:
            strike.join()
        until_up(connection)
        assert descendants(cluster.process.pid, "ray::Keeper") not in ([], [keeper])
        frozen = pids(connection)[1]
        started = time.monotonic()
        os.kill(frozen, signal.SIGSTOP)
        while frozen in pids(connection):
            assert time.monotonic() - started < SILENCE  # one on a quiet machine
            time.sleep(0.05)


def test_a_file_that_is_gone_is_an_error_at_once_and_costs_no_segment(cluster: MereProcess) -> None:
    with connected(cluster) as connection:
        until_up(connection)
        before = pids(connection)
        connection.execute("CREATE TABLE gone (k bigint) DISTRIBUTED BY (k)")
        connection.execute("INSERT INTO gone SELECT i FROM generate_series(1, 1000) AS i")
        file, *_ = cluster.data.glob("storage/*/gone-*/**/*.parquet")
        file.unlink()
        started = time.monotonic()
        with pytest.raises(psycopg.OperationalError) as raised:
            connection.execute("SELECT sum(a.k + u.k) FROM gone AS a JOIN u ON a.k = u.g")
        assert raised.value.sqlstate == "58P01"
        assert file.name in str(raised.value)
        assert time.monotonic() - started < 5
        assert connection.execute(MOVED).fetchall() == expected()
        assert pids(connection) == before
        connection.execute("DROP TABLE gone")


@pytest.mark.parametrize("which", ["raylet/raylet", "gcs/gcs_server"])
def test_ray_itself_dies_in_mid_query(cluster: MereProcess, which: str) -> None:
    """It takes its segments along, and takes ten seconds to come back; the query waits for it, others do not."""
    assert cluster.process is not None
    with connected(cluster) as connection, connected(cluster) as other:
        until_up(connection)
        [victim] = descendants(cluster.process.pid, which)
        strike = strike_later(victim, signal.SIGKILL, 0.3)
        started = time.monotonic()
        waiting = threading.Timer(0.8, lambda: answers.append(other.execute(MOVED).fetchall()))
        answers: list[object] = []
        waiting.start()
        assert connection.execute(SLOW).fetchall() == expected_slow()
        assert time.monotonic() - started < 90
        strike.join()
        waiting.join()
        assert answers == [expected()]
        until_up(connection)
        assert descendants(cluster.process.pid, which) != [victim]
