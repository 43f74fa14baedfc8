"""`mere state`: is the warehouse up, and what is in it. The server gives the answer, the command the table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from mere.catalog.datadir import MARKER
from mere.cli.control import Answer, NotServing, ask
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
    segments = [answer["segment"] for answer in answers if "segment" in answer]
    databases = [answer for answer in answers if "database" in answer]
    console.print(_segment_table(segments))
    table = Table()
    table.add_column("database")
    for name in ("tables", "rows", "size"):
        table.add_column(name, justify="right")
    for answer in databases:
        counts = (f"{answer['tables']:,}", f"{answer['rows']:,}", readable_size(answer["bytes"]))
        table.add_row(answer["database"], *counts)
    console.print(table)
    return 0


def _segment_table(segments: Sequence[Answer]) -> Table:
    table = Table()
    table.add_column("segment", justify="right")
    for name in ("host", "process", "status", "role", "up since", "restarts"):
        table.add_column(name, justify="right" if name in ("process", "restarts") else "left")
    for segment in segments:
        since = segment["started"][:19].replace("T", " ") if segment["started"] else ""
        process = "" if segment["pid"] is None else str(segment["pid"])
        shown = (segment["host"], process, segment["status"], "primary", since, str(segment["restarts"]))
        table.add_row(str(segment["id"]), *shown)
    return table


def readable_size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
