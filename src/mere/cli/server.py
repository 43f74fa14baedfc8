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
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mere.catalog.datadir import DataDirectory
from mere.catalog.postgres import Postgres
from mere.catalog.server import PostgresServer
from mere.cli.control import Handler, start_control
from mere.errors import StartupError
from mere.options import Address
from mere.settings import Settings

if TYPE_CHECKING:
    from mere.backup.schedule import Backups
    from mere.cli.node import RolesLoop
    from mere.gateway.server import Gateway
    from mere.ha.server import PatroniServer
    from mere.runtime.embedded import EmbeddedRuntime
    from mere.runtime.ray_runtime import RayRuntime
    from mere.segment.storage import Storage
    from mere.session.services import Services

log = logging.getLogger(__name__)

_CRASHES, _CRASH_SECONDS = 3, 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """`password` is the administrator's, given only when this start made the warehouse; `watch` never returns."""

    services: Services
    gateway: Gateway
    node: RolesLoop | None
    backups: Backups | None
    password: str | None
    watch: Callable[[], Awaitable[None]]

    @property
    def postgres(self) -> Postgres:
        return self.services.postgres

    @property
    def settings(self) -> Settings:
        return self.services.settings

    @property
    def address(self) -> Address:
        return Address(self.settings.listen.host, self.gateway.port)

    def reload(self) -> None:
        """Takes a renewed certificate for the clients to come; with one that does not do, the old one stays."""
        try:
            self.gateway.reload_tls()
        except StartupError as error:
            log.error("%s", error.message)

    async def run(self) -> None:
        """Keeps PostgreSQL up until cancelled."""
        await self.watch()


async def _keep_up(postgres: PostgresServer) -> None:
    """A crash of PostgreSQL costs the sessions of that moment, nothing else."""
    crashes: deque[float] = deque(maxlen=_CRASHES)
    while True:
        status = await postgres.wait()
        crashes.append(time.monotonic())
        if len(crashes) == _CRASHES and crashes[-1] - crashes[0] < _CRASH_SECONDS:
            raise StartupError(f"PostgreSQL ended {_CRASHES} times within {_CRASH_SECONDS:.0f} s; giving up")
        log.warning("PostgreSQL ended with status %d; starting it again", status)
        await postgres.stop()
        await postgres.start()


@asynccontextmanager
async def running_server(settings: Settings, data: DataDirectory) -> AsyncIterator[Server]:
    """Starts everything; on the way out ends the sessions, then the rest."""
    _check_address(settings.listen)
    async with AsyncExitStack() as stack:
        running = _running_node if settings.cluster is not None else _running_alone
        server = await stack.enter_async_context(running(settings, data))
        from mere.cli.assembly import maintain_all
        from mere.cli.backup import take_backup
        from mere.cli.telling import tell_state
        from mere.segment.native import kernels

        handlers: dict[str, Handler] = {
            "state": lambda _: tell_state(server),
            "backup": lambda _: take_backup(server),
            "maintain": lambda request: maintain_all(server.services, request),
        }
        if server.node is not None:
            from mere.cli.switchover import node_handlers

            handlers |= node_handlers(server.node.postgres)
        stack.push_async_callback(await start_control(data.path, handlers))
        kernels.prepare()  # nothing waits for them
        yield server


@asynccontextmanager
async def _running_alone(settings: Settings, data: DataDirectory) -> AsyncIterator[Server]:
    """No client is let in before everything stands."""
    async with AsyncExitStack() as stack:
        postgres = _lone_postgres(settings, data)
        services, backups = await stack.enter_async_context(_running_services(settings, data, postgres))
        from mere.cli.assembly import make_gateway
        from mere.cli.duties import primary_duties
        from mere.cli.segments import segments_in_sql

        await stack.enter_async_context(segments_in_sql(services.runtime, services.postgres, settings))
        password = await stack.enter_async_context(primary_duties(services, backups))
        gateway = make_gateway(services)
        stack.push_async_callback(gateway.stop)
        await gateway.start()
        yield Server(services, gateway, None, backups, password, lambda: _keep_up(postgres))


@asynccontextmanager
async def _running_node(settings: Settings, data: DataDirectory) -> AsyncIterator[Server]:
    """Clients are heard from the start, and told to wait until PostgreSQL has its role."""
    from mere.ha.server import PatroniServer

    async with AsyncExitStack() as stack:
        postgres = PatroniServer(data, settings)
        await postgres.join()
        services, backups = await stack.enter_async_context(_running_services(settings, data, postgres))
        from mere.cli.assembly import make_gateway
        from mere.cli.duties import primary_duties
        from mere.cli.node import RolesLoop
        from mere.cli.segments import segments_in_sql

        await stack.enter_async_context(segments_in_sql(services.runtime, postgres, settings))
        node = RolesLoop(postgres, lambda: primary_duties(services, backups))
        loop = asyncio.create_task(node.run())
        stack.push_async_callback(_ended, loop)
        gateway = make_gateway(services, lambda: node.admits)
        stack.push_async_callback(gateway.stop)
        await gateway.start()
        settled = asyncio.create_task(node.settled.wait())
        await asyncio.wait({settled, loop}, return_when=asyncio.FIRST_COMPLETED)
        if loop.done():
            settled.cancel()
            loop.result()

        async def watch() -> None:
            await asyncio.shield(loop)

        yield Server(services, gateway, node, backups, node.password, watch)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


@asynccontextmanager
async def running_services(settings: Settings, data: DataDirectory) -> AsyncIterator[Services]:
    """Everything but the gateway, for a warehouse that has no cluster."""
    postgres = _lone_postgres(settings, data)
    async with _running_services(settings, data, postgres) as (services, _):
        from mere.cli.assembly import bootstrap

        await bootstrap(settings, postgres, services.storage)
        yield services


def _lone_postgres(settings: Settings, data: DataDirectory) -> PostgresServer:
    seconds = settings.archive_timeout.total_seconds() if settings.backup_interval else 0
    return PostgresServer(data, settings.postgres_bin, settings.max_connections, archive_seconds=seconds)


@asynccontextmanager
async def _running_services(
    settings: Settings, data: DataDirectory, postgres: PostgresServer | PatroniServer
) -> AsyncIterator[tuple[Services, Backups | None]]:
    async with AsyncExitStack() as stack:
        archiving = await stack.enter_async_context(AsyncExitStack())  # PostgreSQL archives while it stops
        stack.push_async_callback(postgres.stop)
        (runtime, storage), _ = await _together(_start_runtime(stack, settings, data), postgres.start())
        from mere.cli.assembly import Databases, make_services
        from mere.cli.backup import make_backups

        backups = make_backups(settings, postgres, storage)
        if backups is not None:
            archiving.push_async_callback(backups.archiver.stop)
            await backups.archiver.start()

        databases = Databases(postgres)
        stack.push_async_callback(databases.close)
        yield make_services(settings, postgres, runtime, storage, databases), backups


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
