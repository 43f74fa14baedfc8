"""One running warehouse, put together: PostgreSQL, the runtime, the storage, the databases, the gateway.

Nothing is written before the directory is ours, no client is let in before everything stands, PostgreSQL stops last.
Lives in the coordinator process. Imports little itself: see mere.cli.assembly.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mere.catalog.datadir import DataDirectory
from mere.catalog.server import PostgresServer
from mere.cli.control import Answer, Handler, start_control
from mere.errors import StartupError
from mere.options import Address
from mere.settings import Settings

if TYPE_CHECKING:
    from mere.gateway.server import Gateway
    from mere.runtime.base import Runtime
    from mere.runtime.embedded import EmbeddedRuntime
    from mere.runtime.ray_runtime import RayRuntime
    from mere.segment.storage import Storage
    from mere.session.services import Services

log = logging.getLogger(__name__)

_CRASHES, _CRASH_SECONDS = 3, 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """`password` is the administrator's, given only when this start made the warehouse."""

    settings: Settings
    postgres: PostgresServer
    runtime: Runtime
    gateway: Gateway
    password: str | None

    @property
    def address(self) -> Address:
        return Address(self.settings.listen.host, self.gateway.port)

    def reload(self) -> None:
        """Takes a renewed certificate for the clients to come; with one that does not do, the old one stays."""
        try:
            self.gateway.reload_tls()
        except StartupError as error:
            log.error("%s", error.message)

    async def tell_state(self, _: Answer) -> AsyncIterator[Answer]:
        from mere.cli.segments import tell_segments
        from mere.cli.upkeep import tell_sizes

        yield {"listen": str(self.address), "storage": self.settings.storage}
        async for segment in tell_segments(self.runtime):
            yield segment
        async for size in tell_sizes(self.postgres):
            yield size

    async def run(self) -> None:
        """Keeps PostgreSQL up until cancelled. A crash of it costs the sessions of that moment, nothing else."""
        crashes: deque[float] = deque(maxlen=_CRASHES)
        while True:
            status = await self.postgres.wait()
            crashes.append(time.monotonic())
            if len(crashes) == _CRASHES and crashes[-1] - crashes[0] < _CRASH_SECONDS:
                raise StartupError(f"PostgreSQL ended {_CRASHES} times within {_CRASH_SECONDS:.0f} s; giving up")
            log.warning("PostgreSQL ended with status %d; starting it again", status)
            await self.postgres.stop()
            await self.postgres.start()


@asynccontextmanager
async def running_server(settings: Settings, data: DataDirectory) -> AsyncIterator[Server]:
    """Starts everything; on the way out ends the sessions, then the rest."""
    _check_address(settings.listen)
    async with AsyncExitStack() as stack:
        services, password = await stack.enter_async_context(running_services(settings, data))
        from mere.cli.assembly import Upkeep, make_gateway
        from mere.cli.segments import segments_in_sql
        from mere.segment.native import kernels

        await stack.enter_async_context(segments_in_sql(services.runtime, services.postgres, settings))
        gateway = make_gateway(services)
        stack.push_async_callback(gateway.stop)
        await gateway.start()
        server = Server(settings, services.postgres, services.runtime, gateway, password)
        handlers: Mapping[str, Handler] = {"state": server.tell_state, "maintain": Upkeep(services).handle}
        stack.push_async_callback(await start_control(data.path, handlers))
        kernels.prepare()  # nothing waits for them
        yield server


@asynccontextmanager
async def running_services(settings: Settings, data: DataDirectory) -> AsyncIterator[tuple[Services, str | None]]:
    """Everything but the gateway, and the administrator's password if this start made the warehouse."""
    async with AsyncExitStack() as stack:
        postgres = PostgresServer(data, settings.postgres_bin, settings.max_connections)
        stack.push_async_callback(postgres.stop)
        (runtime, storage), _ = await _together(_start_runtime(stack, settings, data), postgres.start())
        from mere.cli.assembly import Databases, bootstrap, make_services

        password = await bootstrap(settings, data, postgres, storage)
        databases = Databases(postgres)
        stack.push_async_callback(databases.close)
        yield make_services(settings, postgres, runtime, storage, databases), password


async def _start_runtime(
    stack: AsyncExitStack, settings: Settings, data: DataDirectory
) -> tuple[EmbeddedRuntime | RayRuntime, Storage]:
    """The runtime's engine and the storage, at the same time."""
    await asyncio.to_thread(importlib.import_module, "mere.cli.assembly")
    from mere.cli.assembly import Storage, make_runtime
    from mere.cli.storage_claim import claim_storage

    storage = Storage(settings.storage)
    runtime = make_runtime(settings, data, storage)
    stack.push_async_callback(runtime.close)
    await _together(claim_storage(data, storage), runtime.start())
    return runtime, storage


async def _together(*parts: Coroutine[Any, Any, Any]) -> list[Any]:
    """All at once; the first that fails stops the others, and its error is the one that is told."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in parts]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


def _check_address(address: Address) -> None:
    """Says so early when the address is taken; the gateway listens only when everything stands."""
    if address.port == 0:
        return
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.create_server((address.host, address.port), family=family):
            pass
    except OSError as error:
        raise StartupError(f"cannot listen on {address}: {os.strerror(error.errno or 0)}") from error
