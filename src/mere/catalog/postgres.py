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
