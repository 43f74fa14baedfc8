"""Encoders of the messages that a server sends (PostgreSQL protocol 3, backend to frontend).

Every function returns the whole message. Sans-IO; lives in the coordinator process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct, pack
from typing import Final

from mere.errors import MereError
from mere.wire.pgerror import error_fields

_HEADER = Struct("!cI")
_FIELD_TAIL = Struct("!IhIhih")
_INT16 = Struct("!H")
_INT32 = Struct("!i")

PROTOCOL_3_0: Final = 3 << 16
PROTOCOL_3_2: Final = 3 << 16 | 2

AUTHENTICATION_OK_CODE: Final = 0
AUTHENTICATION_SASL_FINAL_CODE: Final = 12

PARSE_COMPLETE: Final = b"1\0\0\0\4"
BIND_COMPLETE: Final = b"2\0\0\0\4"
CLOSE_COMPLETE: Final = b"3\0\0\0\4"
NO_DATA: Final = b"n\0\0\0\4"
PORTAL_SUSPENDED: Final = b"s\0\0\0\4"
EMPTY_QUERY: Final = b"I\0\0\0\4"
COPY_DONE: Final = b"c\0\0\0\4"
AUTHENTICATION_OK: Final = b"R\0\0\0\10\0\0\0\0"
READY_IDLE: Final = b"Z\0\0\0\5I"
READY_IN_TRANSACTION: Final = b"Z\0\0\0\5T"
READY_FAILED: Final = b"Z\0\0\0\5E"

_READY: Final = {"I": READY_IDLE, "T": READY_IN_TRANSACTION, "E": READY_FAILED}


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a RowDescription; `format` 0 is text, 1 binary."""

    name: str
    table_oid: int
    attnum: int
    type_oid: int
    type_len: int
    typmod: int
    format: int = 0


def message(kind: bytes, payload: bytes = b"") -> bytes:
    return _HEADER.pack(kind, len(payload) + 4) + payload


def authentication_ok() -> bytes:
    return AUTHENTICATION_OK


def negotiate_protocol_version(version: int, unknown_options: Sequence[str]) -> bytes:
    """The newest version that we speak for this client, and the `_pq_.` options that we do not know."""
    names = b"".join(name.encode() + b"\0" for name in unknown_options)
    return message(b"v", pack("!II", version, len(unknown_options)) + names)


def parameter_status(name: str, value: str) -> bytes:
    return message(b"S", name.encode() + b"\0" + value.encode() + b"\0")


def backend_key_data(pid: int, secret: bytes) -> bytes:
    return message(b"K", _INT32.pack(pid) + secret)


def ready_for_query(status: str) -> bytes:
    return _READY[status]


def row_description(fields: Sequence[Field]) -> bytes:
    pieces = [_INT16.pack(len(fields))]
    for field in fields:
        pieces.append(field.name.encode() + b"\0")
        pieces.append(
            _FIELD_TAIL.pack(field.table_oid, field.attnum, field.type_oid, field.type_len, field.typmod, field.format)
        )
    return message(b"T", b"".join(pieces))


def parameter_description(oids: Sequence[int]) -> bytes:
    return message(b"t", pack(f"!H{len(oids)}I", len(oids), *oids))


def data_row(values: Sequence[bytes | None]) -> bytes:
    """One row, for the few short answers that the gateway makes itself; batches are encoded by segment/encode."""
    pieces = [_INT16.pack(len(values))]
    for value in values:
        if value is None:
            pieces.append(b"\xff\xff\xff\xff")
        else:
            pieces.append(_INT32.pack(len(value)))
            pieces.append(value)
    return message(b"D", b"".join(pieces))


def command_complete(tag: str) -> bytes:
    return message(b"C", tag.encode() + b"\0")


def error_response(error: MereError | Mapping[str, str]) -> bytes:
    fields = error_fields(error) if isinstance(error, MereError) else error
    return message(b"E", _encode_fields(fields))


def fatal_response(error: MereError) -> bytes:
    """The error as the last word before the connection closes."""
    fields = error_fields(error)
    if fields.get("V") not in ("FATAL", "PANIC"):
        fields["S"] = fields["V"] = "FATAL"
    return message(b"E", _encode_fields(fields))


def notice_response(
    text: str,
    *,
    severity: str = "NOTICE",
    sqlstate: str = "00000",
    detail: str | None = None,
    hint: str | None = None,
) -> bytes:
    fields = {"S": severity, "V": severity, "C": sqlstate, "M": text}
    if detail:
        fields["D"] = detail
    if hint:
        fields["H"] = hint
    return message(b"N", _encode_fields(fields))


def notification_response(pid: int, channel: str, payload: str) -> bytes:
    return message(b"A", _INT32.pack(pid) + channel.encode() + b"\0" + payload.encode() + b"\0")


def parse_complete() -> bytes:
    return PARSE_COMPLETE


def bind_complete() -> bytes:
    return BIND_COMPLETE


def close_complete() -> bytes:
    return CLOSE_COMPLETE


def no_data() -> bytes:
    return NO_DATA


def portal_suspended() -> bytes:
    return PORTAL_SUSPENDED


def empty_query() -> bytes:
    return EMPTY_QUERY


def copy_in_response(columns: int, *, binary: bool = False) -> bytes:
    return message(b"G", _copy_formats(columns, binary))


def copy_out_response(columns: int, *, binary: bool = False) -> bytes:
    return message(b"H", _copy_formats(columns, binary))


def copy_data(payload: bytes) -> bytes:
    return message(b"d", payload)


def copy_done() -> bytes:
    return COPY_DONE


def _copy_formats(columns: int, binary: bool) -> bytes:
    code = int(binary)
    return pack(f"!bH{columns}H", code, columns, *([code] * columns))


def _encode_fields(fields: Mapping[str, str]) -> bytes:
    # A zero byte ends a field, so none may stand inside; lone surrogates cannot be encoded at all.
    pieces = [
        code.encode() + text.replace("\0", "").encode("utf-8", "replace") + b"\0" for code, text in fields.items()
    ]
    return b"".join(pieces) + b"\0"
