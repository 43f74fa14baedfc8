"""Encoders of the messages that a client sends (PostgreSQL protocol 3, frontend to backend).

The gateway is PostgreSQL's client; these are its words. Sans-IO; lives in the coordinator process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import Struct, pack
from typing import Final

from mere.wire.messages import message

_INT16 = Struct("!H")
_INT32 = Struct("!i")
_CANCEL_CODE: Final = 80877102

SYNC: Final = b"S\0\0\0\4"
FLUSH: Final = b"H\0\0\0\4"
TERMINATE: Final = b"X\0\0\0\4"
COPY_DONE: Final = b"c\0\0\0\4"


def startup(version: int, parameters: Mapping[str, str]) -> bytes:
    pairs = b"".join(name.encode() + b"\0" + value.encode() + b"\0" for name, value in parameters.items())
    body = pack("!I", version) + pairs + b"\0"
    return _INT32.pack(len(body) + 4) + body


def cancel_request(pid: int, secret: bytes) -> bytes:
    return pack("!IIi", 12 + len(secret), _CANCEL_CODE, pid) + secret


def password(payload: bytes) -> bytes:
    return message(b"p", payload)


def query(sql: str) -> bytes:
    return message(b"Q", sql.encode() + b"\0")


def parse(name: str, sql: str, param_oids: Sequence[int] = ()) -> bytes:
    oids = pack(f"!H{len(param_oids)}I", len(param_oids), *param_oids)
    return message(b"P", name.encode() + b"\0" + sql.encode() + b"\0" + oids)


def bind(
    portal: str,
    statement: str,
    params: Sequence[bytes | None] = (),
    param_formats: Sequence[int] = (),
    result_formats: Sequence[int] = (),
) -> bytes:
    pieces = [
        portal.encode() + b"\0" + statement.encode() + b"\0",
        pack(f"!H{len(param_formats)}H", len(param_formats), *param_formats),
        _INT16.pack(len(params)),
    ]
    for value in params:
        if value is None:
            pieces.append(b"\xff\xff\xff\xff")
        else:
            pieces.append(_INT32.pack(len(value)))
            pieces.append(value)
    pieces.append(pack(f"!H{len(result_formats)}H", len(result_formats), *result_formats))
    return message(b"B", b"".join(pieces))


def describe_statement(name: str) -> bytes:
    return message(b"D", b"S" + name.encode() + b"\0")


def describe_portal(name: str) -> bytes:
    return message(b"D", b"P" + name.encode() + b"\0")


def execute(portal: str, max_rows: int = 0) -> bytes:
    return message(b"E", portal.encode() + b"\0" + _INT32.pack(max_rows))


def close_statement(name: str) -> bytes:
    return message(b"C", b"S" + name.encode() + b"\0")


def close_portal(name: str) -> bytes:
    return message(b"C", b"P" + name.encode() + b"\0")


def copy_data(payload: bytes) -> bytes:
    return message(b"d", payload)


def copy_fail(reason: str) -> bytes:
    return message(b"f", reason.encode() + b"\0")
