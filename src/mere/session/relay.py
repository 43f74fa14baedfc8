"""Statements that are PostgreSQL's alone: sent to the backing connection as they came, its messages passed on.

Lives in the coordinator process. Knows no SQL.
"""

from __future__ import annotations

from mere.session.relay_copy import relay_copy_in
from mere.session.state import SessionState
from mere.wire import requests
from mere.wire.backend import read_error
from mere.wire.pgerror import PgError

_KEPT_BACK = 64 * 1024  # bytes of an answer that wait for its end


class UnansweredError(PgError):
    """A relayed statement failed before the client got to see anything of its answer."""


async def relay_query(state: SessionState, sql: str) -> bytes:
    """One Query message; everything but ReadyForQuery and the last CommandComplete, which is returned, goes to the
    client. A short answer waits for its end: where the statement fails after its rows (its own commit did), the error
    is an UnansweredError and the statement may be given again. Else PgError is raised, not passed on."""
    backend, client = state.backend, state.client
    backend.send(requests.query(sql))
    failure: PgError | None = None
    complete = b""
    kept: list[bytes] | None = []
    size = 0
    while True:
        kind, raw = await backend.receive_run()
        if kind == b"Z":
            break
        if kind == b"E":
            failure = read_error(raw)
            if failure.is_fatal:
                raise failure
            continue
        if kind == b"C":
            raw, complete = complete, raw
        if kept is not None:
            kept.append(raw)
            size += len(raw)
            if kind not in (b"G", b"H") and size <= _KEPT_BACK:
                continue
            raw, kept = b"".join(kept), None
        client.write(raw)
        if kind == b"G":
            await relay_copy_in(state)
        await client.drain()
    if failure is not None:
        raise UnansweredError(failure.fields) if kept is not None else failure
    client.write(b"".join(kept or ()))
    return complete


class Pipeline:
    """Extended-protocol messages on their way to PostgreSQL, held back until an answer is needed, so that a client's
    Parse, Bind, Describe, Execute and Sync cross the socket together."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._waiting = 0  # messages sent whose completion has not been read
        self.used = False  # something was sent to PostgreSQL since the last Sync

    def forward(self, raw: bytes) -> None:
        self._state.backend.send(raw)
        self._waiting += 1
        self.used = True

    async def settle(self) -> None:
        """Reads the answers to all that was forwarded. Raises the first error; PostgreSQL then skips to the Sync."""
        if self._waiting:
            self._state.backend.send(requests.FLUSH)
            while self._waiting:
                await self._answer()

    async def _answer(self) -> None:
        backend, client = self._state.backend, self._state.client
        kind, raw = await backend.receive_run()
        if kind == b"E":
            self._waiting = 0
            raise read_error(raw)
        client.write(raw)
        if kind == b"G":
            await relay_copy_in(self._state)
        # One of these ends the answer to each message; ParameterDescription and rows only lead up to it.
        if kind in (b"1", b"2", b"3", b"C", b"I", b"s", b"T", b"n"):
            self._waiting -= 1
        await client.drain()

    async def sync(self, failed: bool) -> PgError | None:
        """Ends the pipeline on PostgreSQL's side; returns its error, if one came up only now."""
        backend = self._state.backend
        failure: PgError | None = None
        if not failed and self._waiting:
            try:
                await self.settle()
            except PgError as error:
                failure = error
        self._waiting = 0
        if self.used:
            self.used = False
            backend.send(requests.SYNC)
            while True:
                kind, raw = await backend.receive()
                if kind == b"Z":
                    break
                if kind == b"E":
                    failure = read_error(raw)
                    if failure.is_fatal:
                        raise failure
        return failure
