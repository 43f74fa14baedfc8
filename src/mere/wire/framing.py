"""Cuts a stream of bytes into protocol messages: one type byte, a big-endian length that counts itself, a payload.

Owns the bytes received and not yet consumed. Sans-IO; used on both sides of the gateway, in the coordinator process.
A chunk that starts on a message boundary is kept as it came and sliced; only a message that spans chunks is copied
into a growing buffer, so that neither many small chunks nor one huge message cost more than linear time.
"""

from __future__ import annotations

from struct import Struct

from mere.errors import ProtocolViolation

_LENGTH = Struct("!I")
HEADER_SIZE = 5


class Framing:
    """Feed it chunks, take whole messages. `limits` maps a type byte to the longest length allowed (None: any type)."""

    __slots__ = ("_data", "_limits", "_position", "_skipping")

    def __init__(self, limits: dict[int, int] | None = None) -> None:
        self._data: bytes | bytearray = b""
        self._position = 0
        self._limits = limits
        self._skipping = 0  # bytes to come that nobody wants

    @property
    def buffered(self) -> int:
        return len(self._data) - self._position

    @property
    def skipping(self) -> bool:
        return self._skipping > 0

    def arriving(self) -> int:
        """How long the first message is, its type byte not counted, while a part of it is missing; 0 if that is not
        known, or nothing is missing."""
        data, position = self._data, self._position
        if len(data) - position < HEADER_SIZE:
            return 0
        length: int = _LENGTH.unpack_from(data, position + 1)[0]
        return length if position + 1 + length > len(data) else 0

    def skip(self) -> int:
        """Drops the message that is arriving, what is there of it and what is still to come; returns its type."""
        data, position = self._data, self._position
        self._skipping = self.arriving() + 1 - (len(data) - position)
        self._data, self._position = b"", 0
        return data[position]

    def feed(self, chunk: bytes) -> None:
        if self._skipping:
            unwanted = min(self._skipping, len(chunk))
            self._skipping -= unwanted
            chunk = chunk[unwanted:]
        data, position = self._data, self._position
        if position == len(data):
            self._data = chunk
        elif isinstance(data, bytearray):
            if position:
                del data[:position]
            data += chunk
        else:
            grown = bytearray(memoryview(data)[position:])
            grown += chunk
            self._data = grown
        self._position = 0

    def take_all(self) -> bytes:
        """Everything not yet consumed, message or not."""
        rest = bytes(memoryview(self._data)[self._position :])
        self._data, self._position = b"", 0
        return rest

    def ready(self) -> bool:
        """Whether `next` would return a message, or raise; False means that more bytes are needed."""
        try:
            return self._head_end() is not None
        except ProtocolViolation:
            return True

    def peek_type(self) -> bytes | None:
        """The type of the first message if it is whole."""
        if self._head_end() is None:
            return None
        return bytes(self._data[self._position : self._position + 1])

    def next(self) -> bytes | None:
        """The next whole message with its header, or None."""
        end = self._head_end()
        if end is None:
            return None
        return self._take(end)

    def next_run(self, kinds: frozenset[int]) -> bytes | None:
        """As `next`; but a message of one of `kinds` comes with all whole messages of its type that follow it."""
        end = self._head_end()
        if end is None:
            return None
        data, size = self._data, len(self._data)
        kind = data[self._position]
        if kind in kinds:
            unpack, position = _LENGTH.unpack_from, end
            while size - position >= HEADER_SIZE and data[position] == kind:
                following = position + 1 + unpack(data, position + 1)[0]
                if following > size or following < position + HEADER_SIZE:
                    break
                position = following
            end = position
        return self._take(end)

    def next_payloads(self, kind: int) -> bytes | None:
        """The payloads, joined, of all whole messages of type `kind` at the front; None if there is none."""
        end = self._head_end()
        if end is None or self._data[self._position] != kind:
            return None
        pieces: list[memoryview] = []
        view = memoryview(self._data)
        while end is not None:
            pieces.append(view[self._position + HEADER_SIZE : end])
            self._position = end
            if end == len(view) or view[end] != kind:
                break
            end = self._head_end()
        joined = b"".join(pieces)
        for piece in pieces:
            piece.release()
        view.release()
        self._let_go()
        return joined

    def _head_end(self) -> int | None:
        data, position = self._data, self._position
        if len(data) - position < HEADER_SIZE:
            # An unknown type byte is an error at once: waiting for its length would be waiting for nothing.
            if len(data) > position:
                self._check(data[position], 4)
            return None
        length: int = _LENGTH.unpack_from(data, position + 1)[0]
        self._check(data[position], length)
        end = position + 1 + length
        return end if end <= len(data) else None

    def _check(self, kind: int, length: int) -> None:
        if self._limits is not None:
            longest = self._limits.get(kind)
            if longest is None:
                raise ProtocolViolation(f"invalid frontend message type {kind}")
            if length > longest:
                raise ProtocolViolation("invalid message length")
        if length < 4:
            raise ProtocolViolation("invalid message length")

    def _take(self, end: int) -> bytes:
        data, position = self._data, self._position
        self._position = end
        self._let_go()
        if isinstance(data, bytes):
            return data if position == 0 and end == len(data) else data[position:end]
        with memoryview(data) as view:
            return bytes(view[position:end])

    def _let_go(self) -> None:
        """A large message must not stay here after it was taken, until the next bytes come."""
        if self._position == len(self._data):
            self._data, self._position = b"", 0
