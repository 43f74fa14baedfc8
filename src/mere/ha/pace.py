# mypy: disable-error-code="import-not-found, import-untyped", allow-untyped-calls
"""Patroni's pauses, fitted to a lease of seconds. In Patroni's process.

Between steps Patroni sleeps whole seconds, made for a lease of thirty: one between looks whether PostgreSQL has stopped
or started, one before it asks the standby for its position at the end of a primary, two before it looks whether a
standby became synchronous. It looks again in any case, so that nothing but time depends on them.

And its API, when it begins to listen, asks the name service what its own address is called, for nothing: ten seconds,
where that does not answer, in which a Patroni that is started again would lose its lease.
"""

from __future__ import annotations

import http.server
import socketserver
import time
from typing import Any

_PAUSES = {1: 0.1, 2: 0.5}


class _Clock:
    """The module `time`, whose sleeps of one and two seconds are shorter."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        # Whole numbers are Patroni's own pauses; what it computes, until a scheduled switchover, is a float.
        time.sleep(_PAUSES.get(seconds, seconds) if isinstance(seconds, int) else seconds)


def _bind_without_looking_up(server: http.server.HTTPServer) -> None:
    socketserver.TCPServer.server_bind(server)
    server.server_name, server.server_port = str(server.server_address[0]), int(server.server_address[1])


def quicken() -> None:
    """From now on Patroni looks ten times as often, and asks nobody for its name."""
    http.server.HTTPServer.server_bind = _bind_without_looking_up  # type: ignore[assignment, method-assign]
    import patroni.ha
    import patroni.postgresql

    patroni.ha.time = patroni.postgresql.time = _Clock()
    patroni.postgresql.STOP_POLLING_INTERVAL = 0.05
