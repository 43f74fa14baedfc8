"""`mere maintain`: asks the running server to tidy up, or starts one without clients for it, and shows what was done.

The work itself is the server's, since only it knows which files and snapshots its sessions need.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from mere.catalog.datadir import MARKER, DataDirectory
from mere.cli.control import Answer, NotServing, ask
from mere.cli.state import readable_size
from mere.errors import MereError, StartupError
from mere.settings import Settings


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says: of which kinds and database (None: all), and whether only to look."""

    kinds: Sequence[str] | None = None
    database: str | None = None
    full: bool = False
    dry_run: bool = False
    retention_given: bool = False  # else the running server's own setting counts


def maintain(settings: Settings, wishes: Wishes) -> int:
    if not (settings.data / MARKER).exists():
        raise StartupError(f"{settings.data} is not a Mere data directory")
    console = Console(highlight=False)
    request: dict[str, Any] = {"command": "maintain", **dataclasses.asdict(wishes)}
    if wishes.retention_given:
        request["retention"] = settings.retention.total_seconds()
    with console.status("Maintaining"):
        try:
            answers: Sequence[Answer] = list(ask(settings.data, request))
        except NotServing:
            answers = _maintain_alone(settings, request)
    if not any("complete" in answer for answer in answers):
        raise MereError("the server ended before maintenance did: run it again")
    answers = [answer for answer in answers if "database" in answer]
    _show(console, answers, "would be done" if wishes.dry_run else "done")
    failures = [f"{answer['database']}: {line}" for answer in answers for line in answer["errors"]]
    for failure in failures:
        console.print(failure, style="red")
    return 1 if failures else 0


def _maintain_alone(settings: Settings, request: Answer) -> Sequence[Answer]:
    """Without a server: the same parts, without a gateway, for as long as it takes."""
    import uvloop

    from mere.cli.server import running_services
    from mere.cli.storage_claim import with_recorded_storage

    data = DataDirectory.claim(settings.data)
    try:
        if data.cluster is not None:
            raise StartupError(f"{data.path} is a node of the cluster {data.cluster}, which is down: start it first")
        recorded = dataclasses.replace(with_recorded_storage(settings, data), segments=None, ray=None)

        async def run() -> Sequence[Answer]:
            async with running_services(recorded, data) as services:
                from mere.cli.upkeep import maintain_all

                return [answer async for answer in maintain_all(services, request)]

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run())
    finally:
        data.release()


_KINDS = {
    "flushed_rows": "rows of plain DuckDB moved from the catalog to files",
    "rewritten_files": "small or worn files replaced",
    "written_files": "new files written",
    "given_up": "rewrites that gave way to a writer",
    "expired_snapshots": "old snapshots forgotten",
    "deleted_files": "unneeded files deleted",
}


def _show(console: Console, answers: Sequence[Answer], header: str) -> None:
    table = Table()
    table.add_column("database")
    table.add_column(header)
    table.add_column("count", justify="right")
    for answer in answers:
        name = answer["database"]
        done = [(text, f"{answer[kind]:,}") for kind, text in _KINDS.items() if answer[kind]]
        if answer["deleted_bytes"]:
            done.append(("space freed", readable_size(answer["deleted_bytes"])))
        for text, count in done or [("nothing to do", "")]:
            table.add_row(name, text, count)
            name = ""
        table.add_section()
    console.print(table)
