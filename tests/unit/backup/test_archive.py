"""WAL as objects: what was archived comes back, what was changed is found out, nobody overwrites another's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mere.backup.envelope import HEAD_BYTES, pack, read_head, unpack
from mere.backup.errors import ArchiveConflict, DamagedArchive
from mere.backup.vault import PREFIX, Vault
from mere.segment.storage import Storage

NAME = "000000010000000000000007"
MOMENT = datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=UTC)
DATA = b"wal" * 5000 + bytes(1 << 20)


def test_what_was_packed_comes_back_and_is_small() -> None:
    packed = pack(DATA, MOMENT)
    content, head = unpack(NAME, packed)
    assert content == DATA
    assert head == read_head(NAME, packed[:HEAD_BYTES])
    assert head.closed == MOMENT
    assert len(packed) < 1000


@pytest.mark.parametrize("place", [0, 20, HEAD_BYTES + 2, -3])
def test_a_changed_byte_is_found_out(place: int) -> None:
    packed = bytearray(pack(DATA, MOMENT))
    packed[place] ^= 0xFF
    with pytest.raises(DamagedArchive, match=NAME):
        unpack(NAME, bytes(packed))


def test_a_shortened_object_is_found_out() -> None:
    with pytest.raises(DamagedArchive, match=NAME):
        unpack(NAME, pack(DATA, MOMENT)[:-5])


async def test_the_same_content_twice_is_no_error_and_another_is(tmp_path: Path) -> None:
    vault = Vault(Storage(str(tmp_path), {}))
    await vault.put_wal(NAME, DATA, MOMENT)
    await vault.put_wal(NAME, DATA, datetime.now(UTC))
    with pytest.raises(ArchiveConflict, match=NAME):
        await vault.put_wal(NAME, DATA[:-1] + b"x", MOMENT)
    assert unpack(NAME, await vault.get_wal(NAME))[0] == DATA
    assert all(found.startswith(PREFIX) for found in [found.path async for found in vault.storage.list()])


async def test_last_parts_of_a_timeline_never_are_in_each_others_way(tmp_path: Path) -> None:
    vault = Vault(Storage(str(tmp_path), {}))
    await vault.put_wal(NAME + ".partial", DATA, MOMENT)
    await vault.put_wal(NAME + ".partial", DATA + b"more", MOMENT)
    assert len(await vault.wal()) == 2
