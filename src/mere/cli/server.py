"""One running warehouse, put together: PostgreSQL, the engine, the storage, the databases, the gateway.

Nothing is written before the directory is ours, no client is let in before everything stands, PostgreSQL stops last.
Lives in the coordinator process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from mere.catalog.backend import Backend
from mere.catalog.bootstrap import ADMINISTRATOR, bootstrap_cluster
from mere.catalog.databases import bootstrap_all, bootstrap_database
from mere.catalog.datadir import DataDirectory
from mere.catalog.server import GATEWAY_ROLE, PORT, SUPERUSER, PostgresServer
from mere.cli.control import Answer, Handler, start_control
from mere.cli.databases import Databases
from mere.cli.state import tell_sizes
from mere.cli.storage_claim import claim_storage
from mere.cli.upkeep import Upkeep
from mere.errors import StartupError
from mere.gateway.server import Gateway
from mere.runtime.embedded import EmbeddedRuntime
from mere.segment.engine import Engine, EngineSettings
from mere.segment.storage import Storage
from mere.session.client import Client
from mere.session.services import Services
from mere.session.session import Session
from mere.settings import Address, Settings

log = logging.getLogger(__name__)

_CRASHES, _CRASH_SECONDS = 3, 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """`password` is the administrator's, given only when this start made the warehouse."""

    settings: Settings
    postgres: PostgresServer
    gateway: Gateway
    password: str | None

    @property
    def address(self) -> Address:
        return Address(self.settings.listen.host, self.gateway.port)

    async def tell_state(self, _: Answer) -> AsyncIterator[Answer]:
        yield {"listen": str(self.address), "storage": self.settings.storage}
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

        async def open_session(client: Client, backend: Backend, parameters: Mapping[str, str]) -> Session:
            name = parameters.get("database") or parameters.get("user", "")
            return Session(client, backend, services, await services.database(name), parameters)

        gateway = Gateway(settings, _socket_for_sessions(settings, services.postgres), open_session)
        stack.push_async_callback(gateway.stop)
        await gateway.start()
        server = Server(settings, services.postgres, gateway, password)
        handlers: Mapping[str, Handler] = {"state": server.tell_state, "maintain": Upkeep(services).handle}
        stack.push_async_callback(await start_control(data.path, handlers))
        yield server


@asynccontextmanager
async def running_services(settings: Settings, data: DataDirectory) -> AsyncIterator[tuple[Services, str | None]]:
    """Everything but the gateway, and the administrator's password if this start made the warehouse."""
    async with AsyncExitStack() as stack:
        postgres, engine, storage = await _start_parts(stack, settings, data)
        password = await _bootstrap(settings, data, postgres, storage)
        databases = Databases(postgres)
        stack.push_async_callback(databases.close)
        services = Services(
            settings=settings,
            engine=engine,
            runtime=EmbeddedRuntime(engine),
            database=databases.get,
            forget_database=databases.forget,
            postgres=postgres,
            storage=storage,
        )
        yield services, password


async def _start_parts(
    stack: AsyncExitStack, settings: Settings, data: DataDirectory
) -> tuple[PostgresServer, Engine, Storage]:
    """PostgreSQL, the engine and the storage, at the same time."""
    storage = Storage(settings.storage)
    postgres = PostgresServer(data, settings.postgres_bin)
    engine = Engine(
        EngineSettings(
            directory=data.duckdb,
            locations=(storage.location,),
            threads=settings.threads,
            memory_limit=settings.memory_limit,
            # A folder of its own in what may be everybody's: the engine empties it when it starts.
            temp_directory=settings.temp_directory / f"mere-{data.id}",
            environment=dict(os.environ),
        )
    )
    stack.push_async_callback(postgres.stop)
    stack.push_async_callback(engine.close)
    await _together(claim_storage(data, storage), postgres.start(), engine.start())
    return postgres, engine, storage


async def _together(*parts: Coroutine[Any, Any, None]) -> None:
    """All at once; the first that fails stops the others, and its error is the one that is told."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def _bootstrap(settings: Settings, data: DataDirectory, postgres: PostgresServer, storage: Storage) -> str | None:
    """Brings the catalog up to date. The administrator's password, if this is the first start."""
    first = not data.initialized
    password = data.secret(ADMINISTRATOR, settings.password)
    try:
        await bootstrap_cluster(postgres, password)
        await bootstrap_all(postgres)
        if first:
            await bootstrap_database(postgres, ADMINISTRATOR, storage.url)
        await _set_default_timeouts(postgres, settings)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StartupError(f"the catalog in {data.path} cannot be brought up to date: {error}") from error
    data.mark_initialized()
    return password if first else None


async def _set_default_timeouts(postgres: PostgresServer, settings: Settings) -> None:
    """As defaults of all roles, so that a role's, a database's and a session's own settings win. Never for our own."""
    values = {
        "statement_timeout": settings.statement_timeout,
        "idle_in_transaction_session_timeout": settings.idle_in_transaction_timeout,
    }
    connection = await postgres.connect()
    try:
        for name, value in values.items():
            milliseconds = round(value.total_seconds() * 1000)
            change = f"SET {name} = {milliseconds}" if milliseconds else f"RESET {name}"
            await connection.execute(f"ALTER ROLE ALL {change}")
            for role in (SUPERUSER, GATEWAY_ROLE):
                await connection.execute(f"ALTER ROLE {role} SET {name} = 0")
    finally:
        await connection.close()


def _socket_for_sessions(settings: Settings, postgres: PostgresServer) -> Path:
    directory = settings.backing_socket
    return postgres.socket_path if directory is None else directory / f".s.PGSQL.{PORT}"


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
