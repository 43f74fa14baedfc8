"""Large answers from segments: the first rows before the last are read, and all of them once, whoever dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import psycopg
import pytest
from harness.mere import MereProcess

pytestmark = pytest.mark.timeout(180)

ROWS = 1_500_000  # four pieces


@pytest.fixture(scope="module")
def connection(cluster: MereProcess) -> Iterator[psycopg.Connection]:
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE TABLE large (k bigint, g int) DISTRIBUTED RANDOMLY")
        connection.execute(f"INSERT INTO large SELECT i, i % 10 FROM generate_series(1, {ROWS}) AS i")
        yield connection
        connection.execute("DROP TABLE large")


def test_every_row_comes_once_while_segments_die(cluster: MereProcess, connection: psycopg.Connection) -> None:
    cursor = connection.cursor(binary=True)
    seen = bytearray(ROWS + 1)
    for number, (k,) in enumerate(cursor.stream("SELECT k FROM large", size=1000)):
        seen[k] += 1
        if number == 10_000:
            with psycopg.connect(cluster.conninfo(), autocommit=True) as other:
                for (pid,) in other.execute("SELECT pid FROM mere.segment_configuration WHERE status = 'up'"):
                    os.kill(pid, signal.SIGKILL)
    assert seen[1:] == b"\1" * ROWS


def test_rows_that_are_not_wanted_are_not_read(connection: psycopg.Connection) -> None:
    with connection.transaction():
        connection.execute("DECLARE c CURSOR FOR SELECT k, g FROM large WHERE k > 0")
        assert len(connection.execute("FETCH 100 FROM c").fetchall()) == 100
        assert len(connection.execute("FETCH 100 FROM c").fetchall()) == 100
    assert connection.execute("SELECT count(*), sum(k) FROM large").fetchone() == (ROWS, ROWS * (ROWS + 1) // 2)


def test_an_error_in_the_last_piece_is_told(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        connection.execute(f"SELECT 1 / ({ROWS} - k) FROM large").fetchall()
    assert connection.execute("SELECT count(*) FROM large WHERE k < 0").fetchone() == (0,)
