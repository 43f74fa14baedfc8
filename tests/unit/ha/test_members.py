"""A member is there as long as it writes, by the observer's own clock."""

from __future__ import annotations

from harness.unsteady import FakeClock, Unsteady
from obstore.store import MemoryStore

from mere.ha.members import Members
from mere.ha.records import Records

SOON = 1e9


def member(store: MemoryStore, name: str) -> tuple[Members, FakeClock, Unsteady]:
    clock, objects = FakeClock(), Unsteady(store)
    return Members(Records(objects, clock, clock.sleep), name, 30.0), clock, objects


def test_a_silent_member_is_gone_and_a_writing_one_is_not() -> None:
    store = MemoryStore()
    (a, of_a, _), (b, of_b, _) = member(store, "a"), member(store, "b")
    a.touch("1", "1")
    b.touch("1", "1")
    for _ in range(4):
        assert [found.name for found in b.load(["a", "b", "c"], SOON)] == ["a", "b"]
        of_a.now += 10
        of_b.now += 10
        b.touch("1", "1")
    assert [found.name for found in b.load(["a", "b"], SOON)] == ["b"]
    assert b.silent(20) == ["a"]
    a.touch("1", "1")
    assert [found.value for found in b.load(["a"], SOON)] == ["1"]


def test_a_member_with_nothing_new_writes_only_to_stay_alive() -> None:
    a, clock, objects = member(MemoryStore(), "a")
    for second in range(60):
        a.touch(f"position {second}", "running")
        clock.now += 1
    assert objects.requests == ["PUT members/a"] * 6


def test_news_are_written_at_once() -> None:
    a, _, objects = member(MemoryStore(), "a")
    for state in ("starting", "running", "stopped"):
        a.touch(state, state)
    assert len(objects.requests) == 3


def test_names_need_not_be_paths() -> None:
    store = MemoryStore()
    a, _, _ = member(store, "rack/1 ü%2F")
    a.touch("x", "x")
    assert [found.name for found in a.load(["rack/1 ü%2F"], SOON)] == ["rack/1 ü%2F"]
    a.forget("rack/1 ü%2F")
    assert a.load(["rack/1 ü%2F"], SOON) == []
