# mypy: disable-error-code="import-not-found, import-untyped"
"""Patroni's contract for a store, kept by ours: what Patroni itself calls, over a store in memory."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from harness.unsteady import FakeClock, Unsteady
from obstore.store import MemoryStore
from patroni.dcs import AbstractDCS, get_dcs
from patroni.exceptions import DCSError, PatroniFatalException

from mere.ha.lease import patience
from mere.ha.patroni_store import FORGET_SECONDS, ObjectStoreDCS, register
from mere.ha.records import Records
from mere.ha.watchword import read_lease, write_heartbeat

NO_GROUPS = SimpleNamespace(is_enabled=lambda: False, is_coordinator=lambda: False)
DATA = {"conn_url": "postgres://h/postgres", "state": "running", "role": "replica", "xlog_location": 1}


class Node(ObjectStoreDCS):
    """The store as one Patroni has it, on a clock of the test's."""

    store: MemoryStore

    def __init__(self, store: MemoryStore, name: str, **section: Any) -> None:
        self.store = store
        config = {"scope": "warehouse", "name": name, "ttl": 30, "loop_wait": 10, "retry_timeout": 10, **section}
        super().__init__(config, NO_GROUPS)
        self.clock = FakeClock(now=1000.0 * sum(name.encode()))
        self._records.clock = self.clock
        self._records._sleep = self.clock.sleep

    def _open(self, config: Mapping[str, Any]) -> Unsteady:
        self.objects = Unsteady(self.store, self.client_path("").lstrip("/"))
        return self.objects

    def loop(self) -> None:
        """What Patroni's loop does with the store when nothing happens."""
        cluster = self.get_cluster()
        if cluster.leader and cluster.leader.name == self._name:
            assert self.update_leader(cluster, 42)
        self.touch_member({**DATA, "name": self._name})


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def a(store: MemoryStore) -> Node:
    return Node(store, "a")


@pytest.fixture
def b(store: MemoryStore) -> Node:
    return Node(store, "b")


def after(seconds: float, *nodes: Node) -> None:
    for node in nodes:
        node.clock.pass_true_time(seconds)


def test_it_implements_all_that_patroni_asks_of_a_store() -> None:
    assert not ObjectStoreDCS.__abstractmethods__
    assert issubclass(ObjectStoreDCS, AbstractDCS)


def test_patroni_finds_it_by_its_section_and_keeps_its_own_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    import patroni.dcs

    monkeypatch.setattr(patroni.dcs, "iter_dcs_classes", patroni.dcs.iter_dcs_classes)
    register()
    register()
    monkeypatch.setattr(ObjectStoreDCS, "_open", lambda self, config: Unsteady(MemoryStore()))
    found = get_dcs({"scope": "w", "name": "a", "ttl": 25, "object_store": {"url": "s3://bucket"}})
    assert isinstance(found, ObjectStoreDCS)
    assert found.ttl == 25
    names = [name for name, _ in patroni.dcs.iter_dcs_classes()]
    assert names.count("object_store") == 1
    assert "kubernetes" in names
    assert [name for name, _ in patroni.dcs.iter_dcs_classes({"kubernetes": {}})] == ["kubernetes"]


def test_a_new_cluster_is_empty(a: Node) -> None:
    cluster = a.get_cluster()
    assert cluster.is_unlocked()
    assert cluster.initialize is None
    assert cluster.sync.is_empty
    assert cluster.members == []


def test_one_of_two_initializes(a: Node, b: Node) -> None:
    assert a.initialize(create_new=True)
    assert not b.initialize(create_new=True)
    assert a.initialize(create_new=False, sysid="7000000000000000001")
    assert b.get_cluster().initialize == "7000000000000000001"
    assert b.cancel_initialization()
    assert a.get_cluster().initialize is None


def test_the_leader_is_seen_with_its_status_until_it_falls_silent(a: Node, b: Node) -> None:
    assert a.attempt_to_acquire_leader()
    assert not b.attempt_to_acquire_leader()
    for _ in range(6):
        a.loop()
        b.loop()
        after(10, a, b)
    cluster = b.get_cluster()
    assert cluster.leader.name == "a"
    assert cluster.leader.conn_url == DATA["conn_url"]
    assert cluster.status.last_lsn == 42
    assert {member.name for member in cluster.members} == {"a", "b"}
    after(patience(30, 0.5), b)
    b.touch_member({**DATA, "name": "b"})
    cluster = b.get_cluster()
    assert cluster.is_unlocked()
    assert [member.name for member in cluster.members] == ["b"]
    assert cluster.status.last_lsn == 42, "the position outlives the leader"
    assert b.acquire_leader_lock()


def test_a_released_lock_is_free_at_once(a: Node, b: Node) -> None:
    assert a.attempt_to_acquire_leader()
    leader = a.get_cluster().leader
    assert b.get_cluster().leader.name == "a"
    assert a.delete_leader(leader, 99)
    cluster = b.get_cluster()
    assert cluster.is_unlocked()
    assert cluster.status.last_lsn == 99
    assert b.attempt_to_acquire_leader()
    assert not a.delete_leader(leader)


def test_a_leader_that_lost_the_lock_is_told_so(a: Node, b: Node) -> None:
    assert a.attempt_to_acquire_leader()
    cluster = a.get_cluster()
    b.get_cluster()
    after(patience(30, 0.5), a, b)
    assert b.attempt_to_acquire_leader()
    assert not a.update_leader(cluster, 43)
    assert a.lease_until < a.clock()
    assert b.get_cluster().status.last_lsn == 0


def test_taking_the_lead_never_deposes_a_living_leader(a: Node, b: Node) -> None:
    assert a.take_leader()
    assert not b.take_leader()
    assert b.get_cluster().leader.name == "a"


def test_an_unreachable_store_is_an_error_for_what_decides_and_false_for_the_rest(a: Node) -> None:
    assert a.attempt_to_acquire_leader()
    cluster = a.get_cluster()
    a.objects.down = True
    for decides in (a.get_cluster, a.attempt_to_acquire_leader, lambda: a.update_leader(cluster, 1)):
        with pytest.raises(DCSError):
            decides()
    for rest in (
        lambda: a.touch_member(DATA),
        lambda: a.set_config_value("{}"),
        lambda: a.set_failover_value("{}"),
        lambda: a.set_history_value("[]"),
        lambda: a.set_sync_state_value("{}"),
        lambda: a.delete_leader(cluster.leader),
        lambda: a.initialize(),
    ):
        assert rest() is False


def test_a_holder_gives_up_before_its_lease_ends(a: Node) -> None:
    assert a.attempt_to_acquire_leader()
    cluster = a.get_cluster()
    until = a.lease_until
    after(20, a)
    a.objects.down = True
    with pytest.raises(DCSError):
        a.update_leader(cluster, 1)
    assert a.clock() < until - 4, "time is left to stop PostgreSQL"


def test_a_holder_before_a_slow_store_has_stopped_asking_when_its_lease_ends(a: Node) -> None:
    assert a.attempt_to_acquire_leader()
    assert a.get_cluster().leader.name == "a"
    until = a.lease_until
    a.objects.took = lambda: a.clock.pass_true_time(10 / 3)  # each answer comes just within a request's time limit
    after(21, a)
    with pytest.raises(DCSError):
        a.update_leader(a.get_cluster(), 1)
    assert a.clock() <= until


def test_a_holder_that_overslept_goes_on_if_nobody_took_the_lease(a: Node) -> None:
    assert a.attempt_to_acquire_leader()
    after(300, a)
    assert a.get_cluster().is_unlocked()
    assert a.acquire_leader_lock()
    assert a.lease_until > a.clock()


def test_sync_state_is_compare_and_set_also_after_it_was_deleted(a: Node, b: Node) -> None:
    first = a.write_sync_state("a", ["b"], 0)
    assert first is not None
    assert b.get_cluster().sync.matches("b")
    second = a.write_sync_state("a", [], 0, version=first.version)
    assert second is not None
    assert b.write_sync_state("b", [], 0, version=first.version) is None
    assert b.delete_sync_state(version=second.version)
    gone = a.get_cluster().sync
    assert gone.is_empty
    assert a.write_sync_state("a", ["b"], 0, version=second.version) is None
    assert a.write_sync_state("a", ["b"], 0, version=gone.version) is not None


def test_a_request_for_a_failover_config_and_history_reach_the_others(a: Node, b: Node) -> None:
    assert a.manual_failover("a", "b")
    assert a.set_config_value('{"ttl":30}')
    assert a.set_history_value('[[1,25623960,"no recovery target specified"]]')
    cluster = b.get_cluster()
    assert (cluster.failover.leader, cluster.failover.candidate) == ("a", "b")
    assert cluster.config.data == {"ttl": 30}
    assert cluster.timeline == 2
    assert b.manual_failover("", "", version=cluster.failover.version)
    assert not b.manual_failover("", "", version=cluster.failover.version)
    assert not a.get_cluster().failover
    assert not b.set_config_value("{}", cluster.config.version + 1)


def test_a_loop_of_a_pair_is_four_reads_and_the_primary_renews_and_reports_in_one_write(a: Node, b: Node) -> None:
    assert a.attempt_to_acquire_leader()
    for node in (a, b, a, b):
        node.loop()
    reads = ["GET leader", "GET shared", "GET members/a", "GET members/b"]
    after(10, a, b)
    a.objects.requests.clear()
    b.objects.requests.clear()
    a.loop()
    b.loop()
    assert a.objects.requests == [*reads, "PUT leader", "PUT members/a"]
    assert b.objects.requests == [*reads, "PUT members/b"]


def test_a_standby_wakes_when_the_lock_is_given_up_or_runs_out(a: Node, b: Node) -> None:
    b.event = SimpleNamespace(wait=b.clock.sleep, clear=lambda: None, is_set=lambda: False)
    assert a.attempt_to_acquire_leader()
    version = b.get_cluster().leader.version
    before = b.clock()
    assert not b.watch(version, 10)
    assert b.clock() == pytest.approx(before + 10)
    b.clock.on_sleep = lambda _: a.delete_leader(a.get_cluster().leader)
    before = b.clock()
    assert b.watch(version, 10)
    assert b.clock() == pytest.approx(before + 1)
    assert b.attempt_to_acquire_leader()
    b.clock.on_sleep = lambda _: None
    a.event = SimpleNamespace(wait=a.clock.sleep, clear=lambda: None, is_set=lambda: False)
    version, before = a.get_cluster().leader.version, a.clock()
    assert a.watch(version, 60)
    assert a.clock() == pytest.approx(before + patience(30, 0.5))


def test_a_watch_survives_an_unreachable_store(a: Node, b: Node) -> None:
    b.event = SimpleNamespace(wait=b.clock.sleep, clear=lambda: None, is_set=lambda: False)
    assert a.attempt_to_acquire_leader()
    version = b.get_cluster().leader.version
    b.objects.down = True
    assert not b.watch(version, 10)


def test_a_lease_of_our_own_is_shorter_than_patroni_lets_its_ttl_be(store: MemoryStore) -> None:
    node = Node(store, "a", lease_seconds=6)
    node.reload_config({"ttl": 20, "loop_wait": 10, "retry_timeout": 9})
    assert node.ttl == 6
    assert node.loop_wait == 1
    assert node.attempt_to_acquire_leader()
    assert node.lease_until == node.clock() + 6
    node.objects.down = True
    before = node.clock()
    with pytest.raises(DCSError):
        node.get_cluster()
    assert node.clock() - before <= (6 - node.loop_wait) / 2


def test_a_member_silent_for_long_is_taken_off_the_list_and_comes_back_by_itself(a: Node, b: Node) -> None:
    assert a.attempt_to_acquire_leader()
    b.loop()
    a.loop()
    for _ in range(int(FORGET_SECONDS / 20) + 2):
        after(20, a)
        a.loop()
    a.objects.requests.clear()
    a.loop()
    assert "GET members/b" not in a.objects.requests
    after(60, b)
    b.loop()
    assert {member.name for member in a.get_cluster().members} == {"a", "b"}


def test_patronictl_remove_leaves_nothing(store: MemoryStore, a: Node, b: Node) -> None:
    assert a.attempt_to_acquire_leader()
    for node in (a, b):
        node.loop()
    assert a.delete_cluster()
    assert not [meta for batch in store.list() for meta in batch]
    assert Node(store, "c").get_cluster().is_unlocked()


def test_a_damaged_record_is_an_error_and_never_a_free_lock(store: MemoryStore, a: Node) -> None:
    store.put("service/warehouse/leader", b"{}")
    with pytest.raises(DCSError):
        a.get_cluster()
    store.delete("service/warehouse/leader")
    store.put("service/warehouse/shared", b'{"format":1,"write":"x","body":{"revision":1,"entries":[]}}')
    with pytest.raises(DCSError):
        a.get_cluster()


def test_citus_groups_and_a_missing_url_are_refused_at_start(store: MemoryStore) -> None:
    config = {"scope": "warehouse", "name": "a", "loop_wait": 10}
    with pytest.raises(PatroniFatalException, match="url"):
        ObjectStoreDCS(config, NO_GROUPS)
    with pytest.raises(PatroniFatalException, match="Citus"):
        ObjectStoreDCS({**config, "url": "s3://bucket"}, SimpleNamespace(is_enabled=lambda: True))


def test_the_records_of_two_clusters_do_not_meet(store: MemoryStore, a: Node) -> None:
    assert a.attempt_to_acquire_leader()
    other = Node(store, "b", scope="other")
    assert other.get_cluster().is_unlocked()
    assert isinstance(other._records, Records)


def test_the_coordinator_beside_is_told_until_when_the_lease_lasts(store: MemoryStore, tmp_path: Path) -> None:
    a = Node(store, "a", lease_seconds=6, lease_file=str(tmp_path / "lease"))
    a.loop()
    told = read_lease(tmp_path / "lease")
    assert told is not None
    assert told.until is None, "it never was the leader"
    assert a.attempt_to_acquire_leader()
    told = read_lease(tmp_path / "lease")
    assert told is not None
    assert told.until == a.lease_until
    leader = a.get_cluster().leader
    assert leader is not None
    a.delete_leader(leader)
    told = read_lease(tmp_path / "lease")
    assert told is not None
    assert told.until is not None
    assert told.until <= a.clock() + 0.5, "given up: a PostgreSQL that is still a primary may go at once"


def test_without_a_living_coordinator_nobody_stays_or_becomes_leader(store: MemoryStore, tmp_path: Path) -> None:
    a = Node(store, "a", lease_seconds=6, heartbeat_file=str(tmp_path / "heartbeat"))
    assert not a.attempt_to_acquire_leader(), "there is no coordinator yet"
    write_heartbeat(tmp_path / "heartbeat", a.clock())
    assert a.attempt_to_acquire_leader()
    after(11, a)
    cluster = a.get_cluster()
    assert a.update_leader(cluster, 42), "it may stumble for two leases"
    after(2, a)
    assert not a.update_leader(cluster, 43)


def test_a_removed_member_says_so_and_is_a_member_no_more(store: MemoryStore, a: Node, tmp_path: Path) -> None:
    b = Node(store, "b", removed_file=str(tmp_path / "removed"))
    a.loop()
    b.loop()
    assert {member.name for member in a.get_cluster().members} == {"a", "b"}
    deadline = a.clock() + 5
    assert a._entries.put("removed/b", "", deadline)
    assert a._entries.drop("members/b", deadline)
    a._members.forget("b")
    b.loop()
    assert (tmp_path / "removed").exists()
    assert {member.name for member in a.get_cluster().members} == {"a"}
    assert not b.attempt_to_acquire_leader()


def test_the_lease_is_told_by_many_threads_at_once(tmp_path: Path) -> None:
    """Patroni's loop asks the store, and its API's threads do."""
    node = Node(MemoryStore(), "a", lease_file=str(tmp_path / "lease"))
    with ThreadPoolExecutor(8) as threads:
        for told in [threads.submit(node._publish) for _ in range(400)]:
            told.result()
    assert read_lease(tmp_path / "lease") is not None
