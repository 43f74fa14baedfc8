"""A schema of a test's own in the shared server, with clients whose search_path is that schema; dropped at the end."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.client import Client, ConnectionLost, DeadlinePassed
from harness.mere import MereProcess

_numbers = itertools.count(1)


@dataclass(slots=True)
class Workspace:
    """`schema` is the only thing that a test touches, besides roles named `role(...)`."""

    server: MereProcess
    schema: str
    clients: list[Client] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)

    def client(self, user: str = "mere", deadline: float = 30.0) -> Client:
        client = self.server.client(user=user, deadline=deadline)
        client.ok(f"SET search_path = {self.schema}")
        self.clients.append(client)
        return client

    def role(self, name: str) -> str:
        """A new login role that may use the schema, and nothing in it."""
        role = f"{self.schema}_{name}"
        owner = self.clients[0] if self.clients else self.client()
        owner.ok(f"CREATE ROLE {role} LOGIN PASSWORD 'a-test-password'")
        owner.ok(f"GRANT {role} TO mere WITH SET TRUE")
        owner.ok(f"GRANT USAGE ON SCHEMA {self.schema} TO {role}")
        self.roles.append(role)
        return role


@contextmanager
def workspace(server: MereProcess) -> Iterator[Workspace]:
    """Make the schema, and take everything away at the end, also after a failure."""
    space = Workspace(server, f"ws_{os.getpid()}_{next(_numbers)}")
    with server.client() as owner:
        owner.ok(f"CREATE SCHEMA {space.schema}")
    try:
        yield space
    finally:
        for client in space.clients:
            client.close()
        try:
            with server.client(deadline=20) as owner:
                owner.simple(f"DROP SCHEMA {space.schema} CASCADE")
                for role in space.roles:
                    owner.simple(f"DROP OWNED BY {role}")
                    owner.simple(f"DROP ROLE {role}")
        except (ConnectionLost, DeadlinePassed):
            pass
