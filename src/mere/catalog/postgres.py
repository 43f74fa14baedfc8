"""What the house sees of the PostgreSQL that is its catalog, whoever runs it: `mere serve`, or Patroni for it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import asyncpg

from mere.catalog.datadir import DataDirectory

# Of this node's PostgreSQL: it takes writes; it follows the other coordinator's; it does not answer.
Role = Literal["primary", "standby", "none"]

# What a service connection raises: PostgreSQL's own no, or that it is gone. Where PostgreSQL's last words arrive while
# nobody asks, the next question raises an InternalClientError, which is none of the other two.
SERVICE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Postgres(Protocol):
    """`start` and `stop` are the serving process's; the rest is everybody's."""

    data: DataDirectory

    @property
    def role(self) -> Role: ...

    @property
    def port(self) -> int:
        """Part of the socket's name."""
        ...

    @property
    def socket_directory(self) -> Path:
        """What clients give as host."""
        ...

    @property
    def socket_path(self) -> Path: ...

    @property
    def superuser_password(self) -> str: ...

    @property
    def gateway_password(self) -> str: ...

    async def connect(self, database: str = "postgres", role: str = "mere_super") -> asyncpg.Connection:
        """A service connection, as the superuser or as mere_gateway."""
        ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Unconfirmed:
    """The same server for what every start does anew: its service connections' commits wait for no standby.

    With `standby_wait = always` and the standby away, a coordinator could not even begin otherwise.
    """

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self.data = server.data

    @property
    def role(self) -> Role:
        return self._server.role

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def socket_directory(self) -> Path:
        return self._server.socket_directory

    @property
    def socket_path(self) -> Path:
        return self._server.socket_path

    @property
    def superuser_password(self) -> str:
        return self._server.superuser_password

    @property
    def gateway_password(self) -> str:
        return self._server.gateway_password

    async def connect(self, database: str = "postgres", role: str = "mere_super") -> asyncpg.Connection:
        connection = await self._server.connect(database, role)
        await connection.execute("SET synchronous_commit = local")
        return connection

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()
