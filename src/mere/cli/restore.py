"""`mere restore`: the warehouse as it was at a moment, in a new data directory. See `mere.backup.restore`."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime

import uvloop
from rich.console import Console

from mere.backup.choice import show_time
from mere.backup.restore import Wish
from mere.backup.restore import restore as bring_back
from mere.errors import StartupError
from mere.segment.storage import Storage
from mere.settings import Settings


def restore(settings: Settings, to: str | None, timeline: str | None) -> int:
    if settings.storage == Settings(data=settings.data).storage:
        raise StartupError("give --storage: a new data directory does not know where the warehouse is")
    if timeline is not None and (not timeline.isdigit() or int(timeline) < 1):
        raise StartupError(f"--timeline: expected a number from 1, not {timeline!r}")
    wish = Wish(
        data=settings.data,
        storage=Storage(settings.storage, os.environ),
        to=None if to is None else parse_moment(to),
        timeline=None if timeline is None else int(timeline),
        postgres_bin=settings.postgres_bin,
        password=settings.password,
    )
    console = Console(highlight=False)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            done = runner.run(bring_back(wish, lambda step: print(f"{step} ...", file=sys.stderr, flush=True)))
    except OSError as error:
        raise StartupError(f"cannot restore to {settings.data}: {error}") from error
    what = "all that was archived" if wish.to is None else show_time(wish.to)
    console.print(
        f"Restored to {what}, from backup {done.backup.id}: {done.files:,} files of tables are in their place."
        f" Start it with: mere serve --data {settings.data}",
        soft_wrap=True,
    )
    return 0


def parse_moment(text: str) -> datetime:
    """ISO 8601; UTC where it names no other zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise StartupError(f"--to: expected a time such as 2026-01-31 18:00:00+00:00, not {text!r}") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
