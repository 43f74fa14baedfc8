"""The socket to PostgreSQL: whole messages in, bytes out, both bounded.

Owns one unix socket of one backing connection. Lives in the coordinator process, on the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from mere.errors import MereError
from mere.wire.framing import Framing

# Above this many unread bytes PostgreSQL is left to wait, once there is a whole message to read.
_READ_MARK = 1 << 20
_BULK = frozenset(b"Dd")
_ASYNCHRONOUS = frozenset((b"N", b"A", b"S"))


class BackendLost(MereError):
    """The connection to PostgreSQL broke: it crashed, restarted, or ended this backend."""

    sqlstate = "57P01"
    severity = "FATAL"

    def __init__(self) -> None:
        super().__init__("the connection to the catalog was lost")


class BackendStream(asyncio.Protocol):
    """Reads ahead up to a mark. `on_asynchronous` gets messages that arrive while nobody reads; `on_lost` the end."""

    def __init__(self, on_asynchronous: Callable[[bytes], None]) -> None:
        self._framing = Framing()
        self._on_asynchronous = on_asynchronous
        self._outgoing: list[bytes | memoryview] = []
        self._transport: asyncio.Transport | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._reading_paused = False
        self._writing_paused = False
        self.closed = asyncio.Event()
        self.on_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclasses

    def data_received(self, data: bytes) -> None:
        self._framing.feed(data)
        if self._reader is not None:
            if self._framing.ready():
                self._wake_reader()
        else:
            self._deliver_asynchronous()
        if self._framing.buffered > _READ_MARK and self._framing.ready() and self._writer is None:
            self._pause_reading()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()
        self._wake_reader()
        self._wake_writer()
        if self.on_lost is not None:
            self.on_lost()

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        self._wake_writer()

    def send(self, data: bytes | memoryview) -> None:
        self._outgoing.append(data)

    def flush_soon(self) -> None:
        """Hand what is queued to the socket without waiting."""
        if self._outgoing and self._transport is not None and not self.closed.is_set():
            pieces, self._outgoing = self._outgoing, []
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    async def flush(self) -> None:
        self.flush_soon()
        while self._writing_paused and not self.closed.is_set():
            # PostgreSQL may be waiting for us to read before it reads more itself: so read on, without bound.
            self._resume_reading()
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None
        if self.closed.is_set():
            raise BackendLost

    async def read(self) -> bytes:
        """The next whole message."""
        message = self._framing.next()
        while message is None:
            await self._wait_for_bytes()
            message = self._framing.next()
        return message

    async def read_run(self) -> bytes:
        """The next whole message; rows and COPY data come with all that follow them and are at hand."""
        messages = self._framing.next_run(_BULK)
        while messages is None:
            await self._wait_for_bytes()
            messages = self._framing.next_run(_BULK)
        return messages

    def take_payloads(self, kind: int) -> bytes | None:
        """The joined payloads of the messages of type `kind` that are at hand, or None."""
        return self._framing.next_payloads(kind)

    def take_unread(self, kind: bytes) -> bytes | None:
        """The first message that nobody has read, if it has this type."""
        return self._framing.next() if self._framing.peek_type() == kind else None

    async def wait_for_message(self) -> None:
        """Until a whole message can be read without waiting."""
        while not self._framing.ready():
            await self._wait_for_bytes()

    async def wait_for_answer(self) -> None:
        """As `wait_for_message`, for a message that is not asynchronous; those are delivered while waiting."""
        while True:
            await self.wait_for_message()
            self._deliver_asynchronous()
            if self._framing.ready():
                return

    async def close(self, farewell: bytes) -> None:
        if self._transport is None:
            return
        if not self.closed.is_set():
            self.send(farewell)
            self.flush_soon()
            self._transport.close()
            try:
                async with asyncio.timeout(1):
                    await self.closed.wait()
            except TimeoutError:
                self._transport.abort()

    async def _wait_for_bytes(self) -> None:
        if self.closed.is_set():
            raise BackendLost
        self._resume_reading()
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _deliver_asynchronous(self) -> None:
        # Only what stands first in line: messages behind others are delivered in order, by whoever reads those.
        while (kind := self._framing.peek_type()) in _ASYNCHRONOUS:
            message = self._framing.next()
            assert message is not None, kind
            self._on_asynchronous(message)

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _wake_writer(self) -> None:
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def _pause_reading(self) -> None:
        if not self._reading_paused and self._transport is not None and not self.closed.is_set():
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused and self._transport is not None and not self.closed.is_set():
            self._reading_paused = False
            self._transport.resume_reading()
