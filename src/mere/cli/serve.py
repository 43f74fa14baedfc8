"""`mere serve`: claims the directory, starts the server, says that it is up, and takes it down when told to.

Lives in the main thread of the coordinator process.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from urllib.parse import quote

import uvloop

from mere.catalog.datadir import DataDirectory
from mere.cli.server import Server, running_server
from mere.cli.storage_claim import with_recorded_cluster, with_recorded_storage
from mere.errors import StartupError
from mere.options import Address
from mere.settings import Settings

ADMINISTRATOR = "mere"
_EVERYWHERE = ("0.0.0.0", "::")
_RECURSION = 20_000  # long chains of operators nest deeply; Python 3.11 spends no C stack on its own calls


def serve(settings: Settings) -> int:
    """Returns the exit status once the server has stopped."""
    sys.setrecursionlimit(_RECURSION)
    _open_many_files()
    data = DataDirectory.claim(settings.data)
    try:
        settings = with_recorded_cluster(with_recorded_storage(settings, data), data)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, data))
    except OSError as error:
        raise StartupError(f"cannot serve {settings.data}: {error}") from error
    finally:
        data.release()
    return 0


def _open_many_files() -> None:
    """A client takes two descriptors, a crowd of them soon more than the 1,024 that a shell allows at first."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve(settings: Settings, data: DataDirectory) -> None:
    task = asyncio.current_task()
    assert task is not None
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping:  # a second Ctrl-C does not make it less orderly
            stopping = True
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        async with running_server(settings, data) as server:
            print(startup_line(server), flush=True)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, server.reload)
            await server.run()
    except asyncio.CancelledError:
        if not stopping:
            raise


def startup_line(server: Server) -> str:
    """Ready to paste. The password is shown once, by the start that made the warehouse."""
    secret = f":{quote(server.password, safe='')}" if server.password is not None else ""
    address = server.address
    if address.host in _EVERYWHERE:
        address = Address("localhost", address.port)
    url = f"postgresql://{ADMINISTRATOR}{secret}@{address}/{ADMINISTRATOR}"
    role = "" if server.node is None else f" as {server.services.postgres.role} of {server.settings.cluster}"
    return f"Mere is up{role}: {url} (storage {server.settings.storage})"
