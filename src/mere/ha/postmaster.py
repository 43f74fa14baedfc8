# mypy: disable-error-code="import-not-found, import-untyped", allow-untyped-calls
"""Starting PostgreSQL without starting Python again, in Patroni's process.

Patroni starts PostgreSQL from a fresh interpreter, so that the postmaster becomes nobody's child. That interpreter may
be out of reach for the user that Patroni runs as (`mere.ha.process`); a shell does the same, and sooner.
"""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any

_START = '"$@" >&2 & echo $!'  # what PostgreSQL writes goes where Patroni writes, and not into our pipe


class _Shell:
    """What Patroni uses of a multiprocessing context: one pipe, and one process that sends the postmaster's pid."""

    def Pipe(self, duplex: bool) -> tuple[_Channel, _Channel]:
        channel = _Channel()
        return channel, channel

    def Process(self, target: object, args: tuple[_Channel, list[str], dict[str, str]]) -> _Start:
        return _Start(*args)


class _Channel:
    pid: int | None = None

    def recv(self) -> int | None:
        return self.pid


class _Start:
    def __init__(self, channel: _Channel, command: list[str], environment: dict[str, str]) -> None:
        self._channel, self._command, self._environment = channel, command, environment

    def start(self) -> None:
        started = subprocess.run(
            ["/bin/sh", "-c", _START, "sh", *self._command],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            check=False,
        )
        self._channel.pid = int(started.stdout) if started.returncode == 0 else None

    def join(self) -> None:
        """The shell has ended already."""


def start_without_python() -> None:
    """From now on Patroni starts PostgreSQL by a shell."""
    import patroni.postgresql.postmaster as postmaster

    context: Any = _Shell()
    postmaster.multiprocessing = SimpleNamespace(get_context=lambda _: context)
