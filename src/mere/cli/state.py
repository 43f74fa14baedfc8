"""`mere state`: is the warehouse up, and what is in it. Asks the catalog over its own socket, so only the owner can."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

from mere.catalog.datadir import MARKER
from mere.catalog.server import PORT, SUPERUSER
from mere.errors import StartupError
from mere.settings import Settings

DOWN = 1
SIZES = """
    SELECT count(*) AS tables, coalesce(sum(s.record_count), 0)::bigint AS rows,
        coalesce(sum(s.file_size_bytes), 0)::bigint AS bytes
    FROM mere_lake.ducklake_table AS t LEFT JOIN mere_lake.ducklake_table_stats AS s USING (table_id)
    WHERE t.end_snapshot IS NULL
"""


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    name: str
    tables: int
    rows: int
    bytes: int


def show_state(settings: Settings) -> int:
    if not (settings.data / MARKER).exists():
        raise StartupError(f"{settings.data} is not a Mere data directory")
    console = Console(highlight=False)
    try:
        databases = asyncio.run(_read_databases(settings.data))
    except (OSError, asyncpg.PostgresError):
        console.print(f"Mere is down; its data directory is {settings.data}")
        return DOWN
    console.print(f"Mere is up{_listening(settings.data)}; its data directory is {settings.data}")
    table = Table()
    table.add_column("database")
    for name in ("tables", "rows", "size"):
        table.add_column(name, justify="right")
    for database in databases:
        table.add_row(database.name, f"{database.tables:,}", f"{database.rows:,}", readable_size(database.bytes))
    console.print(table)
    return 0


def _listening(data: Path) -> str:
    """Where the server said it listens; it may be just starting, or just ending."""
    try:
        return f" at {json.loads((data / 'serving.json').read_text())['listen']}"
    except (OSError, ValueError, KeyError):
        return ""


async def connect_catalog(data: Path, database: str) -> asyncpg.Connection:
    """As the catalog's own superuser, with the password that only the directory's owner can read."""
    private = data / "socket.private"
    directory = private.read_text() if private.exists() else str(data / "socket")
    password = (data / "secrets" / SUPERUSER).read_text().strip()
    return await asyncpg.connect(
        host=directory, port=PORT, user=SUPERUSER, password=password, database=database, timeout=5
    )


async def _read_databases(data: Path) -> Sequence[DatabaseSize]:
    connection = await connect_catalog(data, "postgres")
    try:
        rows = await connection.fetch("SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname")
    finally:
        await connection.close()
    found = []
    for row in rows:
        size = await _read_size(data, row["datname"])
        if size is not None:
            found.append(size)
    return found


async def _read_size(data: Path, name: str) -> DatabaseSize | None:
    """None for a database without a lake, such as template1."""
    connection = await connect_catalog(data, name)
    try:
        if await connection.fetchval("SELECT to_regclass('mere_lake.ducklake_table')") is None:
            return None
        row = await connection.fetchrow(SIZES)
    finally:
        await connection.close()
    assert row is not None
    return DatabaseSize(name, row["tables"], row["rows"], row["bytes"])


def readable_size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
