"""Maintenance in a pair: the primary's alone, wherever it is, and no trouble to who reads on the standby."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.client import Client
from harness.pair import Pair

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def pair(session_scratch: Path) -> Iterator[Pair]:
    often = {"MERE_MAINTENANCE_INTERVAL": "200ms", "MERE_LEADER_LEASE": "8s"}
    with Pair(session_scratch / "maintained", often) as found:
        yield found.start()


def wait_for(condition: Callable[[], bool], what: str, deadline: float = 40.0) -> None:
    until = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.1)


def small_files(client: Client, rows: int) -> None:
    for number in range(rows):
        client.ok(f"INSERT INTO t VALUES ({number})")


def merges(client: Client) -> int:
    return int(client.ok("SELECT count(*) FROM mere.maintenance_log WHERE kind = 'merge'").value or 0)


def test_a_query_on_the_standby_keeps_its_files_whatever_the_primary_forgets(pair: Pair) -> None:
    primary, standby = pair.roles()
    with primary.client() as writer, standby.client() as reader:
        writer.ok("CREATE TABLE r (id int)")
        for number in range(3):
            writer.ok(f"INSERT INTO r VALUES ({number})")
        wait_for(lambda: reader.run("SELECT count(*) FROM r").text == [("3",)], "the standby")
        reader.ok("BEGIN ISOLATION LEVEL REPEATABLE READ")
        assert reader.ok("SELECT sum(id) FROM r").value == "3"
        writer.ok("DELETE FROM r WHERE id = 1")
        writer.ok("VACUUM FULL r")
        for _ in range(2):
            done = primary.command("maintain", "--retention", "0")
            assert done.returncode == 0, done.stderr
        done_there = "SELECT sum(snapshots) > 0, sum(files_deleted) FROM mere.maintenance_log"
        assert writer.ok(done_there).text == [("t", "0")], "snapshots are forgotten, their files stay for standby_grace"
        assert reader.ok("SELECT sum(id) FROM r").value == "3"
        reader.ok("ROLLBACK")
        assert writer.ok("SELECT sum(id) FROM r").value == "2"


def test_the_standby_says_that_maintenance_is_the_primarys(pair: Pair) -> None:
    _, standby = pair.roles()
    refused = standby.command("maintain")
    assert refused.returncode == 1
    assert "maintenance runs on the primary" in refused.stderr
    with standby.client() as reader:
        reader.fails("SELECT * FROM mere.maintain()", "25006")
        reader.fails("VACUUM", "25006")


def test_the_schedule_goes_with_the_role(pair: Pair) -> None:
    primary, standby = pair.roles()
    with primary.client() as writer:
        writer.ok("CREATE TABLE t (id int)")
        small_files(writer, 5)
        wait_for(lambda: merges(writer) == 1, "the primary's schedule")
    assert standby.command("switchover").returncode == 0
    pair.until_whole()
    assert pair.roles() == (standby, primary)
    with standby.client() as writer:
        small_files(writer, 5)
        wait_for(lambda: merges(writer) == 2, "the new primary's schedule")
        assert writer.ok("SELECT count(*), sum(id) FROM t").text == [("10", "20")]
        assert writer.ok("SELECT count(*) FROM mere.maintenance_log WHERE error IS NOT NULL").value == "0"
