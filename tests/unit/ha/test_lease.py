"""A lease has one believer at a time, whatever clocks, replies and processes do."""

from __future__ import annotations

import threading
import time

import pytest
from harness.unsteady import FakeClock, Unsteady
from obstore.store import MemoryStore

from mere.ha.lease import DRIFT, Lease, patience
from mere.ha.objects import ConditionFailed, Unreachable
from mere.ha.records import DamagedRecord, Records

TTL = 10.0
MARGIN = 0.5
PATIENCE = patience(TTL, MARGIN)


class Node:
    """A name with its own clock, its own way to the store, and a part in the lease."""

    def __init__(self, store: MemoryStore, name: str, rate: float = 1.0) -> None:
        self.clock = FakeClock(now=1000.0 * sum(name.encode()), rate=rate)  # clocks of two machines share no origin
        self.objects = Unsteady(store)
        self.records = Records(self.objects, self.clock, self.clock.sleep)
        self.lease = Lease(self.records, "leader", name, TTL, MARGIN)

    @property
    def soon(self) -> float:
        return self.clock() + 2.0

    def acquire(self) -> bool:
        return self.lease.acquire(self.soon)

    def believes(self) -> bool:
        return self.lease.held

    def renew(self) -> bool:
        return self.lease.renew(self.soon, {})


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


def test_the_first_to_ask_gets_it_and_the_second_does_not(a: Node, b: Node) -> None:
    assert a.acquire()
    assert not b.acquire()
    assert a.believes()
    assert not b.believes()


def test_a_renewed_lease_is_never_free(a: Node, b: Node) -> None:
    assert a.acquire()
    for _ in range(20):
        after(TTL / 3, a, b)
        assert a.renew()
        assert not b.acquire()
        assert a.believes()


def test_a_silent_holder_stops_believing_before_another_may_take_it(a: Node, b: Node) -> None:
    assert a.acquire()
    assert not b.acquire()
    after(TTL - 0.01, a, b)
    assert a.believes()
    assert not b.acquire()
    after(0.01, a, b)
    assert not a.believes()
    assert not b.acquire(), "an observer waits longer than the holder believes"
    after(PATIENCE - TTL, a, b)
    assert b.acquire()
    assert not a.renew()


def test_an_observer_that_comes_late_waits_the_whole_time_from_its_own_first_look(a: Node, b: Node) -> None:
    assert a.acquire()
    after(TTL * 5, a, b)
    assert not b.acquire()
    after(PATIENCE - 0.01, b)
    assert not b.acquire()
    after(0.02, b)
    assert b.acquire()


@pytest.mark.parametrize(("of_holder", "of_observer"), [(1 - DRIFT, 1 + DRIFT), (1 + DRIFT, 1 - DRIFT), (1.0, 1.0)])
def test_clocks_that_drift_never_make_two_believers(store: MemoryStore, of_holder: float, of_observer: float) -> None:
    holder, observer = Node(store, "holder", of_holder), Node(store, "observer", of_observer)
    assert holder.acquire()
    observer.lease.look(observer.soon)
    for _ in range(300):
        after(0.05, holder, observer)
        taken = observer.acquire()
        assert not (taken and holder.believes())
        if taken:
            return
    raise AssertionError("the lease of a holder that is gone was never taken over")


def test_wall_clocks_have_no_say(a: Node, b: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    assert a.acquire()
    assert not b.acquire()
    for wrong in (0.0, 4e9):
        monkeypatch.setattr(time, "time", lambda wrong=wrong: wrong)
        assert a.believes()
        assert not b.acquire()
        assert a.renew()


def test_a_released_lease_is_free_at_once(a: Node, b: Node) -> None:
    assert a.acquire()
    assert not b.acquire()
    assert a.lease.release(a.soon)
    assert not a.believes()
    assert b.acquire()


def test_who_does_not_hold_it_cannot_release_it(a: Node, b: Node) -> None:
    assert a.acquire()
    assert not b.lease.release(b.soon)
    assert a.renew()


def test_a_paused_holder_that_wakes_up_knows_that_it_has_lost(a: Node, b: Node) -> None:
    assert a.acquire()
    assert not b.acquire()
    after(PATIENCE, a, b)  # a did nothing meanwhile
    assert b.acquire()
    assert not a.believes()
    assert not a.renew()
    assert b.renew()


def test_a_holder_paused_inside_its_renewal_gains_no_time(a: Node, b: Node) -> None:
    assert a.acquire()
    a.objects.took = lambda: a.clock.pass_true_time(TTL)
    assert a.renew(), "nobody took it meanwhile"
    assert not a.believes(), "its time runs from before the renewal was sent"


def test_a_renewal_that_comes_between_defeats_the_takeover(a: Node, b: Node) -> None:
    assert a.acquire()
    assert not b.acquire()
    after(PATIENCE, a, b)
    after_the_read = iter([False, True])
    b.objects.took = lambda: next(after_the_read, False) and a.renew()
    assert not b.acquire()
    assert a.believes()


def test_a_lost_reply_to_the_acquisition_is_found_out(a: Node, b: Node) -> None:
    a.objects.lost_replies = 1
    assert a.acquire()
    assert a.believes()
    assert not b.acquire()


def test_a_lost_reply_to_a_renewal_is_found_out(a: Node) -> None:
    assert a.acquire()
    after(1, a)
    a.objects.lost_replies = 1
    before = a.clock()
    assert a.renew()
    assert a.lease.until == before + TTL


def test_a_holder_that_cannot_renew_keeps_its_old_end(a: Node) -> None:
    assert a.acquire()
    until = a.lease.until
    after(3, a)
    a.objects.down = True
    with pytest.raises(Unreachable):
        a.renew()
    assert a.lease.until == until


def test_a_renewal_that_arrives_late_is_known_as_its_own(a: Node, b: Node) -> None:
    assert a.acquire()
    assert not b.acquire()
    after(1, a, b)
    sent = a.clock()
    a.objects.late = 100
    with pytest.raises(Unreachable):
        a.renew()
    a.objects.late = 0
    with pytest.raises(ConditionFailed):
        a.objects.deliver()  # the first arrives, its repetitions are refused
    a.lease.look(a.soon)
    assert a.lease.until == sent + TTL
    assert a.renew()
    assert not b.acquire()


def test_an_acquisition_that_arrives_late_makes_no_believer_until_it_is_seen(a: Node, b: Node) -> None:
    a.objects.late = 100
    with pytest.raises(Unreachable):
        a.acquire()
    a.objects.late = 0
    with pytest.raises(ConditionFailed):
        a.objects.deliver()
    assert not a.believes()
    assert not b.acquire()
    assert a.renew()
    assert a.believes()


def test_a_late_renewal_cannot_undo_a_takeover(a: Node, b: Node) -> None:
    assert a.acquire()
    assert not b.acquire()
    a.objects.late = 100
    with pytest.raises(Unreachable):
        a.renew()
    a.objects.late = 0
    after(PATIENCE, a, b)
    assert b.acquire()
    with pytest.raises(ConditionFailed):
        a.objects.deliver()
    assert b.renew()
    assert not a.renew()


def test_a_release_in_doubt_leaves_no_belief(a: Node) -> None:
    assert a.acquire()
    a.objects.late = 100
    with pytest.raises(Unreachable):
        a.lease.release(a.soon)
    assert not a.believes()


def test_a_vanished_record_is_waited_out(store: MemoryStore, a: Node, b: Node) -> None:
    assert a.acquire()
    assert not b.acquire()
    store.delete("pair/leader")
    assert not b.acquire(), "its holder still believes"
    after(PATIENCE, b)
    assert b.acquire()


def test_a_process_succeeds_an_earlier_one_of_its_name_at_once_and_the_earlier_one_learns_it(
    store: MemoryStore,
) -> None:
    earlier, later = Node(store, "a"), Node(store, "a")
    assert earlier.acquire()
    assert later.renew()
    assert not earlier.renew()
    assert not earlier.renew(), "it does not take it back"
    assert later.renew()


def test_the_note_goes_along_and_outlives_its_holder(a: Node, b: Node) -> None:
    assert a.acquire()
    assert a.lease.renew(a.soon, {"status": "x"})
    assert a.lease.release(a.soon)
    assert b.acquire()
    assert b.lease.look(b.soon).note == {"status": "x"}


def test_a_renewal_is_one_request(a: Node) -> None:
    assert a.acquire()
    a.objects.requests.clear()
    assert a.renew()
    assert a.objects.requests == ["PUT leader"]


def test_an_answer_that_was_on_the_way_does_not_take_a_fresh_lease_from_its_holder(a: Node, b: Node) -> None:
    assert b.acquire()
    assert b.lease.release(b.soon)
    stale = a.records.read("leader", a.soon)
    asked = a.clock()
    after(0.1, a)
    assert a.acquire()
    a.records.read = lambda key, deadline: stale  # type: ignore[method-assign]
    a.clock.now, now = asked, a.clock()
    a.lease.look(a.soon)
    a.clock.now = now
    assert a.believes()


def test_a_record_that_is_no_lease_is_an_error_and_nobodys(store: MemoryStore, a: Node) -> None:
    for data in (b"", b"[]", b'{"format":1,"write":"x","body":{"holder":1}}', b'{"format":2,"write":"x","body":{}}'):
        store.put("pair/leader", data)
        with pytest.raises(DamagedRecord):
            a.acquire()
        assert not a.believes()


def test_of_many_threads_one_wins_each_term(store: MemoryStore) -> None:
    nodes = [Node(store, f"node-{number}") for number in range(8)]
    for _ in range(25):
        for node in nodes:
            node.lease.look(node.soon)
        after(PATIENCE, *nodes)
        won: list[Node] = []
        start = threading.Barrier(len(nodes))

        def race(node: Node, start: threading.Barrier = start, won: list[Node] = won) -> None:
            start.wait(10)
            if node.acquire():
                won.append(node)

        threads = [threading.Thread(target=race, args=(node,)) for node in nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(won) == 1
        assert [node for node in nodes if node.believes()] == won
