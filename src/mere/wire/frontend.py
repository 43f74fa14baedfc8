"""Decoder of what clients send (PostgreSQL protocol 3, frontend to backend).

Owns the bytes of one client that are received and not yet read. Sans-IO; lives in the coordinator process.
Every message keeps its `raw` bytes, header included, so that it can be relayed verbatim.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from struct import Struct, unpack_from
from struct import error as StructError
from typing import Final

from mere.errors import DataError, ProtocolViolation
from mere.wire.framing import HEADER_SIZE, Framing
from mere.wire.startup import (
    CancelRequest,
    GSSENCRequest,
    SSLRequest,
    StartupMessage,
    StartupPacket,
    decode_startup,
    packet_length,
)

_INT16 = Struct("!H")
_INT32 = Struct("!i")

# PostgreSQL's own limits: 10,000 bytes for what is short by nature, 65,535 for what comes before authentication.
_SHORT: Final = 10000
_PASSWORD: Final = 65535
DEFAULT_MESSAGE_LIMIT: Final = 0x3FFFFFFF


@dataclass(frozen=True, slots=True)
class Query:
    text: bytes
    raw: bytes = field(repr=False)

    @property
    def sql(self) -> str:
        """Raises DataError 22021, to be answered as the statement's error, if the text is not UTF-8."""
        return decode_text(self.text)


@dataclass(frozen=True, slots=True)
class Parse:
    name: str
    text: bytes
    param_oids: tuple[int, ...]
    raw: bytes = field(repr=False)

    @property
    def sql(self) -> str:
        """Raises DataError 22021, to be answered as the statement's error, if the text is not UTF-8."""
        return decode_text(self.text)


@dataclass(frozen=True, slots=True)
class Bind:
    portal: str
    statement: str
    param_formats: tuple[int, ...]
    params: tuple[bytes | None, ...]
    result_formats: tuple[int, ...]
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Describe:
    """`kind` is 'S' (statement) or 'P' (portal)."""

    kind: str
    name: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Execute:
    portal: str
    max_rows: int
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Close:
    """`kind` is 'S' (statement) or 'P' (portal)."""

    kind: str
    name: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sync:
    raw: bytes = field(default=b"S\0\0\0\4", repr=False)


@dataclass(frozen=True, slots=True)
class Flush:
    raw: bytes = field(default=b"H\0\0\0\4", repr=False)


@dataclass(frozen=True, slots=True)
class CopyData:
    raw: bytes = field(repr=False)

    @property
    def data(self) -> memoryview:
        return memoryview(self.raw)[HEADER_SIZE:]


@dataclass(frozen=True, slots=True)
class CopyDone:
    raw: bytes = field(default=b"c\0\0\0\4", repr=False)


@dataclass(frozen=True, slots=True)
class CopyFail:
    reason: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Password:
    """Any answer to an authentication request: a password, or a step of SASL."""

    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Terminate:
    raw: bytes = field(default=b"X\0\0\0\4", repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A message of type `kind` for which there was no memory; nobody has kept it."""

    kind: int


StatementMessage = (
    Query
    | Parse
    | Bind
    | Describe
    | Execute
    | Close
    | Sync
    | Flush
    | CopyData
    | CopyDone
    | CopyFail
    | FunctionCall
    | Terminate
    | Refused
)
FrontendMessage = StatementMessage | Password | StartupMessage | SSLRequest | GSSENCRequest | CancelRequest


class Phase(Enum):
    STARTUP = "startup"
    AUTHENTICATION = "authentication"
    READY = "ready"


def decode_text(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        seen = " ".join(f"0x{byte:02x}" for byte in text[error.start : error.start + 4])
        raise DataError(f'invalid byte sequence for encoding "UTF8": {seen}', sqlstate="22021") from error


class FrontendDecoder:
    """Feed it a client's bytes, take messages. `phase` says what may come next; its owner moves it on."""

    __slots__ = ("_framing", "_message_limit", "_phase", "_refused", "_startup")

    def __init__(self, message_limit: int = DEFAULT_MESSAGE_LIMIT) -> None:
        self._message_limit = message_limit
        self._phase = Phase.STARTUP
        self._startup = bytearray()
        self._framing = Framing()
        self._refused: Refused | None = None

    @property
    def phase(self) -> Phase:
        return self._phase

    def enter(self, phase: Phase) -> None:
        rest = self.take_buffered()
        self._phase = phase
        limits = _authentication_limits() if phase is Phase.AUTHENTICATION else _statement_limits(self._message_limit)
        self._framing = Framing(limits)
        if rest:
            self.feed(rest)

    @property
    def buffered(self) -> int:
        return len(self._startup) if self._phase is Phase.STARTUP else self._framing.buffered

    def take_buffered(self) -> bytes:
        """The bytes not yet read, taken out."""
        if self._phase is not Phase.STARTUP:
            return self._framing.take_all()
        rest = bytes(self._startup)
        self._startup.clear()
        return rest

    def feed(self, chunk: bytes) -> None:
        if self._phase is Phase.STARTUP:
            self._startup += chunk
        else:
            self._framing.feed(chunk)

    def ready(self) -> bool:
        """Whether `next` would return a message or raise; False means that more bytes are needed."""
        if self._phase is not Phase.STARTUP:
            return not self._framing.skipping and (self._refused is not None or self._framing.ready())
        try:
            length = packet_length(self._startup)
        except ProtocolViolation:
            return True
        return length is not None and length <= len(self._startup)

    def next(self) -> FrontendMessage | None:
        if self._phase is Phase.STARTUP:
            return self._next_startup()
        if self._refused is not None and not self._framing.skipping:
            refused, self._refused = self._refused, None
            return refused
        raw = self._framing.next()
        return None if raw is None else decode_message(raw)

    def next_copy(self) -> bytes | FrontendMessage | None:
        """As `next`, but all CopyData at hand comes as one piece: their payloads, joined."""
        data = self._framing.next_payloads(0x64) if self._refused is None else None
        return self.next() if data is None else data

    @property
    def arriving(self) -> int:
        """How long the message is of which a part is missing; 0 if that is not known, or nothing is missing."""
        return 0 if self._phase is Phase.STARTUP else self._framing.arriving()

    def refuse(self) -> None:
        """Drops the message that is arriving; `next` gives a Refused in its place, when all of it has gone by."""
        self._refused = Refused(self._framing.skip())

    def _next_startup(self) -> StartupPacket | None:
        length = packet_length(self._startup)
        if length is None or length > len(self._startup):
            return None
        packet = bytes(self._startup[:length])
        del self._startup[:length]
        return decode_startup(packet)


def decode_message(raw: bytes) -> FrontendMessage:
    """One whole message of a known type; raises ProtocolViolation if its payload is not well formed."""
    try:
        return _DECODERS[raw[0]](raw)
    except (StructError, IndexError, ValueError) as error:
        raise ProtocolViolation(f"invalid message format of type {raw[:1].decode('latin-1')}") from error


def _authentication_limits() -> dict[int, int]:
    return {ord("p"): _PASSWORD, ord("X"): _SHORT}


def _statement_limits(longest: int) -> dict[int, int]:
    return {ord(kind): longest for kind in "QPBFd"} | {ord(kind): _SHORT for kind in "CDEHSXcf"}


def _string(raw: bytes, start: int) -> tuple[bytes, int]:
    end = raw.index(b"\0", start)
    return raw[start:end], end + 1


def _finish(raw: bytes, position: int) -> None:
    if position != len(raw):
        raise ValueError("bytes left over")


def _empty(raw: bytes) -> bytes:
    _finish(raw, HEADER_SIZE)
    return raw


def _query(raw: bytes) -> Query:
    text, position = _string(raw, HEADER_SIZE)
    _finish(raw, position)
    return Query(text, raw)


def _parse(raw: bytes) -> Parse:
    name, position = _string(raw, HEADER_SIZE)
    text, position = _string(raw, position)
    oids, position = _codes(raw, position, "I", 4)
    _finish(raw, position)
    return Parse(name.decode(), text, oids, raw)


def _bind(raw: bytes) -> Bind:
    portal, position = _string(raw, HEADER_SIZE)
    statement, position = _string(raw, position)
    param_formats, position = _codes(raw, position, "H", 2)
    (count,) = _INT16.unpack_from(raw, position)
    position += 2
    params: list[bytes | None] = []
    for _ in range(count):
        (length,) = _INT32.unpack_from(raw, position)
        position += 4
        if length == -1:
            params.append(None)
            continue
        if length < 0 or position + length > len(raw):
            raise ValueError("insufficient data left in message")
        params.append(raw[position : position + length])
        position += length
    result_formats, position = _codes(raw, position, "H", 2)
    _finish(raw, position)
    return Bind(portal.decode(), statement.decode(), param_formats, tuple(params), result_formats, raw)


def _codes(raw: bytes, position: int, kind: str, size: int) -> tuple[tuple[int, ...], int]:
    (count,) = _INT16.unpack_from(raw, position)
    position += 2
    return unpack_from(f"!{count}{kind}", raw, position), position + count * size


def _named(raw: bytes) -> tuple[str, str]:
    kind = chr(raw[HEADER_SIZE])
    if kind not in "SP":
        raise ValueError("neither statement nor portal")
    name, position = _string(raw, HEADER_SIZE + 1)
    _finish(raw, position)
    return kind, name.decode()


def _execute(raw: bytes) -> Execute:
    portal, position = _string(raw, HEADER_SIZE)
    (max_rows,) = _INT32.unpack_from(raw, position)
    _finish(raw, position + 4)
    return Execute(portal.decode(), max(max_rows, 0), raw)


def _copy_fail(raw: bytes) -> CopyFail:
    reason, position = _string(raw, HEADER_SIZE)
    _finish(raw, position)
    return CopyFail(reason.decode("utf-8", "replace"), raw)


_DECODERS: Final[dict[int, Callable[[bytes], FrontendMessage]]] = {
    ord("Q"): _query,
    ord("P"): _parse,
    ord("B"): _bind,
    ord("D"): lambda raw: Describe(*_named(raw), raw),
    ord("E"): _execute,
    ord("C"): lambda raw: Close(*_named(raw), raw),
    ord("S"): lambda raw: Sync(_empty(raw)),
    ord("H"): lambda raw: Flush(_empty(raw)),
    ord("X"): lambda raw: Terminate(_empty(raw)),
    ord("d"): CopyData,
    ord("c"): lambda raw: CopyDone(_empty(raw)),
    ord("f"): _copy_fail,
    ord("F"): FunctionCall,
    ord("p"): Password,
}
