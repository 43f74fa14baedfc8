"""The gateway: listens, lets clients in, gives each a session, and ends them all at the end.

Owns the listening sockets, the count of clients and the task of each. Lives in the coordinator process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

from mere.catalog.backend import Backend, BackendLost
from mere.errors import MereError, QueryCanceled, StartupError
from mere.gateway.allowance import Allowance
from mere.gateway.connection import ClientConnection
from mere.gateway.handshake import Reports, backing_parameters, negotiate, read_startup, start_authentication
from mere.gateway.keys import CancelKeys
from mere.gateway.tls import load_context
from mere.session.client import Client, ClientGone
from mere.settings import Settings
from mere.wire.frontend import Phase
from mere.wire.messages import READY_IDLE, backend_key_data, fatal_response, parameter_status
from mere.wire.startup import CancelRequest

log = logging.getLogger(__name__)

_BACKLOG = 512
# Sockets beyond max_connections that may be in start-up: cancel requests get through when all is taken, and a crowd
# hears that there are too many. Each is a few kilobytes; more than these are closed without a word.
_ANTEROOM = 8192
_MESSAGE_MEMORY = 1 << 30
_SWEEP_SECONDS = 1.0
_STOP_SECONDS = 10.0


class ServedSession(Protocol):
    """What the gateway needs of a session. `serve` must leave things in order when its task is cancelled."""

    async def serve(self) -> None: ...

    def cancel(self) -> None: ...


# Gets the client, its backing connection, and the start-up parameters (user and database always among them).
SessionFactory = Callable[[Client, Backend, Mapping[str, str]], Awaitable[ServedSession]]


class TooManyClients(MereError):
    sqlstate = "53300"
    severity = "FATAL"

    def __init__(self) -> None:
        super().__init__("sorry, too many clients already")


class AdminShutdown(MereError):
    sqlstate = "57P01"
    severity = "FATAL"

    def __init__(self) -> None:
        super().__init__("terminating connection due to administrator command")


class CannotConnectNow(MereError):
    sqlstate = "57P03"
    severity = "FATAL"


class Gateway:
    """`start` listens, `stop` ends it; `reload_tls` takes renewed certificates for new clients."""

    def __init__(
        self,
        settings: Settings,
        socket_path: Path,
        session_factory: SessionFactory,
        reserved_roles: frozenset[str] = frozenset(("mere_super", "mere_gateway")),
        message_memory: int = _MESSAGE_MEMORY,
        admits: Callable[[], bool] = lambda: True,
    ) -> None:
        """`message_memory`: bytes for large messages of all clients together. `admits`: may sessions begin now?"""
        self._admits = admits
        self._settings = settings
        self._socket_path = socket_path
        self._session_factory = session_factory
        self._reserved_roles = reserved_roles
        self._allowance = Allowance(message_memory)
        self._keys = CancelKeys()
        self._tasks: dict[asyncio.Task[None], ClientConnection] = {}
        self._sessions = 0
        self._server: asyncio.Server | None = None
        self._port = settings.listen.port
        self._sweeper: asyncio.Task[None] | None = None
        self.reload_tls()

    def reload_tls(self) -> None:
        certificate, key = self._settings.tls_certificate, self._settings.tls_key
        self._tls_context = load_context(certificate, key) if certificate is not None and key is not None else None

    @property
    def port(self) -> int:
        """The port that is listened on, also when the setting left it to the system."""
        return self._port

    async def start(self) -> None:
        """Raises StartupError if the address is taken or not ours."""
        address = self._settings.listen
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: ClientConnection(self._admit, self._tls_context, allowance=self._allowance),
                address.host,
                address.port,
                backlog=_BACKLOG,
            )
        except socket.gaierror as error:
            raise StartupError(f"cannot listen on {address}: {error.strerror}") from error
        except OSError as error:
            raise StartupError(f"cannot listen on {address}: {os.strerror(error.errno or 0)}") from error
        self._port = self._server.sockets[0].getsockname()[1]
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Let nobody in any more, end every session with 57P01, wait for them, and drop those that take too long."""
        if self._server is not None:
            self._server.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
            for task in late:
                log.warning("a session of %s did not end in time", self._tasks[task].peer)
                self._tasks[task].abort()

    def _admit(self, connection: ClientConnection) -> None:
        if len(self._tasks) >= self._settings.max_connections + _ANTEROOM:
            connection.abort()
            return
        task = asyncio.create_task(self._serve(connection), name=f"client {connection.peer}")
        self._tasks[task] = connection
        task.add_done_callback(self._tasks.__delitem__)

    async def _serve(self, connection: ClientConnection) -> None:
        """One client from its first byte to its last."""
        last_words: MereError | None = None
        try:
            await self._converse(connection)
        except (ClientGone, ConnectionError):
            pass
        except asyncio.CancelledError:
            last_words = AdminShutdown()
        except MereError as error:
            last_words = error
        except Exception:
            log.exception("the session of %s ended by a defect", connection.peer)
            last_words = MereError("internal error; the server's log has more")
        if last_words is not None:
            connection.write(fatal_response(last_words))
        # At a shutdown nobody is kept waiting for clients that read their last words later, or never.
        await connection.close(linger=last_words is not None and not isinstance(last_words, AdminShutdown))

    async def _converse(self, connection: ClientConnection) -> None:
        backend: Backend | None = None
        admitted = False
        try:
            try:
                async with asyncio.timeout(self._settings.authentication_timeout.total_seconds() or None):
                    startup = await read_startup(connection, self._tls_context)
                    if isinstance(startup, CancelRequest):
                        self._keys.cancel(startup.pid, startup.secret)
                        return
                    protocol = negotiate(connection, startup)
                    if self._sessions >= self._settings.max_connections:
                        raise TooManyClients
                    self._sessions += 1
                    admitted = True
                    parameters = backing_parameters(startup.parameters, self._reserved_roles)
                    backend = await self._connect(connection, parameters)
                    session = await self._session_factory(connection, backend, parameters)
            except TimeoutError:
                raise QueryCanceled("canceling authentication due to timeout") from None
            await self._hand_over(connection, backend, session, protocol)
        finally:
            if backend is not None:
                await backend.close()
            self._sessions -= admitted

    async def _connect(self, connection: ClientConnection, parameters: Mapping[str, str]) -> Backend:
        if not self._admits():
            raise CannotConnectNow("the catalog is not accepting connections")
        relay = start_authentication(connection)
        try:
            return await Backend.connect(self._socket_path, parameters, relay, Reports(connection))
        except ClientGone:
            raise
        except (OSError, BackendLost) as error:
            raise CannotConnectNow("the catalog is not accepting connections") from error

    async def _hand_over(
        self, connection: ClientConnection, backend: Backend, session: ServedSession, protocol: int
    ) -> None:
        connection.enter(Phase.READY)
        key = self._keys.register(backend.pid, protocol, session.cancel)
        backend.when_lost(lambda: _backend_lost(connection, backend, session))
        try:
            for name, value in backend.parameters.items():
                connection.write(parameter_status(name, value))
            connection.write(backend_key_data(key.pid, key.secret))
            connection.write(READY_IDLE)
            await session.serve()
        except BackendLost:
            raise backend.last_words() from None
        finally:
            self._keys.forget(key)
            backend.when_lost(lambda: None)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            for connection in self._tasks.values():
                connection.look_for_hang_up()


def _backend_lost(connection: ClientConnection, backend: Backend, session: ServedSession) -> None:
    """PostgreSQL ended the session: an idle one hears it now, a busy one when its statement has stopped."""
    busy = not connection.waiting
    connection.interrupt(backend.last_words())
    if busy:
        session.cancel()
