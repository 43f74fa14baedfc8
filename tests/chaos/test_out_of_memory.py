"""Segments that may take more memory than there is: the kernel kills them, the query ends, the service goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from harness.memory import MemoryGroup, why_no_group
from harness.mere import MereProcess

WHY_NOT = why_no_group()
pytestmark = [pytest.mark.timeout(240), pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")]

ROWS = 20_000
GREEDY = "SELECT sum(length(s)) FROM (SELECT k, string_agg(repeat('x', 100000), ',') AS s FROM t GROUP BY k) AS q"
MODEST = "SELECT count(*), sum(a.k) FROM t AS a JOIN t AS b ON a.k = b.g"
LIMIT = 400 << 20


@pytest.fixture(scope="module")
def server(session_scratch: Path) -> Iterator[MereProcess]:
    """A segment's share of the greedy query is a gigabyte, and its engine believes that it may have it."""
    settings = {"MERE_SEGMENTS": "2", "MERE_SEGMENT_MEMORY": "100GB", "MERE_DISTRIBUTE_ROWS": "0"}
    found = MereProcess(session_scratch / "starved", environment=settings)
    try:
        found.start()
        with connected(found) as connection:
            connection.execute("CREATE TABLE t (k bigint, g bigint) DISTRIBUTED BY (k)")
            connection.execute(f"INSERT INTO t SELECT i, i % 100 FROM generate_series(1, {ROWS}) AS i")
        yield found
    finally:
        try:
            found.stop()
        finally:
            found.destroy()


def connected(server: MereProcess) -> psycopg.Connection:
    return psycopg.connect(server.conninfo(), autocommit=True)


class Starving:
    """Every segment, and whatever takes its place, has to do with little."""

    def __init__(self, server: MereProcess) -> None:
        self.seen: set[int] = set()
        self._group = MemoryGroup(LIMIT)
        self._stop = threading.Event()
        self._connection = connected(server)
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            rows = self._connection.execute("SELECT pid FROM mere.segment_configuration WHERE pid IS NOT NULL")
            for (pid,) in rows.fetchall():
                if pid not in self.seen:
                    self._group.add(pid)
                    self.seen.add(pid)

    def __enter__(self) -> Starving:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._connection.close()
        self._group.remove()


def test_a_query_that_starves_its_segments_ends_and_the_service_goes_on(server: MereProcess) -> None:
    with connected(server) as connection, connected(server) as other, Starving(server) as starving:
        until_up(connection)
        time.sleep(0.2)  # until they are in the group
        before = len(starving.seen)
        modest = other.execute(MODEST).fetchall()
        started = time.monotonic()
        with pytest.raises(psycopg.errors.OutOfMemory) as raised:  # 53200
            connection.execute(GREEDY)
        assert time.monotonic() - started < 30
        assert "segments" in (raised.value.diag.message_detail or "")
        assert other.execute(MODEST).fetchall() == modest
        until_up(connection)
        killed = len(starving.seen) - before
        assert 2 <= killed <= 4, "two for each share at most"
        assert connection.execute(MODEST).fetchall() == modest


def until_up(connection: psycopg.Connection) -> None:
    """Two segments and a spare."""
    deadline = time.monotonic() + 60
    while True:
        rows = connection.execute("SELECT status FROM mere.segment_configuration ORDER BY status").fetchall()
        if rows == [("spare",), ("up",), ("up",)]:
            return
        assert time.monotonic() < deadline, rows
        time.sleep(0.1)
