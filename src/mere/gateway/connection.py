"""One client's socket: whole messages in, bytes out, TLS between them, both directions bounded.

Owns the socket's buffers and notices when the client is gone. It is the session's Client.
Lives in the coordinator process, on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
from collections.abc import Callable
from typing import cast

from mere.errors import MereError, ProtocolViolation
from mere.gateway.allowance import LARGE, Allowance
from mere.gateway.tls import HANDSHAKE_RECORD, TlsChannel
from mere.session.client import ClientGone
from mere.wire.frontend import DEFAULT_MESSAGE_LIMIT, FrontendDecoder, FrontendMessage, Phase

# Above this many unread bytes the client is left to wait, unless they are the message that is waited for.
_READ_MARK = 1 << 20
_WRITE_MARK = 1 << 20
# So much is gathered at most before it goes to the socket.
_GATHER = 1 << 16
_LINGER_SECONDS = 1.0


class ClientConnection(asyncio.Protocol):
    """`on_connected` is called once, with the connection, when the socket is open."""

    def __init__(
        self,
        on_connected: Callable[[ClientConnection], None],
        tls_context: ssl.SSLContext | None = None,
        message_limit: int = DEFAULT_MESSAGE_LIMIT,
        allowance: Allowance | None = None,
    ) -> None:
        self._on_connected = on_connected
        self._tls_context = tls_context
        self._tls: TlsChannel | None = None
        self._decoder = FrontendDecoder(message_limit)
        self._allowance = allowance or Allowance(message_limit)
        self._granted = 0  # bytes of the message that arrives, or that the session is at work on
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._outgoing: list[bytes | memoryview] = []
        self._outgoing_size = 0
        self._flush_scheduled = False
        self._receiver: asyncio.Future[None] | None = None
        self._interruption: MereError | None = None
        self._reading_paused = False
        self._untouched = True
        self._discarding = False
        self._ended = False
        self._lost = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self.closed = asyncio.Event()
        self.began_with_tls = False
        self.peer = ""

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclasses
        self._transport.set_write_buffer_limits(high=_WRITE_MARK)
        self.peer = _name_of(transport.get_extra_info("peername"))
        _keep_alive(transport.get_extra_info("socket"))
        self._on_connected(self)

    def data_received(self, data: bytes) -> None:
        if self._discarding:
            return
        if self._untouched:
            self._untouched = False
            if data[0] == HANDSHAKE_RECORD and self._tls_context is not None:
                self.began_with_tls = True
                self._tls = TlsChannel(self._tls_context)
        if self._tls is not None:
            data = self._decrypt(self._tls, data)
        if data:
            self._decoder.feed(data)
        if self._decoder.ready():
            self._wake_receiver()
        elif self._receiver is not None:
            self._make_room()
            return
        if self._decoder.buffered > _READ_MARK:
            self._pause_reading()

    def eof_received(self) -> bool:
        self._end_of_input()
        return True  # what was asked before the end may still be answered

    def connection_lost(self, exc: Exception | None) -> None:
        self._give_back()
        self._lost.set()
        self._writable.set()
        self._end_of_input()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # What the session uses

    @property
    def pending(self) -> bool:
        return self._decoder.ready()

    @property
    def waiting(self) -> bool:
        """Whether somebody is in `receive`: the session is idle."""
        return self._receiver is not None

    async def receive(self) -> FrontendMessage:
        self._give_back()
        while True:
            self._check()
            message = self._decoder.next()
            if message is not None:
                return message
            await self._wait_for_bytes()

    async def receive_copy(self) -> bytes | FrontendMessage:
        self._give_back()
        while True:
            self._check()
            message = self._decoder.next_copy()
            if message is not None:
                return message
            await self._wait_for_bytes()

    def write(self, data: bytes | memoryview) -> None:
        self._outgoing.append(data)
        self._outgoing_size += len(data)
        if self._outgoing_size >= _GATHER:
            self._flush()
        elif not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    async def drain(self) -> None:
        self._flush()
        if not self._writable.is_set():
            await self._writable.wait()
        if self._lost.is_set():
            raise ClientGone

    # What the gateway uses

    def enter(self, phase: Phase) -> None:
        self._decoder.enter(phase)

    @property
    def encrypted(self) -> bool:
        return self._tls is not None

    @property
    def alpn(self) -> str | None:
        return None if self._tls is None else self._tls.alpn

    def start_tls(self, context: ssl.SSLContext) -> None:
        """From the next byte on; raises if bytes came before that, which somebody in between may have put there."""
        if self._decoder.buffered:
            raise ProtocolViolation("received unencrypted data after SSL request")
        self._flush()
        self._tls = TlsChannel(context)

    def interrupt(self, error: MereError) -> None:
        """Make this and every later `receive` raise the error."""
        self._interruption = self._interruption or error
        self._wake_receiver()

    def look_for_hang_up(self) -> None:
        """While reading is paused an end of input goes unseen; the kernel knows of it."""
        handle = self._transport.get_extra_info("socket")
        if self._reading_paused and not self.closed.is_set() and handle is not None and _hung_up(handle.fileno()):
            self.closed.set()

    def abort(self) -> None:
        self._transport.abort()

    async def close(self, *, linger: bool = False) -> None:
        """Send what is queued and close. With `linger` input is read and dropped for a moment, since closing with
        unread input resets the connection, and the client could not read our last words."""
        if not self._lost.is_set():
            self._flush()
            if self._tls is not None:
                self._tls.end()
                self._transport.write(self._tls.outgoing())
            if linger and not self._ended:
                await self._drop_input()
            self._transport.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._lost.wait(), _LINGER_SECONDS)
        self._transport.abort()

    # Inside

    async def _drop_input(self) -> None:
        self._discarding = True
        self._decoder.take_buffered()
        self._resume_reading()
        with contextlib.suppress(TimeoutError, OSError):
            if self._transport.can_write_eof():
                self._transport.write_eof()
            await asyncio.wait_for(self.closed.wait(), _LINGER_SECONDS)

    def _check(self) -> None:
        if self._interruption is not None:
            raise self._interruption
        if self._lost.is_set():
            raise ClientGone

    async def _wait_for_bytes(self) -> None:
        if self._ended:
            raise ClientGone
        self._flush()
        self._make_room()
        self._resume_reading()
        self._receiver = asyncio.get_running_loop().create_future()
        try:
            await self._receiver
        finally:
            self._receiver = None

    def _make_room(self) -> None:
        """A large message is kept while there is memory for it, and read over from where there is none."""
        held = self._decoder.buffered
        if self._decoder.arriving <= LARGE or held <= self._granted:
            return
        if self._allowance.take(held - self._granted):
            self._granted = held
        else:
            self._give_back()
            self._decoder.refuse()

    def _give_back(self) -> None:
        self._allowance.give(self._granted)
        self._granted = 0

    def _wake_receiver(self) -> None:
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)

    def _decrypt(self, channel: TlsChannel, data: bytes) -> bytes:
        try:
            plain = channel.receive(data)
        except ssl.SSLError:
            self._transport.write(channel.outgoing())  # the alert that tells the client why
            self._transport.close()
            self._end_of_input()
            return b""
        reply = channel.outgoing()
        if reply:
            self._transport.write(reply)
        if channel.ended:
            self._end_of_input()
        return plain

    def _end_of_input(self) -> None:
        self._ended = True
        self.closed.set()
        self._wake_receiver()

    def _flush(self) -> None:
        self._flush_scheduled = False
        if not self._outgoing:
            return
        pieces, self._outgoing = self._outgoing, []
        self._outgoing_size = 0
        if self._lost.is_set() or self._transport.is_closing():
            return
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if self._tls is None:
            self._transport.write(data)
        elif self._tls.established:
            self._tls.send(data)
            self._transport.write(self._tls.outgoing())

    def _pause_reading(self) -> None:
        if not self._reading_paused and not self._ended:
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused and not self._lost.is_set() and not self._transport.is_closing():
            self._reading_paused = False
            self._transport.resume_reading()


def _name_of(address: object) -> str:
    match address:
        case (str(host), int(port), *_):
            return f"{host}:{port}"
    return "unknown"


def _keep_alive(handle: socket.socket | None) -> None:
    """A client whose host vanished is found within two minutes."""
    if handle is None:
        return
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6)):
        if hasattr(socket, name):
            handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _hung_up(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, getattr(select, "POLLRDHUP", 0))
    return bool(poller.poll(0))
