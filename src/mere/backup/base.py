"""One base backup: PostgreSQL's own `pg_basebackup`, streamed, compressed and put into the storage piece by piece.

The catalog may be changed meanwhile. pg_basebackup ends only when the WAL that makes the copy whole is archived.
Lives in the coordinator process.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from mere.backup.choice import Backup, Part
from mere.backup.envelope import unpack
from mere.backup.errors import BackupError
from mere.backup.names import parse_position
from mere.backup.vault import Vault
from mere.catalog.postgres import Postgres

_CHUNK = 1 << 20
_PART_BYTES = 32 << 20
_LABEL = re.compile(r"^LABEL: (.*)$", re.MULTILINE)
_START = re.compile(r"^START WAL LOCATION: ([0-9A-F]+/[0-9A-F]+) ", re.MULTILINE)
_STOP = re.compile(r"^STOP WAL LOCATION: ([0-9A-F]+/[0-9A-F]+) ", re.MULTILINE)
_TIMELINE = re.compile(r"^START TIMELINE: (\d+)$", re.MULTILINE)


async def take_backup(
    vault: Vault, server: Postgres, role: str, binaries: Path, progress: Callable[[int], None] = lambda size: None
) -> Backup:
    """Makes one; `progress` is told how many bytes are in the storage."""
    started = datetime.now(UTC)
    name = f"{started:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"
    label = f"mere {name}"
    command = [str(binaries / "pg_basebackup"), "-D", "-", "-Ft", "-X", "none", "--checkpoint=fast", "-w"]
    command += ["-h", str(server.socket_directory), "-p", str(server.port), "-U", role, "-l", label]
    process = await asyncio.create_subprocess_exec(
        *command,
        "--manifest-checksums=SHA256",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**_environment(), "PGPASSWORD": server.data.secret(role)},
        limit=4 * _CHUNK,
    )
    assert process.stdout is not None and process.stderr is not None
    words = asyncio.create_task(process.stderr.read())
    try:
        parts = await _put_parts(vault, name, process.stdout, progress)
        status = await process.wait()
        told = (await words).decode(errors="replace")
    except BaseException:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        words.cancel()
        raise
    if status != 0:
        lines = told.strip().splitlines() or [f"pg_basebackup ended with status {status}"]
        problem = next((line for line in lines if "error:" in line), lines[-1])
        raise BackupError(f"the backup was not made: {problem}")
    note = await _note(vault, label)
    version = (server.data.postgres / "PG_VERSION").read_text().strip()
    backup = Backup(
        id=name,
        started=started,
        finished=datetime.now(UTC),
        timeline=int(_found(_TIMELINE, note)),
        start=parse_position(_found(_START, note)),
        stop=parse_position(_found(_STOP, note)),
        storage=vault.storage.url,
        postgres=version,
        parts=tuple(parts),
    )
    await vault.put_backup(backup)
    return backup


async def _note(vault: Vault, label: str) -> str:
    """What PostgreSQL archived about the backup of this label, before pg_basebackup ended."""
    for name in sorted((name for name in await vault.wal() if name.endswith(".backup")), reverse=True):
        text = unpack(name, await vault.get_wal(name))[0].decode()
        if _found(_LABEL, text) == label:
            return text
    raise BackupError("the backup was not made: PostgreSQL did not archive what it covers")


def _found(what: re.Pattern[str], text: str) -> str:
    found = what.search(text)
    if found is None:
        raise BackupError("the backup was not made: PostgreSQL's note on what it covers cannot be read")
    return found.group(1)


def _environment() -> dict[str, str]:
    kept = ("PATH", "LD_LIBRARY_PATH")
    return {"LC_ALL": "C", **{name: os.environ[name] for name in kept if name in os.environ}}


async def _put_parts(
    vault: Vault, name: str, source: asyncio.StreamReader, progress: Callable[[int], None]
) -> list[Part]:
    parts: list[Part] = []
    while True:
        packed = await _next_part(source)
        if packed is None:
            return parts
        part = Part(f"part-{len(parts) + 1:05}.tar.zst", len(packed), hashlib.sha256(packed).hexdigest())
        await vault.put_part(name, part, packed)
        parts.append(part)
        progress(sum(part.size for part in parts))


async def _next_part(source: asyncio.StreamReader) -> bytes | None:
    sink = pa.BufferOutputStream()
    stream = pa.CompressedOutputStream(sink, "zstd")
    read = 0
    while sink.tell() < _PART_BYTES:
        chunk = await source.read(_CHUNK)
        if not chunk:
            break
        read += len(chunk)
        await asyncio.to_thread(stream.write, chunk)
    stream.close()
    return sink.getvalue().to_pybytes() if read else None
