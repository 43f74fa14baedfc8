"""Readers of what PostgreSQL sends (PostgreSQL protocol 3, backend to frontend): each takes one whole raw message.

Sans-IO; lives in the coordinator process.
"""

from __future__ import annotations

from struct import Struct, unpack_from

from mere.wire.framing import HEADER_SIZE
from mere.wire.messages import Field
from mere.wire.pgerror import PgError, parse_fields

_INT16 = Struct("!H")
_INT32 = Struct("!i")
_FIELD_TAIL = Struct("!IhIhih")


def read_error(raw: bytes) -> PgError:
    return PgError(parse_fields(raw[HEADER_SIZE:]))


def read_notice(raw: bytes) -> dict[str, str]:
    return parse_fields(raw[HEADER_SIZE:])


def read_authentication_code(raw: bytes) -> int:
    code: int = _INT32.unpack_from(raw, HEADER_SIZE)[0]
    return code


def read_parameter_status(raw: bytes) -> tuple[str, str]:
    name, value, _ = raw[HEADER_SIZE:].split(b"\0")
    return name.decode(), value.decode("utf-8", "replace")


def read_backend_key_data(raw: bytes) -> tuple[int, bytes]:
    return _INT32.unpack_from(raw, HEADER_SIZE)[0], raw[HEADER_SIZE + 4 :]


def read_status(raw: bytes) -> str:
    """'I', 'T' or 'E' of a ReadyForQuery."""
    return chr(raw[HEADER_SIZE])


def read_tag(raw: bytes) -> str:
    """The tag of a CommandComplete."""
    return raw[HEADER_SIZE:-1].decode()


def read_row_description(raw: bytes) -> tuple[Field, ...]:
    (count,) = _INT16.unpack_from(raw, HEADER_SIZE)
    position = HEADER_SIZE + 2
    fields: list[Field] = []
    for _ in range(count):
        end = raw.index(b"\0", position)
        fields.append(Field(raw[position:end].decode(), *_FIELD_TAIL.unpack_from(raw, end + 1)))
        position = end + 1 + _FIELD_TAIL.size
    return tuple(fields)


def read_parameter_description(raw: bytes) -> tuple[int, ...]:
    (count,) = _INT16.unpack_from(raw, HEADER_SIZE)
    return unpack_from(f"!{count}I", raw, HEADER_SIZE + 2)


def read_data_row(raw: bytes) -> tuple[str | None, ...]:
    """The values of one DataRow in text format."""
    (count,) = _INT16.unpack_from(raw, HEADER_SIZE)
    position = HEADER_SIZE + 2
    values: list[str | None] = []
    for _ in range(count):
        (length,) = _INT32.unpack_from(raw, position)
        position += 4
        if length < 0:
            values.append(None)
        else:
            values.append(raw[position : position + length].decode())
            position += length
    return tuple(values)
