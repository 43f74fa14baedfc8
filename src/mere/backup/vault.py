"""Where backups lie in the storage, and how they are written and read.

    mere-backup/wal/<timeline>/<name>.zst       WAL, histories of timelines, PostgreSQL's notes on backups
    mere-backup/base/<id>/part-<n>.tar.zst      a base backup, in pieces
    mere-backup/base/<id>/backup.json           written last: only with it is the backup one
    mere-backup/restores/<time>.json            that the warehouse was brought back to an earlier moment
    mere-backup/alive.json                      the primary's sign of life

A database's own prefix in the storage ends in a dash and twelve digits, so none can be this one, and maintenance looks
only below those, and only at Parquet and Puffin files. Lives in the coordinator, and in `mere restore`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mere.backup.choice import Backup, Part
from mere.backup.envelope import HEAD_BYTES, Head, pack, read_head, unpack
from mere.backup.errors import ArchiveConflict, BackupError, DamagedArchive
from mere.backup.names import history_timeline
from mere.segment.storage import Storage, StoredObject

PREFIX = "mere-backup/"
ALIVE = PREFIX + "alive.json"
_WAL = PREFIX + "wal/"
_BASE = PREFIX + "base/"
_RESTORES = PREFIX + "restores/"
_RECORD = "/backup.json"


class Vault:
    """The backups of the warehouse that this storage belongs to."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    # -- WAL

    async def put_wal(self, name: str, data: bytes, closed: datetime) -> None:
        """Archives one file. The same content once more is no error; another content is ArchiveConflict."""
        packed = await asyncio.to_thread(pack, data, closed)
        head = read_head(name, packed)
        if name.endswith(".partial"):  # read by nobody unless by hand; may be archived anew with more in it
            name = f"{name}-{head.sha256[:12]}"
        key = _wal_key(name)
        if await self._archived(name, key, head):
            return
        try:
            await self._put(key, packed, create=True)
        except FileExistsError:
            if not await self._archived(name, key, head):
                raise BackupError(f"the storage neither takes nor has {name}") from None

    async def _archived(self, name: str, key: str, head: Head) -> bool:
        found = await self.storage.beginning(key, HEAD_BYTES)
        if found is None:
            return False
        if read_head(name, found).sha256 != head.sha256:
            raise ArchiveConflict(f"the archive has another {name} than this coordinator: it was written elsewhere")
        return True

    async def get_wal(self, name: str) -> bytes:
        """The object as it is; `unpack` makes the file of it."""
        return await self.storage.get(_wal_key(name))

    async def wal_head(self, name: str) -> Head:
        found = await self.storage.beginning(_wal_key(name), HEAD_BYTES)
        if found is None:
            raise DamagedArchive(f"the archive is incomplete: {name} is missing")
        return read_head(name, found)

    async def wal(self) -> Mapping[str, StoredObject]:
        """Everything archived, by name."""
        return {
            found.path.rpartition("/")[2].removesuffix(".zst"): found
            async for found in self.storage.list(_WAL)
            if found.path.endswith(".zst")
        }

    async def histories(self, names: Sequence[str]) -> Mapping[int, str]:
        """The histories of timelines that are among these names."""
        told: dict[int, str] = {}
        for name in names:
            timeline = history_timeline(name)
            if timeline is not None:
                told[timeline] = unpack(name, await self.get_wal(name))[0].decode()
        return told

    async def delete_wal(self, names: Sequence[str]) -> None:
        for start in range(0, len(names), 1000):
            await self.storage.delete([_wal_key(name) for name in names[start : start + 1000]])

    # -- base backups

    async def put_part(self, backup: str, part: Part, data: bytes) -> None:
        await self._put(f"{_BASE}{backup}/{part.name}", data)

    async def get_part(self, backup: str, part: Part) -> bytes:
        return await self.storage.get(f"{_BASE}{backup}/{part.name}")

    async def put_backup(self, backup: Backup) -> None:
        """The backup is complete."""
        told = dataclasses.asdict(backup) | {
            "format": 1,
            "started": backup.started.isoformat(),
            "finished": backup.finished.isoformat(),
        }
        await self._put(f"{_BASE}{backup.id}{_RECORD}", json.dumps(told, indent=1).encode())

    async def backups(self) -> Sequence[Backup]:
        """The complete ones, the oldest first."""
        keys = sorted([found.path async for found in self.storage.list(_BASE) if found.path.endswith(_RECORD)])
        return [_backup(key, await self.storage.get(key)) for key in keys]

    async def delete_backups(self, ids: Sequence[str]) -> None:
        """The record goes first, so that a half deleted backup is none."""
        for name in ids:
            await self.storage.delete([f"{_BASE}{name}{_RECORD}"])
            await self.storage.delete([found.path async for found in self.storage.list(f"{_BASE}{name}/")])

    async def delete_unfinished(self, before: datetime) -> None:
        """What is left of backups that were broken off."""
        found = [entry async for entry in self.storage.list(_BASE)]
        whole = {entry.path[: -len(_RECORD)] for entry in found if entry.path.endswith(_RECORD)}
        await self.storage.delete(
            [entry.path for entry in found if entry.path.rpartition("/")[0] not in whole and entry.modified < before]
        )

    # -- records

    async def put_record(self, key: str, told: Mapping[str, Any]) -> None:
        await self._put(key, json.dumps(told).encode())

    async def note_restore(self, moment: datetime, told: Mapping[str, Any]) -> None:
        await self.put_record(f"{_RESTORES}{moment:%Y%m%dT%H%M%S%f}.json", told)

    async def last_restore(self) -> datetime | None:
        """When the warehouse was last brought back to an earlier moment."""
        moments = [found.modified async for found in self.storage.list(_RESTORES)]
        return max(moments, default=None)

    async def _put(self, key: str, data: bytes, create: bool = False) -> None:
        """Returns when a crash of the machine, too, leaves the object there."""
        await self.storage.put(key, data, create=create)
        if self.storage.location.is_local:
            await asyncio.to_thread(_sync, Path(self.storage.location.prefix) / key)


def _wal_key(name: str) -> str:
    return f"{_WAL}{name[:8]}/{name}.zst"


def _backup(key: str, data: bytes) -> Backup:
    try:
        told = json.loads(data)
        return Backup(
            id=str(told["id"]),
            started=datetime.fromisoformat(told["started"]),
            finished=datetime.fromisoformat(told["finished"]),
            timeline=int(told["timeline"]),
            start=int(told["start"]),
            stop=int(told["stop"]),
            storage=str(told["storage"]),
            postgres=str(told["postgres"]),
            parts=tuple(Part(part["name"], part["size"], part["sha256"]) for part in told["parts"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedArchive(f"the archive is damaged: {key} cannot be read") from error


def _sync(file: Path) -> None:
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
