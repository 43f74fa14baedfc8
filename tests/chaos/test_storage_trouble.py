"""A full disk, a storage that goes away and comes back, and maintenance under readers and writers."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.client import Client
from harness.mere import MereProcess

from mere.demo.seaweed import SeaweedFS

from . import ledger


@pytest.mark.timeout(90)
def test_a_full_disk_fails_the_statement_and_nothing_else(doomed: MereProcess) -> None:
    """A limit on the size of files stands for the full disk: the write fails in the same place."""
    assert doomed.process is not None
    client = doomed.client()
    client.ok("CREATE TABLE t (id int, s text)")
    client.ok("INSERT INTO t VALUES (1, 'before')")
    unlimited = resource.prlimit(doomed.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(doomed.process.pid, resource.RLIMIT_FSIZE, (200_000, unlimited[1]))
    big = "INSERT INTO t SELECT g, md5(g::text) || md5((g + 1)::text) FROM generate_series(1, 200000) g"
    outcome = client.run(big)
    assert outcome.sqlstate in ("53100", "58030", "XX000", "53000"), outcome
    assert client.transaction == "I"
    client.ok("BEGIN")
    client.ok("INSERT INTO t VALUES (2, 'small')")
    assert client.run(big).sqlstate is not None
    client.ok("ROLLBACK")
    assert client.ok("SELECT count(*) FROM t").value == "1"
    resource.prlimit(doomed.process.pid, resource.RLIMIT_FSIZE, unlimited)
    client.ok(big)
    assert client.ok("SELECT count(*) FROM t").value == "200001"
    client.close()
    assert doomed.stop() == 0


@pytest.fixture
def on_own_store(scratch: Path) -> Iterator[tuple[MereProcess, SeaweedFS]]:
    with SeaweedFS(scratch / "store") as store:
        server = MereProcess(scratch / "mere", f"{store.url}/lake", dict(store.environment))
        server.start()
        try:
            yield server, store
        finally:
            server.destroy()


@pytest.mark.timeout(100)
def test_storage_that_is_gone_is_an_error_not_a_hang(on_own_store: tuple[MereProcess, SeaweedFS]) -> None:
    server, store = on_own_store
    client = server.client(deadline=60)
    client.ok("CREATE TABLE t (id int, s text)")
    client.ok("INSERT INTO t VALUES (1, 'kept')")
    store.stop()
    outcome = client.run("INSERT INTO t VALUES (2, 'lost')")
    assert outcome.sqlstate is not None
    assert outcome.sqlstate[:2] in ("58", "08", "53"), outcome
    assert client.transaction == "I"
    assert client.ok("SELECT relname FROM pg_class WHERE relname = 't'").value == "t"
    client.close()


def merge_while(server: MereProcess, stop: threading.Event, problems: list[str]) -> None:
    while not stop.is_set():
        try:
            server.maintain("--retention", "0")
        except Exception as error:
            problems.append(repr(error)[:2000])
            return


@pytest.mark.timeout(120)
def test_maintenance_never_takes_a_file_that_somebody_needs(doomed: MereProcess) -> None:
    ledger.prepare(doomed, 2)
    kept, stop, problems = ledger.Ledger(), threading.Event(), list[str]()
    writers = [ledger.Writer(doomed, kept, writer, 0) for writer in range(2)]
    maintenance = threading.Thread(target=merge_while, args=(doomed, stop, problems))
    for thread in (*writers, maintenance):
        thread.start()
    try:
        with doomed.client() as reader:
            for _ in range(3):
                reader.ok("BEGIN ISOLATION LEVEL REPEATABLE READ")
                first = reader.ok("SELECT count(*), sum(seq), max(length(note)) FROM right_side").text
                watch(reader, first, kept)
                reader.ok("COMMIT")
    finally:
        stop.set()
        for writer in writers:
            writer.ended.set()
        for thread in (*writers, maintenance):
            thread.join(60)
    assert not problems, problems
    assert ledger.check(doomed, kept) > 10, kept.errors[-3:]
    doomed.maintain("--retention", "0")
    ledger.check(doomed, kept)


def watch(reader: Client, first: list[tuple[str | None, ...]], kept: ledger.Ledger) -> None:
    """The same snapshot again and again, while at least ten commits happen beside it."""
    target = len(kept.acknowledged) + 10
    for _ in range(200):
        assert reader.ok("SELECT count(*), sum(seq), max(length(note)) FROM right_side").text == first
        if len(kept.acknowledged) >= target:
            return


@pytest.mark.timeout(90)
def test_maintenance_removes_the_garbage_of_failed_statements(doomed: MereProcess) -> None:
    storage = doomed.data / "storage"
    with doomed.client() as client:
        client.ok("CREATE TABLE t (id int, s text)")
        client.ok("INSERT INTO t SELECT g, 'kept' FROM generate_series(1, 1000) g")
        for _ in range(3):
            client.ok("BEGIN")
            client.ok("INSERT INTO t SELECT g, 'garbage' FROM generate_series(1, 1000) g")
            client.ok("DELETE FROM t WHERE id < 100")
            client.ok("ROLLBACK")
        for number in range(5):
            client.ok(f"INSERT INTO t VALUES ({number}, 'small')")
        client.ok("DELETE FROM t WHERE id > 500")
        before = client.ok("SELECT count(*), sum(id), count(DISTINCT s) FROM t").text
        files = sum(1 for _ in storage.rglob("*.parquet"))
        for _ in range(2):
            doomed.maintain("--retention", "0")
            assert client.ok("SELECT count(*), sum(id), count(DISTINCT s) FROM t").text == before
        assert sum(1 for _ in storage.rglob("*.parquet")) < files
        client.ok("INSERT INTO t VALUES (9999, 'after')")
        assert client.ok("SELECT count(*) FROM t WHERE id = 9999").value == "1"
