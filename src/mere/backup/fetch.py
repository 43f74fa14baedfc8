"""What a restore needs, brought from the storage and checked before anything begins. Lives in `mere restore`."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tarfile
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath

import pyarrow as pa

from mere.backup.choice import Backup
from mere.backup.envelope import unpack
from mere.backup.errors import DamagedArchive
from mere.backup.vault import Vault
from mere.catalog.binaries import Account
from mere.errors import StorageError

_TOGETHER = 8
_CHUNK = 1 << 20


async def fetch_base(vault: Vault, backup: Backup, target: Path, account: Account | None) -> None:
    """Unpacks the backup into a new directory `target`, piece by piece."""
    reading, writing = os.pipe()
    failed: list[Exception] = []

    def extract() -> None:
        try:
            with os.fdopen(reading, "rb") as source:
                _extract(source, target, account)
        except (OSError, ValueError, tarfile.TarError) as error:
            failed.append(error)

    thread = threading.Thread(target=extract)
    thread.start()
    try:
        with os.fdopen(writing, "wb") as pipe:
            async for piece in _pieces(vault, backup):
                await asyncio.to_thread(_unpack_into, piece, pipe, backup.id)
    except BrokenPipeError:
        pass  # the thread says why
    finally:
        await asyncio.to_thread(thread.join)
    if failed:
        raise DamagedArchive(f"the archive is damaged: backup {backup.id} cannot be unpacked: {failed[0]}") from failed[
            0
        ]


async def _pieces(vault: Vault, backup: Backup) -> AsyncIterator[bytes]:
    for part in backup.parts:
        try:
            data = await vault.get_part(backup.id, part)
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise DamagedArchive(
                    f"the archive is incomplete: {part.name} of backup {backup.id} is missing"
                ) from error
            raise
        if hashlib.sha256(data).hexdigest() != part.sha256:
            raise DamagedArchive(f"the archive is damaged: {part.name} of backup {backup.id} is not what was written")
        yield data


def _unpack_into(data: bytes, pipe: io.BufferedWriter, name: str) -> None:
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            while chunk := stream.read(_CHUNK):
                pipe.write(chunk)
    except pa.ArrowException as error:
        raise DamagedArchive(f"the archive is damaged: backup {name} cannot be unpacked") from error


def _extract(source: io.BufferedReader, target: Path, account: Account | None) -> None:
    """Files and directories only; nothing else is in a catalog, and nothing lies outside of it."""
    target.mkdir(mode=0o700)
    made = [target]
    with tarfile.open(fileobj=source, mode="r|") as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if name.is_absolute() or ".." in name.parts or not (member.isdir() or member.isreg()):
                raise ValueError(f"{member.name} does not belong into a catalog")
            path = target / name
            made.append(path)
            if member.isdir():
                path.mkdir(mode=0o700, exist_ok=True)
                continue
            content = archive.extractfile(member)
            assert content is not None
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                while chunk := content.read(_CHUNK):
                    out.write(chunk)
    while source.read(_CHUNK):  # the rest of the last block
        pass
    if account is not None:
        for path in made:
            os.chown(path, account.uid, account.gid)


async def fetch_wal(vault: Vault, names: Sequence[str], target: Path, to: datetime | None) -> None:
    """Brings the segments, still packed, up to one more than the moment needs; each one is checked."""
    target.mkdir(mode=0o700)
    enough = False
    for start in range(0, len(names), _TOGETHER):
        closed = await asyncio.gather(*(_fetch_one(vault, name, target) for name in names[start : start + _TOGETHER]))
        if enough:
            return
        enough = to is not None and max(closed) > to


async def _fetch_one(vault: Vault, name: str, target: Path) -> datetime:
    packed = await vault.get_wal(name)
    _, head = await asyncio.to_thread(unpack, name, packed)
    await asyncio.to_thread((target / name).write_bytes, packed)
    return head.closed
