"""The lease on a real S3 server: one winner of each race, never two believers, and no reply has to arrive."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from harness.contender import Belief, clashes, contend
from harness.lossy import LossyProxy

from mere.demo.seaweed import SeaweedFS
from mere.ha.lease import Lease, patience
from mere.ha.objects import Objects, Unreachable, open_objects
from mere.ha.records import Records, boot_clock

SECONDS = 4.0


def soon() -> float:
    return boot_clock() + 10.0


@pytest.fixture
def prefix() -> str:
    return f"ha-{uuid.uuid4().hex}/"


@pytest.fixture
def proxy(object_store: SeaweedFS) -> Iterator[LossyProxy]:
    proxy = LossyProxy(object_store.port)
    yield proxy
    proxy.close()


def objects_of(store: SeaweedFS, prefix: str, timeout: float = 5.0, endpoint: str | None = None) -> Objects:
    environment = {**store.environment, **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})}
    return open_objects(f"{store.url}/lake", prefix, environment, timeout)


def test_the_store_honours_conditional_writes(object_store: SeaweedFS, prefix: str) -> None:
    objects_of(object_store, prefix).prove()


def test_of_four_writers_one_wins_each_term(object_store: SeaweedFS, prefix: str) -> None:
    """Few, since this server lets those who write one object at once wait for each other in turns of a second."""
    terms, ttl = 3, 0.2
    won: list[list[int]] = [[] for _ in range(terms)]
    start = threading.Barrier(4)

    def race(number: int) -> None:
        lease = Lease(Records(objects_of(object_store, prefix)), "leader", f"node-{number}", ttl, 0.0)
        for term in range(terms):
            lease.look(soon())
            start.wait(60)
            time.sleep(patience(ttl, 0.01))
            start.wait(60)
            if lease.acquire(soon()):
                won[term].append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert [len(winners) for winners in won] == [1] * terms


def test_processes_that_hold_fall_silent_and_are_paused_never_believe_together(
    object_store: SeaweedFS, prefix: str
) -> None:
    """Takes seconds, since leases have to run out."""
    context = multiprocessing.get_context("spawn")
    start, told = context.Barrier(4), context.Queue()
    url, environment = f"{object_store.url}/lake", dict(object_store.environment)
    processes = {
        name: context.Process(target=contend, args=(url, environment, prefix, name, SECONDS, start, told))
        for name in ("a", "b", "c")
    }
    for process in processes.values():
        process.start()
    try:
        start.wait(60)
        victim, paused, resumed = pause_the_holder(processes, Records(objects_of(object_store, prefix)))
        beliefs: list[Belief] = [belief for _ in processes for belief in told.get(timeout=60)]
    finally:
        for process in processes.values():
            process.kill()
            process.join(10)
    assert clashes(beliefs) == []
    taken_over = [belief for belief in beliefs if belief.name != victim and paused < belief.start < resumed]
    assert taken_over, "the lease of the paused holder was never taken over"
    assert len({belief.name for belief in beliefs}) > 1


def pause_the_holder(
    processes: dict[str, multiprocessing.context.SpawnProcess], records: Records
) -> tuple[str, float, float]:
    """Stop whoever holds the lease for longer than it lasts: its name, and from when to when."""
    until = boot_clock() + 3
    while (record := records.read("leader", soon())) is None or record.body["holder"] is None:
        assert boot_clock() < until, "nobody ever held it"
        time.sleep(0.02)
    name = record.body["holder"]
    pid = processes[name].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    paused = boot_clock()
    time.sleep(patience(1.0, 0.2) + 1.0)
    resumed = boot_clock()
    os.kill(pid, signal.SIGCONT)
    return name, paused, resumed


def test_a_holder_whose_reply_was_lost_finds_its_own_write(
    object_store: SeaweedFS, prefix: str, proxy: LossyProxy
) -> None:
    lease = Lease(Records(objects_of(object_store, prefix, endpoint=proxy.endpoint)), "leader", "a", 30.0)
    other = Lease(Records(objects_of(object_store, prefix)), "leader", "b", 30.0)
    proxy.lose_replies = 1
    assert lease.acquire(soon())
    proxy.lose_replies = 1
    assert lease.renew(soon(), {"turn": 2})
    assert proxy.lose_replies == 0
    view = other.look(soon())
    assert (view.holder, view.note) == ("a", {"turn": 2})
    proxy.lose_replies = 1
    assert lease.release(soon())
    assert other.acquire(soon())


def test_a_write_that_arrives_after_its_sender_gave_up_is_no_second_holder(
    object_store: SeaweedFS, prefix: str, proxy: LossyProxy
) -> None:
    lease = Lease(Records(objects_of(object_store, prefix, 0.3, proxy.endpoint)), "leader", "a", 30.0)
    other = Lease(Records(objects_of(object_store, prefix)), "leader", "b", 30.0)
    proxy.hold_seconds = 1.0
    with pytest.raises(Unreachable):
        lease.acquire(boot_clock() + 0.1)
    assert proxy.hold_seconds == 0
    assert not lease.held
    assert other.acquire(soon())
    time.sleep(1.0)
    assert other.renew(soon(), {})
    assert not lease.renew(soon(), {})
    assert other.look(soon()).holder == "b"
