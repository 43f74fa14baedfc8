"""A PostgreSQL that outlives its node's lease as a primary is ended; any other is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mere.ha import guard
from mere.ha.watchword import Lease, end_of, heartbeat_age, read_lease, write_heartbeat, write_lease

NEVER = float("-inf")


def test_only_a_lease_that_was_held_and_is_over_is_overdue() -> None:
    assert not guard.overdue(None, 100.0), "Patroni has only begun"
    assert not guard.overdue(Lease(None, 99.0), 100.0), "never the leader: a new catalog is being made"
    assert not guard.overdue(Lease(100.1, 99.0), 100.0)
    assert guard.overdue(Lease(100.0, 99.0), 100.0)


def test_a_lease_that_is_lost_ends_now_and_one_that_never_was_does_not_end() -> None:
    assert end_of(NEVER, 100.0, None) is None
    assert end_of(NEVER, 100.0, Lease(None, 99.0)) is None
    assert end_of(105.0, 100.0, Lease(104.0, 99.0)) == 105.0
    assert end_of(NEVER, 100.0, Lease(104.0, 99.0)) == pytest.approx(100.5)
    assert end_of(NEVER, 200.0, Lease(100.5, 199.0)) == 100.5


def test_both_sides_read_what_the_other_wrote(tmp_path: Path) -> None:
    file = tmp_path / "lease"
    assert read_lease(file) is None
    for lease in (Lease(12.5, 10.0), Lease(None, 11.0)):
        write_lease(file, lease)
        assert read_lease(file) == lease
    assert heartbeat_age(tmp_path / "heartbeat", 10.0) == float("inf")
    write_heartbeat(tmp_path / "heartbeat", 8.0)
    assert heartbeat_age(tmp_path / "heartbeat", 10.0) == 2.0


def test_the_guard_leaves_a_standby_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[Path] = []
    monkeypatch.setattr(guard, "cut_off", ended.append)
    monkeypatch.setattr("mere.catalog.orphan._works_in", lambda pid, cluster: pid == os.getpid())
    cluster = tmp_path / "postgres"
    cluster.mkdir()
    lease = tmp_path / "lease"
    watch = guard.Guard(cluster, lease, clock=lambda: 100.0)
    write_lease(lease, Lease(99.0, 98.0))
    assert not watch.look(), "there is no PostgreSQL"
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n")
    (cluster / "standby.signal").touch()
    assert not watch.look(), "it follows the other"
    (cluster / "standby.signal").unlink()
    (cluster / "postmaster.pid").write_text(f"-{os.getpid()}\n")
    assert not watch.look(), "it repairs itself, for no clients"
    assert not ended
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert watch.look()
    assert ended == [cluster]
    write_lease(lease, Lease(101.0, 98.0))
    assert not watch.look()
