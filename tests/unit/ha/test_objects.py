"""A store that would let two coordinators win is refused before it is used."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.unsteady import Unsteady
from obstore.store import LocalStore, MemoryStore

from mere.errors import StartupError
from mere.ha.objects import Objects, Stamp, Unreachable


class Careless(Objects):
    """A store that takes conditions for decoration, as some S3 servers do with headers that they do not know."""

    ignored = "both"

    def put(self, key: str, data: bytes, expected: Stamp | None) -> Stamp:
        if self.ignored == "both" or (self.ignored == "create") == (expected is None):
            self.overwrite(key, data)
            found = self.get(key)
            assert found is not None
            return found.stamp
        return super().put(key, data, expected)


def test_a_store_with_conditional_writes_is_proved_and_nothing_is_left() -> None:
    store = MemoryStore()
    Objects(lambda _: store, "pair/", 1.0).prove()
    assert not [meta for batch in store.list() for meta in batch]


@pytest.mark.parametrize("ignored", ["both", "create", "update"])
def test_a_store_that_ignores_a_condition_is_refused(ignored: str) -> None:
    store = MemoryStore()
    careless = Careless(lambda _: store, "pair/", 1.0)
    careless.ignored = ignored
    with pytest.raises(StartupError, match="conditional writes"):
        careless.prove()
    assert not [meta for batch in store.list() for meta in batch]


def test_a_local_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="conditional writes"):
        Objects(lambda _: LocalStore(tmp_path), "pair/", 1.0).prove()


def test_a_store_that_does_not_answer_is_no_verdict() -> None:
    silent = Unsteady(MemoryStore())
    silent.down = True
    with pytest.raises(Unreachable):
        silent.prove()
