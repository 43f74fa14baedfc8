"""A client of PostgreSQL over its unix socket: the backing connection of one session.

It relays a client's messages verbatim, and runs queries of the gateway's own between them, one operation at a time.
Own queries use the names "mere", so that the client's unnamed statement and portal stay as they are.
Lives in the coordinator process, on the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from mere.catalog.backend_steps import (
    CommandResult,
    Describe,
    Description,
    Fetch,
    Row,
    Step,
    announce_step,
    encode_step,
    read_step,
)
from mere.catalog.backend_stream import BackendLost, BackendStream
from mere.catalog.stand_in import STANDS, Standing, stand_in
from mere.errors import MereError
from mere.wire import requests
from mere.wire.backend import (
    read_authentication_code,
    read_backend_key_data,
    read_data_row,
    read_error,
    read_notice,
    read_parameter_status,
    read_row_description,
    read_status,
    read_tag,
)
from mere.wire.messages import AUTHENTICATION_OK_CODE, AUTHENTICATION_SASL_FINAL_CODE, PROTOCOL_3_2, Field
from mere.wire.pgerror import PgError

__all__ = ["Authenticate", "Backend", "BackendLost", "CommandResult", "Describe", "Description", "Fetch", "PgError"]

# Gets a raw AuthenticationXXX message that wants an answer (or SASLFinal, AuthenticationOk, which want none) and
# returns the raw PasswordMessage to send back.
Authenticate = Callable[[bytes], Awaitable[bytes | None]]

_COPY_DATA = ord("d")


def _drop(_: bytes) -> None:
    """Where asynchronous messages go when nobody wants them."""


async def refuse_authentication(_: bytes) -> bytes | None:
    """For connections that need no password (PostgreSQL trusts or knows the socket's peer)."""
    return None


class Backend:
    """One connection. After PgError it is ready again; after a cancelled or broken operation only `close` is."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path
        self._stream = BackendStream(self._asynchronous)
        self.parameters: dict[str, str] = {}
        self.pid = 0
        self.secret = b""
        self.status = "I"
        self._farewell: PgError | None = None
        self._operations = 0
        self._stand_in: Standing | None = None
        self.on_async: Callable[[bytes], None] = _drop

    @classmethod
    async def connect(
        cls,
        socket_path: Path | str,
        startup_parameters: Mapping[str, str],
        authenticate: Authenticate = refuse_authentication,
        on_async: Callable[[bytes], None] = _drop,
    ) -> Backend:
        """Raises PgError as PostgreSQL says it (wrong password, no such database), OSError if nobody listens."""
        backend = cls(Path(socket_path))
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: backend._stream, str(socket_path))
        try:
            backend.send(requests.startup(PROTOCOL_3_2, startup_parameters))
            await backend._start(authenticate, on_async)
        except BaseException:
            await backend.close()
            raise
        backend.on_async = on_async
        return backend

    @property
    def in_recovery(self) -> bool:
        """Whether PostgreSQL is a standby, as far as it has said; a promotion is told with the next answer."""
        return self.parameters.get("in_hot_standby") == "on"

    @property
    def closed(self) -> asyncio.Event:
        """Set when the connection is lost or closed."""
        return self._stream.closed

    @property
    def at_its_end(self) -> bool:
        """Is the connection lost, or has PostgreSQL said that it will be?"""
        return self.closed.is_set() or self._farewell is not None

    def last_words(self) -> MereError:
        """Why the connection is lost, as far as PostgreSQL has said so."""
        raw = self._stream.take_unread(b"E")
        if raw is not None:
            self._farewell = self._said(read_error(raw))
        return self._farewell or BackendLost()

    def when_lost(self, callback: Callable[[], None]) -> None:
        """Call this once the connection is lost or closed."""
        self._stream.on_lost = callback

    # Relaying verbatim

    def send(self, raw: bytes | memoryview) -> None:
        """Queue bytes; they leave at `flush` or `receive`."""
        self._stream.send(raw)

    async def flush(self) -> None:
        """Send what is queued and wait until PostgreSQL has taken enough of it."""
        await self._stream.flush()

    async def receive(self) -> tuple[bytes, bytes]:
        """The next message: its type and the whole of it. Notices and their kin go to `on_async` instead, in order."""
        self._stream.flush_soon()
        while True:
            raw = await self._stream.read()
            if not self._note(raw):
                return raw[:1], raw

    async def receive_run(self) -> tuple[bytes, bytes]:
        """As `receive`, but DataRow or CopyData messages that follow each other and are at hand come as one piece."""
        self._stream.flush_soon()
        while True:
            raw = await self._stream.read_run()
            if not self._note(raw):
                return raw[:1], raw

    async def wait_for_answer(self) -> None:
        """Until `receive` has something to return, or raises BackendLost. Cancelling it loses nothing."""
        await self._stream.wait_for_answer()

    # The gateway's own statements

    async def simple(self, sql: str) -> list[CommandResult]:
        """All statements of `sql` by the simple protocol. Raises PgError, after which the connection is ready."""
        async with self._operation():
            self.send(requests.query(sql))
            results: list[CommandResult] = []
            fields: tuple[Field, ...] = ()
            rows: list[Row] = []
            failure: PgError | None = None
            while True:
                kind, raw = await self.receive()
                match kind:
                    case b"T":
                        fields = read_row_description(raw)
                    case b"D":
                        rows.append(read_data_row(raw))
                    case b"C":
                        results.append(CommandResult(read_tag(raw), rows, fields))
                        fields, rows = (), []
                    case b"E":
                        failure = self._error(raw)
                    case b"G":
                        self.send(requests.copy_fail("COPY FROM STDIN is not possible here"))
                    case b"Z":
                        break
            if failure is not None:
                raise failure
            return results

    async def fetch(self, sql: str, params: Sequence[str | None] = (), *, sync: bool = True) -> list[Row]:
        """The rows of one statement, in one round trip; parameters and values in text format.

        With `sync=False` no transaction ends with it (Flush instead of Sync), for use within a client's pipeline;
        after an error PostgreSQL then ignores everything until a Sync.
        """
        (result,) = await self.pipeline([Fetch(sql, params)], sync=sync)
        assert isinstance(result, CommandResult)
        return result.rows

    async def describe(self, sql: str, param_oids: Sequence[int] = (), *, sync: bool = True) -> Description:
        """What PostgreSQL makes of a statement, without running it."""
        (result,) = await self.pipeline([Describe(sql, param_oids)], sync=sync)
        assert isinstance(result, Description)
        return result

    async def pipeline(self, steps: Sequence[Step], *, sync: bool = True) -> list[CommandResult | Description]:
        """Several statements in one flight. The first error ends it; PgError.step tells which one it was.

        Outside of a transaction block, `sync=True` makes the steps one transaction.
        """
        async with self._operation():
            for step in steps:
                encode_step(step, self.send)
            self.send(requests.SYNC if sync else requests.FLUSH)
            results: list[CommandResult | Description] = []
            failure: PgError | None = None
            for number, step in enumerate(steps):
                outcome = await read_step(step, self.receive)
                if isinstance(outcome, bytes):
                    failure = self._error(outcome)
                    failure.step = number
                    break
                results.append(outcome)
            if sync:
                await self._until_ready()
            if failure is not None:
                raise failure
            return results

    # COPY

    async def copy_out(self, sql: str) -> AsyncIterator[bytes]:
        """The data of COPY ... TO STDOUT, in pieces as they come (many rows each)."""
        async with self._operation():
            self.send(requests.query(sql))
            failure: PgError | None = None
            while True:
                self._stream.flush_soon()
                await self._stream.wait_for_message()
                piece = self._stream.take_payloads(_COPY_DATA)
                if piece is not None:
                    yield piece
                    continue
                kind, raw = await self.receive()
                if kind == b"E":
                    failure = self._error(raw)
                elif kind == b"Z":
                    break
            if failure is not None:
                raise failure

    async def copy_in(self, sql: str, chunks: AsyncIterator[bytes], *, framed: bool = False) -> str:
        """COPY ... FROM STDIN fed from `chunks` (`framed`: they are CopyData messages already); returns the tag."""
        async with self._operation():
            self.send(requests.query(sql))
            failure: PgError | None = None
            tag = ""
            while True:
                kind, raw = await self.receive()
                match kind:
                    case b"G":
                        await self._send_chunks(chunks, framed)
                    case b"C":
                        tag = read_tag(raw)
                    case b"E":
                        failure = self._error(raw)
                    case b"Z":
                        break
            if failure is not None:
                raise failure
            return tag

    async def _send_chunks(self, chunks: AsyncIterator[bytes], framed: bool) -> None:
        try:
            async for chunk in chunks:
                self.send(chunk if framed else requests.copy_data(chunk))
                await self.flush()
        except Exception as error:
            # The source failed: PostgreSQL must forget the rows it has, and then the source's own error goes on.
            self.send(requests.copy_fail(str(error)))
            await self._until_ready()
            raise
        self.send(requests.COPY_DONE)

    # While others work for the session

    @property
    def busy(self) -> bool:
        """Whether a statement of the gateway's own is on its way."""
        return self._operations > 0

    async def stand_in(self, statement: str = "", began: float = 0.0) -> str | None:
        """Keeps PostgreSQL busy, in or outside of a transaction, until the next operation, `end_stand_in`, or somebody
        who cancels what this connection runs: PostgreSQL's words for the last, else None. `statement` and `began` are
        for pg_stat_activity."""
        standing = self._stand_in = Standing(announced=self.in_recovery)
        step = stand_in(statement, began)
        if standing.announced:
            announce_step(step, self.send)
        else:
            encode_step(step, self.send)
            self.send(requests.SYNC)
        failure: PgError | None = None
        reason: str | None = None
        try:
            self._stream.flush_soon()
            while True:
                raw = await self._stream.read()
                if (raw[:1] == b"N" and read_notice(raw).get("M") == STANDS) or (
                    raw[:1] == b"1" and standing.announced
                ):
                    standing.begun.set()
                elif not self._note(raw):
                    if raw[:1] == b"E":
                        failure = self._error(raw)
                        self._sync(standing)
                    elif raw[:1] == b"D":
                        reason = read_data_row(raw)[0]
                    elif raw[:1] == b"Z":
                        break
        finally:
            self._stand_in = None
            standing.begun.set()
            standing.over.set()
        if failure is not None:
            raise failure
        return None if standing.ending else reason

    async def end_stand_in(self) -> None:
        standing = self._stand_in
        if standing is not None:
            standing.ending = True
            await standing.begun.wait()  # a cancel that comes sooner would be nobody's
            if standing.announced:
                self._sync(standing)
            elif not standing.over.is_set():
                await self.cancel()
            await standing.over.wait()

    def _sync(self, standing: Standing) -> None:
        """Ends what was only announced."""
        if standing.announced and not standing.synced and not standing.over.is_set():
            standing.synced = True
            self.send(requests.SYNC)
            self._stream.flush_soon()

    @asynccontextmanager
    async def _operation(self) -> AsyncIterator[None]:
        if self._stand_in is not None:
            await self.end_stand_in()
        self._operations += 1
        try:
            yield
        finally:
            self._operations -= 1

    # Ending

    async def cancel(self) -> None:
        """Ask PostgreSQL to stop what this connection runs. Returns when PostgreSQL has passed the request on."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._socket_path))
        except OSError:
            return  # PostgreSQL is gone, and with it the statement
        try:
            writer.write(requests.cancel_request(self.pid, self.secret))
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def close(self) -> None:
        await self._stream.close(requests.TERMINATE)

    # Inside

    async def _start(self, authenticate: Authenticate, on_async: Callable[[bytes], None]) -> None:
        while True:
            self._stream.flush_soon()
            raw = await self._stream.read()
            match raw[:1]:
                case b"R":
                    reply = await authenticate(raw)
                    if reply is not None:
                        self.send(reply)
                    elif read_authentication_code(raw) not in (AUTHENTICATION_OK_CODE, AUTHENTICATION_SASL_FINAL_CODE):
                        raise PgError({"S": "FATAL", "V": "FATAL", "C": "28000", "M": "a password is required"})
                case b"S":
                    name, value = read_parameter_status(raw)
                    self.parameters[name] = value
                case b"K":
                    self.pid, self.secret = read_backend_key_data(raw)
                case b"N":
                    on_async(raw)
                case b"E":
                    raise read_error(raw)
                case b"Z":
                    self.status = read_status(raw)
                    return

    async def _until_ready(self) -> None:
        while (await self.receive())[0] != b"Z":
            pass

    def _note(self, raw: bytes) -> bool:
        """Keep what a message says about the connection; whether it was asynchronous and is done with."""
        match raw[0]:
            case 0x5A:  # Z
                self.status = read_status(raw)
                return False
            case 0x45:  # E
                error = read_error(raw)
                if error.is_fatal:
                    self._farewell = self._said(error)
                return False
            case 0x4E | 0x41 | 0x53:  # N, A, S
                self._asynchronous(raw)
                return True
        return False

    def _said(self, error: PgError) -> PgError:
        """The error without the context of a stand-in, which nobody sent."""
        return error if self._stand_in is None else PgError({**error.fields, "W": ""})

    def _asynchronous(self, raw: bytes) -> None:
        if raw[:1] == b"S":
            name, value = read_parameter_status(raw)
            self.parameters[name] = value
        self.on_async(raw)

    def _error(self, raw: bytes) -> PgError:
        error = read_error(raw)
        if error.is_fatal:
            raise error  # no ReadyForQuery will follow
        return error
