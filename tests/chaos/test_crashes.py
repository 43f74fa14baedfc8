"""kill -9 of the server, of its PostgreSQL, of both, at any moment: nothing acknowledged is lost or half there."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest
from harness.client import Client, ConnectionLost, DeadlinePassed
from harness.lakereader import attach, rows
from harness.mere import MereProcess

from . import ledger

WRITERS = 3
ROUNDS = 2


def both(server: MereProcess) -> None:
    server.kill_postgres()
    server.kill_server()


def revive(server: MereProcess) -> None:
    """The server answers again: by itself if it outlived its PostgreSQL, else by the next start."""
    assert server.process is not None
    until = time.monotonic() + 20
    while server.process.poll() is None and time.monotonic() < until:
        try:
            with server.client(deadline=5) as client:
                if client.run("SELECT count(*) FROM totals").sqlstate is None:
                    return
        except (ConnectionLost, DeadlinePassed):
            pass
        time.sleep(0.1)
    assert server.process.poll() is not None, "the server neither recovers nor ends"
    server.start()


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    "kill", [MereProcess.kill_server, MereProcess.kill_postgres, both], ids=["server", "postgres", "both"]
)
def test_killed_under_writers(doomed: MereProcess, kill: Callable[[MereProcess], None]) -> None:
    dice = random.Random(7)
    kept = ledger.Ledger()
    ledger.prepare(doomed, WRITERS)
    for number in range(ROUNDS):
        writers = [ledger.Writer(doomed, kept, writer, number * 100_000) for writer in range(WRITERS)]
        for writer in writers:
            writer.start()
        before = len(kept.acknowledged)
        until = time.monotonic() + 20
        while len(kept.acknowledged) < before + 8 and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(dice.random() * 0.4)  # the moment of death is the random part of this test
        kill(doomed)
        for writer in writers:
            writer.ended.set()
        for writer in writers:
            writer.join(30)
        revive(doomed)
        seen = ledger.check(doomed, kept)
        assert seen > before, kept.errors[-3:]
    plain = attach(doomed)
    assert rows(plain, "SELECT count(DISTINCT (writer, seq)) FROM lake.public.left_side") == [(seen,)]
    plain.close()
    assert doomed.stop() == 0


@pytest.mark.timeout(90)
def test_killed_during_copy_leaves_nothing_of_it(doomed: MereProcess) -> None:
    with doomed.client() as client:
        client.ok("CREATE TABLE t (id int, s text)")
        client.ok("CREATE TABLE totals (n int)")
        client.ok("INSERT INTO t VALUES (-1, 'before')")
    copying = doomed.client()
    started = threading.Event()

    def copy() -> None:
        data = b"".join(f"{number}\t{'x' * 80}\n".encode() for number in range(400_000))
        copying.send("COPY t FROM STDIN")
        started.set()
        with pytest.raises((ConnectionLost, DeadlinePassed, Exception)):
            outcomes = copying.results(data, deadline=30)
            assert outcomes[-1].sqlstate is not None, "the COPY was over before the kill"

    thread = threading.Thread(target=copy)
    thread.start()
    assert started.wait(10)
    time.sleep(0.4)
    doomed.kill_server()
    thread.join(40)
    doomed.start()
    with doomed.client() as client:
        count = client.ok("SELECT count(*) FROM t").value
        assert count in ("1", "400001")
        client.ok("INSERT INTO t VALUES (1, 'after')")
        assert client.ok("SELECT count(*) FROM t WHERE id IN (-1, 1)").value in ("2", "3")


@pytest.mark.timeout(90)
def test_killed_with_open_transactions_and_ddl(doomed: MereProcess) -> None:
    with doomed.client() as client:
        client.ok("CREATE TABLE t (id int, s text)")
        client.ok("INSERT INTO t VALUES (1, 'kept')")
        client.ok("BEGIN")
        client.ok("CREATE TABLE half (a int)")
        client.ok("INSERT INTO half VALUES (1)")
        client.ok("ALTER TABLE t ADD COLUMN extra int DEFAULT 4")
        client.ok("DELETE FROM t")
        doomed.kill_server()
    doomed.start()
    with doomed.client() as client:
        assert client.ok("SELECT * FROM t").text == [("1", "kept")]
        client.fails("SELECT * FROM half", "42P01")
        client.ok("CREATE TABLE half (a int)")
        client.ok("INSERT INTO half VALUES (2)")
        assert client.ok("SELECT a FROM half").value == "2"


@pytest.mark.timeout(60)
def test_sessions_notice_that_postgres_died_and_get_an_error_not_a_hang(doomed: MereProcess) -> None:
    client = doomed.client(deadline=20)
    client.ok("CREATE TABLE t (id int)")
    client.ok("INSERT INTO t VALUES (1)")
    client.ok("BEGIN")
    client.ok("INSERT INTO t VALUES (2)")
    doomed.kill_postgres()
    acknowledged = False
    try:
        outcome = client.run("COMMIT")
        acknowledged = outcome.sqlstate is None  # PostgreSQL's backends outlive their postmaster for a moment
        assert acknowledged or outcome.sqlstate in ("08006", "08007", "57P01", "57P02", "57P03"), outcome
        client.run("SELECT count(*) FROM t")
    except ConnectionLost:
        pass
    finally:
        client.close()
    doomed.kill_server()
    doomed.start()
    with doomed.client() as later:
        assert later.ok("SELECT count(*) FROM t").value in (("2",) if acknowledged else ("1", "2"))


@pytest.mark.timeout(60)
def test_a_client_that_vanishes_in_mid_result_harms_nobody(doomed: MereProcess) -> None:
    other = doomed.client()
    other.ok("CREATE TABLE t (id int, s text)")
    other.ok("INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 200000) g")
    for _ in range(4):
        rude: Client = doomed.client()
        rude.send("SELECT * FROM t")
        rude.close()
    assert other.ok("SELECT count(*) FROM t").value == "200000"
    assert doomed.stop() == 0
