"""The heavy parts of a server, each made here. Importing this module takes a second of one core, so the server imports
it on a thread while PostgreSQL starts on another core. Lives in the coordinator process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from mere.backup.vault import Vault
from mere.catalog.backend import Backend
from mere.catalog.bootstrap import ADMINISTRATOR, bootstrap_cluster
from mere.catalog.databases import bootstrap_all, bootstrap_database
from mere.catalog.datadir import DataDirectory
from mere.catalog.postgres import SERVICE_ERRORS, Postgres, Unconfirmed
from mere.catalog.server import GATEWAY_ROLE, SUPERUSER
from mere.cli.databases import Databases
from mere.cli.upkeep import maintain_all, scheduled_maintenance
from mere.errors import StartupError
from mere.gateway.server import CannotConnectNow, Gateway
from mere.runtime.embedded import EmbeddedRuntime
from mere.runtime.machine import fair_split
from mere.runtime.machine import memory_limit as machine_memory
from mere.runtime.ray_runtime import RayRuntime
from mere.runtime.ray_settings import RaySettings, storage_environment
from mere.segment.engine import Engine, EngineSettings
from mere.segment.storage import Storage
from mere.session.client import Client
from mere.session.services import Services
from mere.session.session import Session
from mere.settings import Settings

__all__ = [
    "Databases",
    "Storage",
    "bootstrap",
    "maintain_all",
    "make_gateway",
    "make_runtime",
    "make_services",
    "scheduled_maintenance",
]

_MESSAGE_SHARE = 8  # of the memory, for what clients send in messages of megabytes


def make_runtime(settings: Settings, data: DataDirectory, storage: Storage) -> EmbeddedRuntime | RayRuntime:
    # A folder of its own in what may be everybody's: the engine empties it when it starts.
    temporary = settings.temp_directory / f"mere-{data.id}"
    memory_limit = settings.memory_limit
    if memory_limit is None and settings.clustered:
        memory_limit = fair_split(1, settings.threads).coordinator
    engine = Engine(
        EngineSettings(
            directory=data.duckdb,
            locations=(storage.location,),
            threads=settings.threads,
            memory_limit=memory_limit,
            temp_directory=temporary,
            environment=dict(os.environ),
        )
    )
    if not settings.clustered:
        return EmbeddedRuntime(engine)
    return RayRuntime(
        engine,
        RaySettings(
            directory=data.path / "ray",
            temporary=temporary.with_name(f"{temporary.name}-segments"),
            locations=(storage.location,),
            environment=storage_environment(os.environ),
            address=settings.ray,
            segments=settings.segments,
            threads=settings.segment_threads,
            memory=settings.segment_memory,
            object_store=settings.object_store_memory,
            spares=settings.spare_segments,
            timeout=settings.segment_timeout.total_seconds(),
        ),
    )


def make_services(
    settings: Settings,
    postgres: Postgres,
    runtime: EmbeddedRuntime | RayRuntime,
    storage: Storage,
    databases: Databases,
) -> Services:
    return Services(
        settings=settings,
        engine=runtime.engine,
        runtime=runtime,
        database=databases.get,
        forget_database=databases.forget,
        postgres=postgres,
        storage=storage,
        restored=Vault(storage).last_restore,
    )


def make_gateway(services: Services, admits: Callable[[], bool] = lambda: True) -> Gateway:
    """`admits`: whether sessions may begin now."""

    async def open_session(client: Client, backend: Backend, parameters: Mapping[str, str]) -> Session:
        name = parameters.get("database") or parameters.get("user", "")
        try:
            database = await services.database(name)
        except (OSError, TimeoutError, *SERVICE_ERRORS) as error:
            raise CannotConnectNow("the catalog is not accepting connections") from error
        return Session(client, backend, services, database, parameters)

    memory = machine_memory() // _MESSAGE_SHARE
    place = _socket_for_sessions(services)
    return Gateway(services.settings, place, open_session, message_memory=memory, admits=admits)


def _socket_for_sessions(services: Services) -> Path:
    directory = services.settings.backing_socket
    return services.postgres.socket_path if directory is None else directory / services.postgres.socket_path.name


async def bootstrap(settings: Settings, postgres: Postgres, storage: Storage) -> str | None:
    """Brings the catalog up to date. The administrator's password, if this is the first start."""
    data = postgres.data
    postgres = Unconfirmed(postgres)
    # A coordinator of a cluster may become primary for its first time of a catalog that the other one made.
    first = not data.initialized and not (data.cluster is not None and await _is_made(postgres))
    password = data.secret(ADMINISTRATOR, settings.password)
    try:
        await bootstrap_cluster(postgres, password)
        await bootstrap_all(postgres)
        if first:
            await bootstrap_database(postgres, ADMINISTRATOR, storage.url)
        await _set_default_timeouts(postgres, settings)
    except SERVICE_ERRORS as error:
        raise StartupError(f"the catalog in {data.path} cannot be brought up to date: {error}") from error
    data.mark_initialized()
    return password if first else None


async def _is_made(postgres: Postgres) -> bool:
    connection = await postgres.connect()
    try:
        made: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", ADMINISTRATOR
        )
    finally:
        await connection.close()
    return made


async def _set_default_timeouts(postgres: Postgres, settings: Settings) -> None:
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
