"""Every disk of the coordinator is lost: the warehouse comes back from its storage, to the end or to a moment."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from harness.mere import PASSWORD, MereProcess

from mere.backup.errors import BackupError, DamagedArchive
from mere.backup.restore import Wish, restore
from mere.segment.storage import Storage

SECONDS = 1  # of WAL that may be lost


@pytest.fixture(scope="module")
def lost(session_scratch: Path) -> Iterator[tuple[Path, datetime]]:
    """A storage whose coordinator was killed, with its disk; 1 and 2 were committed by the moment, 3 after it."""
    storage = session_scratch / "lost-storage"
    settings = {"MERE_ARCHIVE_TIMEOUT": f"{SECONDS}s", "MERE_BACKUP_INTERVAL": "1d"}
    server = MereProcess(session_scratch / "lost", str(storage), settings)
    server.start()
    try:
        with server.client() as client:
            client.ok("CREATE TABLE ledger (n int)")
            client.ok("INSERT INTO ledger VALUES (1)")
            until = time.monotonic() + 30
            while not list(storage.glob("mere-backup/base/*/backup.json")):
                assert time.monotonic() < until, server.tail()
                time.sleep(0.1)
            client.ok("INSERT INTO ledger VALUES (2)")
            time.sleep(0.1)
            moment = datetime.now(UTC)
            time.sleep(0.1)
            client.ok("INSERT INTO ledger VALUES (3)")
            time.sleep(SECONDS + 4)
    finally:
        server.kill_server()
        server.kill_postgres()
    shutil.rmtree(server.data)
    yield storage, moment


def wish(storage: Path, data: Path, to: datetime | None = None) -> Wish:
    return Wish(data, Storage(str(storage), {}), to, None, None, PASSWORD)


async def bring_back(storage: Path, data: Path, to: datetime | None = None) -> None:
    await restore(wish(storage, data, to), lambda _: None, timedelta(seconds=1))


async def test_what_cannot_be_restored_is_told_and_nothing_is_touched(
    lost: tuple[Path, datetime], scratch: Path
) -> None:
    storage, moment = lost
    before = sorted(storage.rglob("*"))
    with pytest.raises(BackupError, match="the first backup was complete at"):
        await bring_back(storage, scratch / "data", moment - timedelta(hours=1))
    with pytest.raises(BackupError, match="the archive ends at"):
        await bring_back(storage, scratch / "data", moment + timedelta(hours=1))
    (scratch / "full").mkdir()
    (scratch / "full" / "file").touch()
    with pytest.raises(BackupError, match="is not empty"):
        await bring_back(storage, scratch / "full")
    part = next(storage.glob("mere-backup/base/*/part-00001.tar.zst"))
    content = part.read_bytes()
    part.write_bytes(content[:-1])
    with pytest.raises(DamagedArchive, match="is not what was written"):
        await bring_back(storage, scratch / "data")
    part.write_bytes(content)
    assert [entry.name for entry in (scratch / "data").iterdir()] == ["lock"]
    assert sorted(storage.rglob("*")) == before


async def test_exactly_what_was_committed_by_the_moment_is_back(lost: tuple[Path, datetime], scratch: Path) -> None:
    storage, moment = lost
    copy = MereProcess(scratch / "back", str(storage))
    await bring_back(storage, copy.data, moment)
    copy.start()
    try:
        with copy.client() as client:
            assert client.ok("SELECT n FROM ledger ORDER BY n").text == [("1",), ("2",)]
    finally:
        copy.kill_server()
        copy.kill_postgres()


async def test_all_that_was_archived_is_back(lost: tuple[Path, datetime], scratch: Path) -> None:
    storage, _ = lost
    copy = MereProcess(scratch / "back", str(storage))
    await bring_back(storage, copy.data)
    copy.start()
    try:
        with copy.client() as client:
            assert client.ok("SELECT n FROM ledger ORDER BY n").text == [("1",), ("2",), ("3",)]
    finally:
        copy.kill_server()
        copy.kill_postgres()
