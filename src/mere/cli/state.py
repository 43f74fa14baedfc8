"""`mere state`: is the warehouse up, and what is in it. The server gives the answer, the command the table."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rich.console import Console
from rich.table import Table

from mere.catalog.datadir import MARKER
from mere.catalog.server import PostgresServer
from mere.cli.control import Answer, NotServing, ask
from mere.cli.upkeep import lake_names
from mere.errors import StartupError
from mere.settings import Settings

DOWN = 1
_SIZE = """
    SELECT count(*) AS tables, coalesce(sum(s.record_count), 0)::bigint AS rows,
        coalesce(sum(s.file_size_bytes), 0)::bigint AS bytes
    FROM mere_lake.ducklake_table AS t LEFT JOIN mere_lake.ducklake_table_stats AS s USING (table_id)
    WHERE t.end_snapshot IS NULL
"""


def show_state(settings: Settings) -> int:
    if not (settings.data / MARKER).exists():
        raise StartupError(f"{settings.data} is not a Mere data directory")
    console = Console(highlight=False)
    try:
        answers = list(ask(settings.data, {"command": "state"}))
    except NotServing:
        console.print(f"Mere is down; its data directory is {settings.data}", soft_wrap=True)
        return DOWN
    place = f"its data directory is {settings.data}, its storage {answers[0]['storage']}"
    console.print(f"Mere is up at {answers[0]['listen']}; {place}", soft_wrap=True)
    table = Table()
    table.add_column("database")
    for name in ("tables", "rows", "size"):
        table.add_column(name, justify="right")
    for answer in answers[1:]:
        counts = (f"{answer['tables']:,}", f"{answer['rows']:,}", readable_size(answer["bytes"]))
        table.add_row(answer["database"], *counts)
    console.print(table)
    return 0


async def tell_sizes(postgres: PostgresServer) -> AsyncIterator[Answer]:
    """One answer for each lake database. Rows and bytes are of all files that are current, deleted rows included."""
    for name in await lake_names(postgres):
        connection = await postgres.connect(name)
        try:
            row = await connection.fetchrow(_SIZE)
        finally:
            await connection.close()
        assert row is not None
        yield {"database": name, **dict(row)}


def readable_size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
