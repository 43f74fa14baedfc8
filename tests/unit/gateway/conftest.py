"""A gateway over a real PostgreSQL, with sessions that relay every message verbatim.

Everything runs in the tests' own event loop, so that tests can look into the gateway.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio

from mere.catalog.backend import Backend
from mere.catalog.datadir import DataDirectory
from mere.catalog.server import PostgresServer
from mere.gateway.server import Gateway, ServedSession, SessionFactory
from mere.options import Address
from mere.session.client import Client
from mere.settings import Settings
from mere.wire.frontend import Terminate

PASSWORD = "a-test-password"


class RelaySession:
    """Every message of the client goes to PostgreSQL as it is, and back."""

    def __init__(self, client: Client, backend: Backend) -> None:
        self.client = client
        self.backend = backend
        self.cancels = 0
        self.ended = asyncio.Event()
        self._cancelling: set[asyncio.Task[None]] = set()

    def cancel(self) -> None:
        self.cancels += 1
        task = asyncio.create_task(self.backend.cancel())
        self._cancelling.add(task)
        task.add_done_callback(self._cancelling.discard)

    async def serve(self) -> None:
        directions = {asyncio.create_task(self._forth()), asyncio.create_task(self._back())}
        watch = asyncio.create_task(self._cancel_when_gone())
        try:
            done, _ = await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*directions, watch):
                task.cancel()
            await asyncio.gather(*directions, watch, return_exceptions=True)
            self.ended.set()

    async def _forth(self) -> None:
        while True:
            message = await self.client.receive()
            if isinstance(message, Terminate):
                return
            self.backend.send(message.raw)  # type: ignore[union-attr]
            await self.backend.flush()

    async def _back(self) -> None:
        while True:
            _, raw = await self.backend.receive_run()
            self.client.write(raw)
            await self.client.drain()

    async def _cancel_when_gone(self) -> None:
        await self.client.closed.wait()
        self.cancel()


@dataclass(slots=True)
class Relay:
    """A running gateway and the sessions it has made."""

    gateway: Gateway
    postgres: PostgresServer
    sessions: list[RelaySession] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.gateway.port

    def conninfo(self, **options: object) -> str:
        words = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": "ada",
            "dbname": "postgres",
            "password": PASSWORD,
            "sslmode": "disable",
            "connect_timeout": 10,
            **options,
        }
        return " ".join(f"{name}={value}" for name, value in words.items())


@asynccontextmanager
async def relay_gateway(
    postgres: PostgresServer, factory: SessionFactory | None = None, message_memory: int = 1 << 30, **settings: Any
) -> AsyncIterator[Relay]:
    """A gateway with these settings, on a free port; `factory` makes other sessions than those that relay."""
    chosen = Settings(data=postgres.data.path, listen=Address("127.0.0.1", 0), **settings)
    sessions: list[RelaySession] = []

    async def open_session(client: Client, backend: Backend, parameters: Mapping[str, str]) -> ServedSession:
        sessions.append(RelaySession(client, backend))
        return sessions[-1]

    gateway = Gateway(chosen, postgres.socket_path, factory or open_session, message_memory=message_memory)
    await gateway.start()
    try:
        yield Relay(gateway, postgres, sessions)
    finally:
        await gateway.stop(2)


@pytest_asyncio.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="mere-test-") as name:
        Path(name).chmod(0o755)
        data = DataDirectory.claim(Path(name) / "data")
        server = PostgresServer(data)
        await server.start()
        try:
            connection = await server.connect()
            await connection.execute(f"CREATE ROLE ada LOGIN PASSWORD '{PASSWORD}'")
            await connection.execute("CREATE ROLE few LOGIN CONNECTION LIMIT 0 PASSWORD 'few'")
            await connection.close()
            yield server
        finally:
            await server.stop()
            data.release()


@pytest_asyncio.fixture(scope="session")
async def relay(postgres: PostgresServer) -> AsyncIterator[Relay]:
    async with relay_gateway(postgres) as running:
        yield running
