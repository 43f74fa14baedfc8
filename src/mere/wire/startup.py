"""The packets a client may send before it is authenticated: they have a length but no type byte.

Sans-IO; lives in the coordinator process.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from mere.errors import FeatureNotSupported, ProtocolViolation

_TWO_INTS = Struct("!II")

# PostgreSQL's MAX_STARTUP_PACKET_LENGTH: nobody unauthenticated makes us keep more than this.
MAX_STARTUP_LENGTH: Final = 10000
SSL_CODE: Final = 80877103
GSSENC_CODE: Final = 80877104
_CANCEL_CODE: Final = 80877102
_MIN_CANCEL_LENGTH: Final = 16
_MAX_CANCEL_LENGTH: Final = 12 + 256


@dataclass(frozen=True, slots=True)
class StartupMessage:
    """`version` as on the wire (major << 16 | minor); `parameters` without the `_pq_.` options."""

    version: int
    parameters: dict[str, str]
    protocol_options: dict[str, str]


@dataclass(frozen=True, slots=True)
class SSLRequest:
    pass


@dataclass(frozen=True, slots=True)
class GSSENCRequest:
    pass


@dataclass(frozen=True, slots=True)
class CancelRequest:
    pid: int
    secret: bytes


StartupPacket = StartupMessage | SSLRequest | GSSENCRequest | CancelRequest


def packet_length(buffer: bytes | bytearray) -> int | None:
    """The length of the packet that `buffer` starts with, itself included; None while four bytes are not there."""
    if len(buffer) < 4:
        return None
    length = int.from_bytes(buffer[:4], "big")
    if not 8 <= length <= MAX_STARTUP_LENGTH:
        raise ProtocolViolation("invalid length of startup packet")
    return length


def decode_startup(packet: bytes) -> StartupPacket:
    """One whole packet, its length included."""
    length, code = _TWO_INTS.unpack_from(packet)
    if code == SSL_CODE:
        return SSLRequest()
    if code == GSSENC_CODE:
        return GSSENCRequest()
    if code == _CANCEL_CODE:
        if not _MIN_CANCEL_LENGTH <= length <= _MAX_CANCEL_LENGTH:
            raise ProtocolViolation("invalid length of cancel request packet")
        return CancelRequest(pid=int.from_bytes(packet[8:12], "big", signed=True), secret=packet[12:])
    major, minor = code >> 16, code & 0xFFFF
    if major != 3:
        raise FeatureNotSupported(
            f"unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2", sqlstate="0A000"
        )
    return _decode_parameters(code, packet[8:])


def _decode_parameters(version: int, body: bytes) -> StartupMessage:
    # The body is name\0value\0 ... and one more \0, so that splitting leaves two empty pieces at its end.
    if body == b"\0":
        return StartupMessage(version, {}, {})
    pieces = body.split(b"\0")
    if len(pieces) < 4 or len(pieces) % 2 or pieces[-1] or pieces[-2]:
        raise ProtocolViolation("invalid startup packet layout: expected terminator as last byte")
    try:
        words = [piece.decode() for piece in pieces[:-2]]
    except UnicodeDecodeError as error:
        raise ProtocolViolation("startup packet is not valid UTF-8") from error
    pairs = dict(zip(words[::2], words[1::2], strict=True))
    if "" in pairs:
        raise ProtocolViolation("invalid startup packet layout: empty parameter name")
    options = {name: value for name, value in pairs.items() if name.startswith("_pq_.")}
    parameters = {name: value for name, value in pairs.items() if name not in options}
    return StartupMessage(version, parameters, options)
