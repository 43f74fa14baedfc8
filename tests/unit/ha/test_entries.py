"""Entries of one record change one by one, each by its own version."""

from __future__ import annotations

import threading

import pytest
from harness.unsteady import FakeClock, Unsteady
from obstore.store import MemoryStore

from mere.ha.entries import Entries
from mere.ha.objects import Unreachable
from mere.ha.records import Records

SOON = 1e9


def writer(store: MemoryStore) -> tuple[Entries, Unsteady]:
    objects = Unsteady(store)
    clock = FakeClock()
    return Entries(Records(objects, clock, clock.sleep), "shared"), objects


def test_a_version_guards_its_own_entry_only() -> None:
    entries, _ = writer(MemoryStore())
    first = entries.put("sync", "1", SOON)
    entries.put("config", "x", SOON)
    second = entries.put("sync", "2", SOON, first)
    assert second is not None
    assert entries.put("sync", "3", SOON, first) is None
    assert entries.read(SOON)["sync"].value == "2"
    assert entries.read(SOON)["sync"].version == second


def test_a_version_never_comes_back_after_a_drop() -> None:
    entries, _ = writer(MemoryStore())
    first = entries.put("sync", "1", SOON)
    assert entries.drop("sync", SOON, first)
    assert entries.put("sync", "1", SOON, first) is None
    assert entries.put("sync", "1", SOON) != first
    assert not entries.drop("sync", SOON, first)


def test_dropping_what_is_not_there_is_no_error() -> None:
    entries, _ = writer(MemoryStore())
    assert entries.drop("sync", SOON)


def test_a_change_whose_reply_was_lost_is_known_again_even_after_others() -> None:
    store = MemoryStore()
    entries, objects = writer(store)
    other, _ = writer(store)
    changes = iter([None, None, lambda: other.put("config", "x", SOON)])  # before the read that asks after the write
    objects.took = lambda: (next(changes, None) or (lambda: None))()
    objects.lost_replies = 1
    assert entries.create("initialize", "1", SOON)
    assert set(entries.read(SOON)) == {"initialize", "config"}


def test_a_change_without_an_answer_is_an_error_and_not_a_no() -> None:
    entries, objects = writer(MemoryStore())
    objects.down = True
    with pytest.raises(Unreachable):
        entries.create("initialize", "1", 1001.0)


def test_of_many_who_create_one_wins_and_no_neighbour_is_lost() -> None:
    store = MemoryStore()
    won: list[int] = []
    start = threading.Barrier(8)

    def race(number: int) -> None:
        entries, _ = writer(store)
        start.wait(10)
        if entries.create("initialize", str(number), SOON):
            won.append(number)
        entries.put(f"members/{number}", "", SOON)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    found = writer(store)[0].read(SOON)
    assert len(won) == 1
    assert found["initialize"].value == str(won[0])
    assert len(found) == 9
