"""Maintenance that is killed at any moment leaves garbage at most, which the next run finds."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from harness.client import Client, ConnectionLost, DeadlinePassed
from harness.lakereader import attach, rows
from harness.mere import MereProcess

from . import ledger

ALWAYS = ("--maintenance-interval", "300ms", "--retention", "1s")
FILES = """
SELECT f.path FROM (SELECT path, path_is_relative FROM mere_lake.ducklake_data_file
    UNION ALL SELECT path, path_is_relative FROM mere_lake.ducklake_delete_file) AS f
"""


@pytest.fixture
def maintained(scratch: Path) -> Iterator[MereProcess]:
    server = MereProcess(scratch / "maintained", options=ALWAYS)
    server.start()
    try:
        yield server
    finally:
        server.destroy()


class Reader(threading.Thread):
    """Reads one snapshot again and again, while its files are replaced and forgotten by all others."""

    def __init__(self, server: MereProcess) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.ended = threading.Event()
        self.problems: list[str] = []
        self.snapshots = 0

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                with self.server.client(deadline=15) as client:
                    while not self.ended.is_set():
                        self.read(client)
            except (ConnectionLost, DeadlinePassed):
                self.ended.wait(0.05)

    def read(self, client: Client) -> None:
        question = "SELECT count(*), sum(seq), max(length(note)) FROM right_side"
        client.ok("BEGIN ISOLATION LEVEL REPEATABLE READ")
        first = client.run(question)
        for _ in range(10):
            again = client.run(question)
            if again.sqlstate in (None, "40001") and again.text == first.text:
                continue
            if again.sqlstate is None or again.sqlstate[:2] != "57":
                self.problems.append(f"{first} and then {again}")
        client.simple("ROLLBACK")
        self.snapshots += 1


def files_known(server: MereProcess) -> set[str]:
    directory, port = server.backing_socket()
    user, password = server.secret()
    with psycopg.connect(host=str(directory), port=port, user=user, password=password, dbname="mere") as connection:
        return {Path(row[0]).name for row in connection.execute(FILES)}


def wait_for(condition: Callable[[], bool], what: str, deadline: float = 40.0) -> None:
    until = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.05)


def wait_for_commits(kept: ledger.Ledger, more: int) -> None:
    enough = len(kept.acknowledged) + more
    wait_for(lambda: len(kept.acknowledged) >= enough, "writers to commit")


def kinds_done(client: Client) -> set[str | None]:
    return {row[0] for row in client.ok("SELECT DISTINCT kind FROM mere.maintenance_log WHERE error IS NULL").text}


@pytest.mark.timeout(180)
def test_maintenance_is_killed_again_and_again_under_writers_and_readers(maintained: MereProcess) -> None:
    chance = random.Random(7)
    ledger.prepare(maintained, 2)
    kept, reader = ledger.Ledger(), Reader(maintained)
    threads: list[ledger.Writer | Reader] = [ledger.Writer(maintained, kept, number, 0) for number in range(2)]
    threads.append(reader)
    for thread in threads:
        thread.start()
    for round_ in range(4):
        wait_for_commits(kept, 4)
        time.sleep(chance.uniform(0.0, 1.0))
        if round_ % 2:
            maintained.kill_postgres()
            maintained.wait_until_ready()
        else:
            maintained.kill_server()
            maintained.start()
    with maintained.client() as client:
        wait_for(lambda: {"merge", "expire", "delete"} <= kinds_done(client), "files to be deleted")
    for thread in threads:
        thread.ended.set()
    for thread in threads:
        thread.join(60)
    assert not reader.problems, reader.problems[:3]
    assert reader.snapshots > 3
    there = ledger.check(maintained, kept)
    with maintained.client() as client:
        said = client.ok("SELECT error FROM mere.maintenance_log WHERE error IS NOT NULL").text
        assert not said, said
    for _ in range(2):  # what one run makes superfluous, the next one may delete
        maintained.maintain("--retention", "0")
    assert ledger.check(maintained, kept) == there
    stored = {path.name for path in (maintained.data / "storage").rglob("*.parquet")}
    assert stored == files_known(maintained)
    plain = attach(maintained)
    sums = "SELECT (SELECT count(*) FROM {0}left_side), (SELECT sum(seq) FROM {0}right_side)"
    with maintained.client() as client:
        ours = client.ok(sums.format("")).text[0]
    assert [str(value) for value in rows(plain, sums.format("lake.public."))[0]] == list(ours)
    plain.close()
