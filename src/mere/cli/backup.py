"""`mere backup` and `mere backups`: the running server makes a backup; the list is read from the storage itself.

So the list can be read when the data directory is lost. `make_backups` is the server's: see `mere.backup`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from mere.backup.archiver import Archiver
from mere.backup.choice import chain, line_to, on_line, show_time
from mere.backup.errors import BackupError, DamagedArchive
from mere.backup.schedule import Backups
from mere.backup.vault import Vault
from mere.catalog.binaries import find_binaries
from mere.catalog.datadir import MARKER
from mere.catalog.postgres import Postgres
from mere.catalog.server import SUPERUSER
from mere.cli.control import Answer, NotServing, ask
from mere.cli.state import readable_size
from mere.errors import StartupError
from mere.ha.secrets import REPLICATION
from mere.segment.storage import Storage
from mere.settings import Settings

if TYPE_CHECKING:
    from mere.cli.server import Server


def make_backups(settings: Settings, postgres: Postgres, storage: Storage) -> Backups | None:
    """What a coordinator needs for backups; None where the settings want none."""
    if not settings.backup_interval:
        return None
    binaries = find_binaries(settings.postgres_bin)
    for program in ("pg_basebackup", "pg_isready"):
        if not (binaries / program).exists():
            raise StartupError(f"{binaries} has no program {program}, which backups need (backup_interval=0: none)")
    vault = Vault(storage)
    role = SUPERUSER if settings.cluster is None else REPLICATION
    keep = max(settings.backup_keep or settings.retention, settings.retention)
    archiver = Archiver(vault, lambda: postgres.data.postgres)
    return Backups(vault, postgres, role, binaries, settings.backup_interval, keep, archiver)


async def take_backup(server: Server) -> AsyncIterator[Answer]:
    """The server's side of `mere backup`."""
    if server.backups is None:
        raise BackupError("backups are turned off: backup_interval is 0")
    if server.postgres.role != "primary":
        raise BackupError("this coordinator is not the primary: make the backup there")
    backup = await server.backups.take()
    yield {"backup": backup.id, "bytes": backup.size, "finished": show_time(backup.finished)}


def backup(settings: Settings) -> int:
    if not (settings.data / MARKER).exists():
        raise StartupError(f"{settings.data} is not a Mere data directory")
    console = Console(highlight=False)
    try:
        with console.status("Backing up"):
            answers = list(ask(settings.data, {"command": "backup"}))
    except NotServing as error:
        raise StartupError("the server is not running: start it, since a backup is made of a running one") from error
    made = answers[0]
    size = readable_size(made["bytes"])
    console.print(f"Backup {made['backup']} is complete since {made['finished']}: {size}", soft_wrap=True)
    return 0


def show_backups(settings: Settings) -> int:
    record = settings.data / "storage.url"
    url = record.read_text().strip() if record.exists() else settings.storage
    console = Console(highlight=False)
    asyncio.run(_show(Vault(Storage(url)), console))
    return 0


async def _show(vault: Vault, console: Console) -> None:
    backups = await vault.backups()
    if not backups:
        raise BackupError(f"there is no complete backup in the storage {vault.storage.url}")
    archived = await vault.wal()
    histories = await vault.histories(list(archived))
    table = Table()
    for name in ("backup", "complete at", "timeline"):
        table.add_column(name)
    table.add_column("size", justify="right")
    for found in backups:
        table.add_row(found.id, show_time(found.finished), str(found.timeline), readable_size(found.size))
    console.print(table)
    for timeline in sorted({*histories, *(found.timeline for found in backups)}):
        line = line_to(timeline, histories)
        usable = [found for found in backups if on_line(found, line)]
        if not usable:
            continue
        try:
            wal, gap = chain(usable[-1], line, archived)
            end = f"to {show_time((await vault.wal_head(wal[-1])).closed)}"
            if gap is not None:
                end += f", where {gap} is missing"
        except DamagedArchive as error:
            end = error.message
        console.print(f"timeline {timeline}: from {show_time(usable[0].finished)} {end}", soft_wrap=True)
