"""`mere switchover` and `mere standby remove`, asked of the running coordinator.

Lives in the command's process; what answers, in the coordinator's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rich.console import Console

from mere.catalog.datadir import MARKER
from mere.cli.control import Answer, Handler, NotServing, ask
from mere.errors import StartupError
from mere.ha.membership import remove_standby, switchover
from mere.ha.server import PatroniServer
from mere.settings import Settings


def switch_over(settings: Settings) -> int:
    """The primary becomes standby, and the standby primary."""
    answer = _only_answer(settings, "switchover")
    took = f"{answer['seconds']:.1f} s"
    Console(highlight=False).print(f"{answer['primary']} is primary, {answer['was']} becomes its standby: {took}")
    return 0


def remove(settings: Settings) -> int:
    """The cluster goes on without its standby, until another joins."""
    answer = _only_answer(settings, "remove_standby")
    Console(highlight=False).print(f"removed: {', '.join(answer['removed'])}", soft_wrap=True)
    return 0


def _only_answer(settings: Settings, command: str) -> Answer:
    if not (settings.data / MARKER).exists():
        raise StartupError(f"{settings.data} is not a Mere data directory")
    try:
        (answer,) = ask(settings.data, {"command": command})
    except NotServing:
        raise StartupError(f"no coordinator serves {settings.data}") from None
    return answer


def node_handlers(postgres: PatroniServer) -> dict[str, Handler]:
    """The coordinator's side."""

    async def switch(_: Answer) -> AsyncIterator[Answer]:
        was, primary, seconds = await switchover(postgres)
        yield {"was": was, "primary": primary, "seconds": seconds}

    async def remove_(_: Answer) -> AsyncIterator[Answer]:
        yield {"removed": list(await remove_standby(postgres))}

    return {"switchover": switch, "remove_standby": remove_}
