"""PostgreSQL's recovery of a restored catalog, with the WAL from the archive. Lives in `mere restore`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mere.backup.envelope import unpack
from mere.backup.errors import BackupError
from mere.backup.messenger import listen
from mere.backup.names import is_archived
from mere.backup.vault import Vault
from mere.catalog.archiving import restore_settings, socket_name
from mere.catalog.binaries import Account
from mere.catalog.datadir import DataDirectory
from mere.catalog.server import PostgresServer
from mere.errors import MereError, StartupError

_LONGEST = 7 * 86400.0
_ENDED_EARLY = "recovery ended before configured recovery target was reached"
_OURS = "local all all scram-sha-256\nlocal replication all scram-sha-256\n"
_OPEN = "local all all trust\n"  # the socket's directory is closed to others, and the passwords are set anew


@dataclass(frozen=True, slots=True)
class Recovery:
    """What to recover to. `wal` has the segments that were fetched, `archived` the names of all there are."""

    vault: Vault
    wal: Path
    archived: frozenset[str]
    timeline: int
    to: datetime | None


@asynccontextmanager
async def recovered(
    data: DataDirectory, recovery: Recovery, binaries: Path, configured: Path | None, account: Account | None
) -> AsyncIterator[PostgresServer]:
    """A PostgreSQL that has recovered and been promoted, on a new timeline, which anybody who reaches it may use."""
    cluster = data.postgres
    _configure(cluster, account)
    trouble: list[MereError] = []
    listener = await listen(socket_name(cluster, "restore"), _Server(recovery, cluster, account, trouble))
    try:
        try:
            server = await _start(data, recovery, recovery.to, binaries, configured)
        except StartupError as error:
            if trouble or _ENDED_EARLY not in error.message:
                raise
            # Nothing was committed after that moment: everything there is is what is wanted.
            server = await _start(data, recovery, None, binaries, configured)
        except BaseException as error:
            if trouble:
                raise trouble[0] from error
            raise
        try:
            if trouble:
                raise trouble[0]
            yield server
        finally:
            await server.stop()
        _write(cluster / "pg_hba.conf", _OURS, account)
    except StartupError as error:
        raise (trouble[0] if trouble else BackupError(error.message)) from error
    finally:
        listener.close()


def _configure(cluster: Path, account: Account | None) -> None:
    """A pair's own settings do not belong to what is restored; ours are on the command line."""
    base = cluster / "postgresql.base.conf"
    if base.exists():
        _write(cluster / "postgresql.conf", base.read_text(), account)
    _write(cluster / "postgresql.auto.conf", "", account)
    _write(cluster / "pg_hba.conf", _OPEN, account)
    _write(cluster / "recovery.signal", "", account)
    (cluster / "standby.signal").unlink(missing_ok=True)


async def _start(
    data: DataDirectory, recovery: Recovery, to: datetime | None, binaries: Path, configured: Path | None
) -> PostgresServer:
    settings = {
        **restore_settings(data.postgres, binaries),
        "recovery_target_timeline": str(recovery.timeline),
        "recovery_target_action": "promote",
    }
    if to is not None:
        settings["recovery_target_time"] = to.isoformat()
    server = PostgresServer(data, configured, settings=settings, start_seconds=_LONGEST)
    await server.start()
    return server


class _Server:
    """Answers restore_command: puts the file where PostgreSQL wants it, if the archive has it."""

    def __init__(self, recovery: Recovery, cluster: Path, account: Account | None, trouble: list[MereError]) -> None:
        self._recovery = recovery
        self._cluster = cluster
        self._account = account
        self._trouble = trouble

    async def __call__(self, name: str, path: str) -> bool:
        if not is_archived(name) or name not in self._recovery.archived or self._trouble:
            return False
        if path not in ("pg_wal/RECOVERYXLOG", "pg_wal/RECOVERYHISTORY", f"pg_wal/{name}"):
            return False
        try:
            fetched = self._recovery.wal / name
            packed = fetched.read_bytes() if fetched.exists() else await self._recovery.vault.get_wal(name)
            content, _ = await asyncio.to_thread(unpack, name, packed)
            await asyncio.to_thread(_write_bytes, self._cluster / path, content, self._account)
        except MereError as error:
            self._trouble.append(error)  # PostgreSQL would take it for the end of the WAL
            return False
        return True


def _write(file: Path, text: str, account: Account | None) -> None:
    _write_bytes(file, text.encode(), account)


def _write_bytes(file: Path, data: bytes, account: Account | None) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
        if account is not None:
            os.fchown(out.fileno(), account.uid, account.gid)
