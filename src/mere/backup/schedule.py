"""The primary's part in backups: base backups on a schedule, what is old removed, and a sign of life.

Lives in the coordinator process, for as long as it is the primary.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mere.backup.archiver import Archiver
from mere.backup.base import take_backup
from mere.backup.choice import Backup, Line, chain, line_to, on_line, unneeded
from mere.backup.errors import DamagedArchive
from mere.backup.names import SEGMENT_BYTES, is_segment, segment_parts
from mere.backup.vault import ALIVE, Vault
from mere.catalog.postgres import SERVICE_ERRORS, Postgres
from mere.errors import MereError

log = logging.getLogger(__name__)

BEAT = timedelta(seconds=10)
_RETRY = timedelta(minutes=5)
_UNFINISHED = timedelta(days=1)
_TIMELINE = "SELECT timeline_id FROM pg_control_checkpoint()"
_SWITCH = "SELECT pg_switch_wal()"


class Backups:
    """`role` may replicate; `interval` and `keep` are the settings of the warehouse."""

    def __init__(
        self,
        vault: Vault,
        server: Postgres,
        role: str,
        binaries: Path,
        interval: timedelta,
        keep: timedelta,
        archiver: Archiver,
    ) -> None:
        self.vault = vault
        self.archiver = archiver
        self._server = server
        self._role = role
        self._binaries = binaries
        self._interval = interval
        self._keep = keep
        self._one = asyncio.Lock()
        self.last: Backup | None = None

    async def take(self) -> Backup:
        """Make one now, and remove what is needed no longer."""
        async with self._one:
            self.last = await take_backup(self.vault, self._server, self._role, self._binaries)
            log.info("backup %s: %d bytes", self.last.id, self.last.size)
            await self.prune(datetime.now(UTC))
            return self.last

    async def take_if_due(self) -> timedelta:
        """Make one if it is time; how long the next one has time."""
        pause = await self.due(datetime.now(UTC))
        if pause <= timedelta(0):
            async with self._one:  # one that is under way may be the one
                pause = await self.due(datetime.now(UTC))
            if pause <= timedelta(0):
                await self.take()
                pause = await self.due(datetime.now(UTC))
        return pause

    async def switch(self) -> None:
        """What was written so far goes to the archive: of a new primary, what the old one may not have archived."""
        connection = await self._server.connect()
        try:
            await connection.execute(_SWITCH)
        finally:
            await connection.close()

    async def prune(self, now: datetime) -> None:
        archived = await self.vault.wal()
        line = await self._line(list(archived))
        backups = await self.vault.backups()
        ages = {name: found.modified for name, found in archived.items()}
        old = unneeded(backups, ages, line, now, self._keep)
        await self.vault.delete_backups(old.backups)
        await self.vault.delete_wal(old.wal)
        await self.vault.delete_unfinished(now - _UNFINISHED)

    async def _line(self, archived: list[str]) -> Line:
        """The way of the catalog that runs now; its own history may not be archived yet."""
        connection = await self._server.connect()
        try:
            timeline = await connection.fetchval(_TIMELINE)
        finally:
            await connection.close()
        histories = dict(await self.vault.histories(archived))
        own = self._server.data.postgres / "pg_wal" / f"{timeline:08X}.history"
        if timeline not in histories and own.exists():
            histories[timeline] = own.read_text()
        return line_to(timeline, histories)

    async def due(self, now: datetime) -> timedelta:
        """How long the next one has time: not at all where the last one cannot be continued by the WAL."""
        archived = await self.vault.wal()
        line = await self._line(list(archived))
        usable = [backup for backup in await self.vault.backups() if on_line(backup, line)]
        self.last = max(usable, key=lambda backup: backup.started, default=None)
        restored = await self.vault.last_restore()
        if self.last is None or (restored is not None and self.last.finished < restored):
            return timedelta(0)
        try:
            found, gap = chain(self.last, line, archived)
        except DamagedArchive:
            return timedelta(0)
        if gap is not None or not self._continues(self.last, found, line):
            return timedelta(0)
        return self.last.started + self._interval - now

    def _continues(self, backup: Backup, found: tuple[str, ...], line: Line) -> bool:
        """Whether PostgreSQL still has what comes after the archived WAL: while nothing was archived, it may not.

        The next segment may not be begun; but then there is none after it either.
        """
        number = backup.start // SEGMENT_BYTES + len(found)
        ours = {stretch.timeline for stretch in line}
        names = [file.name for file in (self._server.data.postgres / "pg_wal").iterdir() if is_segment(file.name)]
        numbers = {number for timeline, number in map(segment_parts, names) if timeline in ours}
        return number in numbers or not any(other > number for other in numbers)

    def tell(self) -> dict[str, Any]:
        """For `mere state`."""
        last = None if self.last is None else self.last.finished.isoformat()
        return {"last_backup": last, **self.archiver.tell()}


@asynccontextmanager
async def scheduled_backups(backups: Backups, warehouse: str) -> AsyncIterator[None]:
    """While it lasts, backups are made when they are due."""
    tasks = {asyncio.create_task(_keep_alive(backups.vault, warehouse)), asyncio.create_task(_keep_backing(backups))}
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        try:
            await asyncio.wait_for(backups.vault.storage.delete([ALIVE]), 2)
        except (MereError, TimeoutError) as error:
            log.warning("the sign of life stays in the storage: %s", error)


async def _keep_alive(vault: Vault, warehouse: str) -> None:
    told = {"warehouse": warehouse, "host": socket.gethostname(), "process": os.getpid()}
    while True:
        try:
            await vault.put_record(ALIVE, {**told, "at": datetime.now(UTC).isoformat()})
        except MereError as error:
            log.warning("no sign of life could be given: %s", error.message)
        await asyncio.sleep(BEAT.total_seconds())


async def _keep_backing(backups: Backups) -> None:
    pause = timedelta(0)
    while True:
        await asyncio.sleep(max(0.0, min(pause, timedelta(hours=1)).total_seconds()))
        try:
            if not pause:
                await backups.switch()
            pause = max(await backups.take_if_due(), timedelta(seconds=1))
        except (MereError, *SERVICE_ERRORS, OSError) as error:
            log.warning("no backup: %s", error)
            pause = _RETRY
