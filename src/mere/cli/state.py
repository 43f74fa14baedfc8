"""`mere state`: is the warehouse up, and what is in it. The server gives the answer, the command the table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from mere.catalog.datadir import MARKER
from mere.cli.control import NotServing, ask
from mere.errors import StartupError
from mere.settings import Settings

DOWN = 1


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


def readable_size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
