"""Two `mere serve --cluster` and a bucket: one warehouse, whose primary may go at any moment.

One pair for all; each promise begins and ends with a primary and its synchronous standby, in whichever roles.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from harness.mere import MereProcess, StartFailed
from harness.pair import NAMES, Pair
from harness.pair_node import Node
from harness.postgres import free_port

pytestmark = pytest.mark.timeout(120)

LEASE = "8s"  # a machine that runs all the tests stands still for seconds now and then


@pytest.fixture(scope="module")
def pair(session_scratch: Path) -> Iterator[Pair]:
    with Pair(session_scratch / "coordinators", {"MERE_LEADER_LEASE": LEASE}) as found:
        yield found.start()


@pytest.fixture(autouse=True)
def whole(pair: Pair) -> None:
    pair.until_whole()


def insert(pair: Pair, value: int, deadline: float = 40.0) -> float:
    """Seconds until a write is acknowledged by whoever takes it."""
    begun = time.monotonic()
    while True:
        try:
            with psycopg.connect(pair.conninfo, autocommit=True) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
                connection.execute("INSERT INTO kept VALUES (%s)", [value])
                return time.monotonic() - begun
        except psycopg.Error:
            if time.monotonic() > begun + deadline:
                raise
            time.sleep(0.05)


def kept(node: Node) -> set[int]:
    with psycopg.connect(node.conninfo(), autocommit=True) as connection:
        return {value for (value,) in connection.execute("SELECT value FROM kept").fetchall()}


def count(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def test_the_second_follows_the_first_and_has_what_was_acknowledged(pair: Pair) -> None:
    primary, standby = pair.roles()
    insert(pair, 1)
    with primary.catalog() as catalog:
        state = catalog.execute("SELECT state, sync_state FROM pg_stat_replication WHERE state <> 'backup'").fetchall()
        assert state == [("streaming", "sync")]
        position = catalog.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
    with standby.catalog() as catalog:
        assert catalog.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        assert catalog.execute("SELECT pg_last_wal_receive_lsn() >= %s::pg_lsn", position).fetchone() == (True,)


def test_both_have_the_same_secrets_and_keep_them_to_themselves(pair: Pair) -> None:
    found = []
    for node in pair.nodes.values():
        secrets = sorted((node.data / "secrets").iterdir())
        assert all(file.stat().st_mode & 0o077 == 0 for file in secrets)
        assert (node.data / "node" / "patroni.json").stat().st_mode & 0o077 == 0
        found.append({file.name: file.read_text() for file in secrets})
    assert found[0] == found[1]
    warehouses = [json.loads((node.data / "mere.json").read_text()) for node in pair.nodes.values()]
    assert len({marker["warehouse"] for marker in warehouses}) == 1
    assert len({marker["id"] for marker in warehouses}) == 2


def test_mere_state_tells_of_both_and_of_where_a_commit_is(pair: Pair) -> None:
    primary, standby = pair.roles()
    told = primary.command("state").stdout
    for word in ("primary", "standby", "synchronous", "timeline", "lease", "streaming", "segment"):
        assert word in told
    assert "commits are confirmed by the standby" in told
    assert "without a standby commits go on alone after 10 s" in told
    assert "standby" in standby.command("state").stdout


def test_a_switchover_swaps_the_roles_and_keeps_every_row(pair: Pair) -> None:
    primary, standby = pair.roles()
    insert(pair, 2)
    done = standby.command("switchover")
    assert done.returncode == 0, done.stderr
    assert insert(pair, 3) < 10
    pair.until_whole()
    assert pair.roles() == (standby, primary)
    assert {2, 3} <= kept(primary)


def test_a_primary_that_is_stopped_hands_over_and_follows_when_it_is_back(pair: Pair) -> None:
    primary, standby = pair.roles()
    insert(pair, 4)
    assert primary.stop(60) == 0
    assert primary.pids() == set()
    insert(pair, 5)
    primary.start(wait=False)
    pair.until_whole()
    assert pair.roles() == (standby, primary)
    assert {4, 5} <= kept(standby)


def test_a_reader_stays_when_its_standby_is_promoted_and_may_write_then(pair: Pair) -> None:
    insert(pair, 20)
    old, new = pair.roles()
    with (
        psycopg.connect(old.conninfo(), autocommit=True) as stranded,
        psycopg.connect(new.conninfo(), autocommit=True) as reader,
    ):
        deadline = time.monotonic() + 60
        while 20 not in kept(new):  # the standby has it on disk, and shows it a little later
            assert time.monotonic() < deadline
        before = count(reader)
        old.kill()
        while reader.info.parameter_status("in_hot_standby") != "off":
            assert time.monotonic() < deadline
            time.sleep(0.1)
            assert count(reader) == before
        reader.execute("INSERT INTO kept VALUES (21)")
        assert count(reader) == before + 1
        with pytest.raises(psycopg.OperationalError):
            count(stranded)
    pair.until_whole()
    assert pair.roles()[0].name == new.name


def test_a_session_of_a_primary_that_steps_down_ends_and_the_next_one_reads(pair: Pair) -> None:
    insert(pair, 22)
    old, _ = pair.roles()
    with psycopg.connect(old.conninfo(), autocommit=True) as session:
        count(session)
        assert old.command("switchover").returncode == 0
        with pytest.raises(psycopg.OperationalError):
            for _ in range(200):
                count(session)
                time.sleep(0.1)
    deadline = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(old.conninfo(), autocommit=True) as again:
                assert count(again) > 0
                assert again.info.parameter_status("in_hot_standby") == "on"
            return
        except psycopg.OperationalError as error:
            assert error.sqlstate in (None, "57P03"), error
            assert time.monotonic() < deadline, error
            time.sleep(0.1)


def test_a_patroni_that_dies_is_started_again_and_nobody_notices(pair: Pair) -> None:
    primary, standby = pair.roles()
    patroni, postmaster = primary.patroni(), primary.postmaster()
    with psycopg.connect(primary.conninfo(), autocommit=True) as session:
        primary.strike("patroni", signal.SIGKILL)
        until = time.monotonic() + 20
        while primary.patroni() in (None, patroni):
            assert time.monotonic() < until
            time.sleep(0.1)
        pair.until_whole()
        assert session.execute("SELECT 1").fetchone() == (1,), "its session lives on"
    assert primary.postmaster() == postmaster
    assert pair.roles() == (primary, standby)


def test_a_primary_whose_patroni_hangs_is_ended_with_its_lease(pair: Pair) -> None:
    primary, standby = pair.roles()
    primary.strike("patroni", signal.SIGSTOP)
    try:
        until = time.monotonic() + 40
        while standby.role() != "primary":
            assert time.monotonic() < until
            time.sleep(0.1)
        assert primary.role() != "primary"
        assert primary.postmaster() is None, "nobody but the guard was there to end it"
    finally:
        primary.strike("patroni", signal.SIGCONT)
    insert(pair, 6)
    pair.until_whole()
    assert 6 in kept(standby)


def test_a_standby_is_removed_and_a_fresh_one_joins_by_one_command_each(pair: Pair, session_scratch: Path) -> None:
    primary, standby = pair.roles()
    refused = standby.command("standby", "remove")
    assert refused.returncode == 1
    assert "is not the primary" in refused.stderr
    removed = primary.command("standby", "remove")
    assert removed.returncode == 0, removed.stderr
    assert standby.process is not None
    standby.process.wait(30)
    assert "was removed from the cluster" in standby.tail()
    assert insert(pair, 7) < 10
    with pytest.raises(StartFailed, match="was removed from the cluster"):
        standby.start()
    fresh = replace(standby, directory=session_scratch / "fresh", port=free_port(), process=None)
    pair.nodes[next(name for name in NAMES if pair.nodes[name] is standby)] = fresh
    pair._stack.callback(fresh.destroy)
    fresh.start(wait=False)
    pair.until_whole()
    assert pair.roles() == (primary, fresh)
    assert 7 in kept(fresh)


def test_a_cluster_needs_a_storage_with_conditional_writes(scratch: Path) -> None:
    server = MereProcess(scratch / "alone", str(scratch / "rows"), options=("--cluster", "pair"))
    with pytest.raises(StartFailed, match="conditional writes"):
        server.start()


def test_where_postgresql_cannot_reach_its_directory_the_start_says_which_is_closed(pair: Pair, scratch: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("PostgreSQL runs as the user of the tests")
    closed = scratch / "closed"
    closed.mkdir(mode=0o700)
    server = replace(pair.roles()[1], directory=closed / "node", port=free_port(), process=None)
    with pytest.raises(StartFailed, match=f"{closed} is closed to it"):
        server.start()
