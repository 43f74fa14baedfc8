"""Brings the catalog, and with it the warehouse, back to a moment, in an empty data directory.

Everything is looked at first, then fetched and recovered aside; only the last step touches the storage: it makes the
warehouse the new directory's. Whatever fails before leaves the directory as it was. Lives in `mere restore`.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from mere.backup.choice import Backup, Line, chain, choose, line_to, show_time
from mere.backup.errors import BackupError, DamagedArchive
from mere.backup.fetch import fetch_base, fetch_wal
from mere.backup.names import history_name
from mere.backup.recovery import Recovery, recovered
from mere.backup.schedule import BEAT
from mere.backup.vault import ALIVE, Vault
from mere.catalog.binaries import MAJOR_VERSION, Account, find_account, find_binaries, reachable_binaries
from mere.catalog.datadir import DataDirectory
from mere.catalog.postgres import Postgres
from mere.catalog.server import SUPERUSER
from mere.segment.storage import Storage

MARKER = "mere-warehouse"  # the storage's own, with the id of the warehouse that it belongs to
RECORD = "storage.url"
ADMINISTRATOR = "mere"
PATIENCE = 3 * BEAT  # after so long without a sign of life a primary counts as gone
_ALLOWED = ("lock", "mere.toml")
_PAIRS = "mere-cluster/"
_FILES = """
SELECT CASE WHEN f.path_is_relative THEN l.location || f.path ELSE f.path END AS path, f.file_size_bytes AS size
FROM (SELECT table_id, path, path_is_relative, file_size_bytes FROM mere_lake.ducklake_data_file
        WHERE end_snapshot IS NULL
      UNION ALL SELECT table_id, path, path_is_relative, file_size_bytes FROM mere_lake.ducklake_delete_file
        WHERE end_snapshot IS NULL) AS f
JOIN (SELECT t.table_id, mere.lake_location(s.path, s.path_is_relative, t.path, t.path_is_relative) AS location
      FROM mere_lake.ducklake_table AS t JOIN mere_lake.ducklake_schema AS s ON s.schema_id = t.schema_id
      WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL) AS l
    ON l.table_id = f.table_id
"""
_LAKES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname"
_DATA_PATH = "SELECT value FROM mere_lake.ducklake_metadata WHERE key = 'data_path' AND scope IS NULL"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """`to`: None is all there is. `timeline`: None is the newest. `password`: the administrator's new one, if any."""

    data: Path
    storage: Storage
    to: datetime | None
    timeline: int | None
    postgres_bin: Path | None
    password: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    backup: Backup
    line: Line
    wal: tuple[str, ...]
    archived: frozenset[str]


@dataclass(frozen=True, slots=True)
class Restored:
    backup: Backup
    timeline: int
    files: int


async def restore(wish: Wish, tell: Tell, patience: timedelta = PATIENCE) -> Restored:
    """All of it; what cannot be done is a BackupError of one line, and then nothing has changed."""
    _check_empty(wish.data)
    vault = Vault(wish.storage)
    await wish.storage.probe()
    if await wish.storage.head(MARKER) is None:
        raise BackupError(f"the storage {wish.storage.url} has no warehouse of Mere")
    owner = await wish.storage.get(MARKER)
    tell("looking for signs of life")
    await _check_abandoned(vault, patience)
    plan = await make_plan(vault, wish.to, wish.timeline)
    data = DataDirectory.claim(wish.data)
    try:
        try:
            done = await _restore_into(data, wish, vault, plan, tell)
            if await wish.storage.get(MARKER) != owner:
                raise BackupError("somebody else has taken the warehouse over meanwhile")
            await _take_over(data, wish, vault, plan)
        except BaseException:
            await asyncio.to_thread(_empty, wish.data)
            raise
    finally:
        data.release()
    return done


def _check_empty(directory: Path) -> None:
    if directory.exists() and (
        not directory.is_dir() or any(entry.name not in _ALLOWED for entry in directory.iterdir())
    ):
        raise BackupError(f"{directory} is not empty; give a new data directory; nothing was changed")


def _empty(directory: Path) -> None:
    for entry in directory.iterdir():
        if entry.name not in _ALLOWED:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


async def _check_abandoned(vault: Vault, patience: timedelta) -> None:
    """No coordinator may be at work: a primary renews its sign of life, and takes it away when it stops."""
    first = await vault.storage.head(ALIVE)
    if first is None:
        return
    told = (await vault.storage.get(ALIVE)).decode(errors="replace")
    loop = asyncio.get_running_loop()
    until = loop.time() + patience.total_seconds()
    while loop.time() < until:
        await asyncio.sleep(min(1.0, patience.total_seconds() / 3))
        found = await vault.storage.head(ALIVE)
        if found is None:
            return
        if found.modified != first.modified or (await vault.storage.get(ALIVE)).decode(errors="replace") != told:
            host = json.loads(told).get("host", "another host")
            raise BackupError(f"the warehouse is alive on {host}: stop it before you restore; nothing was changed")


async def make_plan(vault: Vault, to: datetime | None, timeline: int | None) -> Plan:
    """Which backup and which WAL; says so where they do not reach that moment."""
    archived = await vault.wal()
    histories = await vault.histories(list(archived))
    backups = await vault.backups()
    if not backups:
        raise BackupError(f"there is no complete backup in the storage {vault.storage.url}")
    newest = max([*histories, *(backup.timeline for backup in backups)])
    chosen = newest if timeline is None else timeline
    if chosen != 1 and chosen not in histories:
        raise BackupError(f"the archive is incomplete: {history_name(chosen)} is missing")
    line = line_to(chosen, histories)
    backup = choose(backups, line, to)
    if backup.postgres != MAJOR_VERSION:
        raise BackupError(f"backup {backup.id} is of PostgreSQL {backup.postgres}, not {MAJOR_VERSION}")
    if backup.storage != vault.storage.url:
        raise BackupError(f"backup {backup.id} is of a warehouse in {backup.storage}, not in {vault.storage.url}")
    wal, gap = chain(backup, line, archived)
    if to is not None or gap is not None:
        end = (await vault.wal_head(wal[-1])).closed
        if gap is not None and (to is None or to > end):
            raise DamagedArchive(
                f"the archive is damaged: {gap} is missing; it reaches to {show_time(end)}, so --to no later than that"
            )
        if to is not None and to > end:
            raise BackupError(f"the archive ends at {show_time(end)}: leave --to out to restore all of it")
    return Plan(backup, line, wal, frozenset(archived))


async def _restore_into(data: DataDirectory, wish: Wish, vault: Vault, plan: Plan, tell: Tell) -> Restored:
    account = find_account()
    configured = await asyncio.to_thread(find_binaries, wish.postgres_bin)
    binaries = await asyncio.to_thread(reachable_binaries, configured, account)
    tell(f"fetching backup {plan.backup.id}")
    await fetch_base(vault, plan.backup, data.postgres, account)
    await asyncio.to_thread(_verify, configured, data.postgres)
    tell(f"fetching the WAL since {show_time(plan.backup.started)}")
    wal = data.path / "restore"
    await fetch_wal(vault, plan.wal, wal, wish.to)
    tell("recovering the catalog")
    recovery = Recovery(vault, wal, plan.archived, plan.line[-1].timeline, wish.to)
    async with recovered(data, recovery, binaries, wish.postgres_bin, account) as server:
        tell("looking for the files of the tables")
        files = await _check_files(server, wish.storage)
        timeline = await _set_passwords(server, data, wish.password)
    _remove_socket(data, account)
    await asyncio.to_thread(shutil.rmtree, wal)
    return Restored(plan.backup, timeline, files)


def _verify(binaries: Path, cluster: Path) -> None:
    """PostgreSQL's own check of every file against the backup's manifest."""
    command = [str(binaries / "pg_verifybackup"), "--no-parse-wal", "--quiet", str(cluster)]
    done = subprocess.run(command, capture_output=True, text=True, env={"LC_ALL": "C"}, check=False)
    if done.returncode != 0:
        problem = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise DamagedArchive(f"the archive is damaged: {problem}")


def _remove_socket(data: DataDirectory, account: Account | None) -> None:
    """The log of the recovery is worth keeping no longer than the recovery."""
    (data.path / "postgres.log").unlink(missing_ok=True)


async def _check_files(server: Postgres, storage: Storage) -> int:
    """Are the files of every current table where the catalog says, and whole?"""
    connection = await server.connect()
    try:
        names = [row["datname"] for row in await connection.fetch(_LAKES)]
    finally:
        await connection.close()
    counted = 0
    for name in names:
        connection = await server.connect(name)
        try:
            counted += await _check_database(connection, name, storage)
        finally:
            await connection.close()
    return counted


async def _check_database(connection: asyncpg.Connection, name: str, storage: Storage) -> int:
    if not await connection.fetchval("SELECT to_regclass('mere_lake.ducklake_table') IS NOT NULL"):
        return 0
    root = await connection.fetchval(_DATA_PATH)
    wanted: dict[str, int] = {}
    for path, size in await connection.fetch(_FILES):
        wanted[path if path.startswith("/") or "://" in path else root + path] = size
    base = storage.url
    prefix = root.removeprefix(base)
    there = {base + found.path: found.size async for found in storage.list(prefix)}
    missing = [url for url, size in wanted.items() if url.startswith(root) and there.get(url) != size]
    if missing:
        shown = ", ".join(sorted(missing)[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise BackupError(f'files of the database "{name}" are gone or changed: {shown}{more}; nothing was changed')
    return len(wanted)


async def _set_passwords(server: Postgres, data: DataDirectory, administrator: str | None) -> int:
    """The services' passwords were files of the lost directory, so they get new ones. Returns the timeline."""
    connection = await server.connect()
    try:
        await _set_password(connection, SUPERUSER, data.secret(SUPERUSER))
        if administrator is not None:
            await _set_password(connection, ADMINISTRATOR, data.secret(ADMINISTRATOR, administrator))
        await connection.execute("CHECKPOINT")
        timeline: int = await connection.fetchval("SELECT timeline_id FROM pg_control_checkpoint()")
    finally:
        await connection.close()
    return timeline


async def _set_password(connection: asyncpg.Connection, role: str, password: str) -> None:
    statement = await connection.fetchval(
        "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)", role, password
    )
    await connection.execute(statement)


async def _take_over(data: DataDirectory, wish: Wish, vault: Vault, plan: Plan) -> None:
    """From here on the storage is this directory's, and a coordinator of before is refused. The mark comes last."""
    now = datetime.now(UTC)
    to = None if wish.to is None else wish.to.isoformat()
    told = {"backup": plan.backup.id, "to": to, "timeline": plan.line[-1].timeline, "warehouse": data.id}
    await vault.note_restore(now, told)
    pairs: Sequence[str] = [found.path async for found in wish.storage.list(_PAIRS)]
    await wish.storage.delete(pairs)  # who was primary of a pair, and its passwords: a new pair makes its own
    await wish.storage.delete([ALIVE])
    (data.path / RECORD).write_text(wish.storage.url + "\n")
    data.mark_initialized()
    await wish.storage.put(MARKER, data.id.encode())
