"""The values of Bind as PostgreSQL's text, whatever format they came in. Lives in the coordinator process.

The commonest forms are read here; for every other type and spelling PostgreSQL itself turns the value into text, so
that no driver meets a type that cannot be a parameter, and what is no value is PostgreSQL's error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from struct import unpack
from uuid import UUID

from mere.catalog.backend import CommandResult, Description, Fetch
from mere.errors import DataError, MereError, ProtocolViolation
from mere.session.postgres_rows import require_possible, shown
from mere.session.state import Parameters, SessionState
from mere.wire.frontend import Bind, decode_text

_LONGEST = 1 << 27  # bytes: a value on its way to the engine is copied some ten times
_TEXTS = frozenset({19, 25, 114, 1042, 1043, 705})  # name, text, json, bpchar, varchar, unknown
_INTEGERS = {21: "!h", 23: "!i", 20: "!q", 26: "!I"}
_SIZES = {21: 2, 23: 4, 20: 8, 26: 4}
_BOUNDS = {21: 2**15, 23: 2**31, 20: 2**63}
_WHOLE, _DECIMAL = rb"-?[0-9]{1,19}", rb"-?[0-9]{1,15}(?:\.[0-9]{1,15})?"
_DAY, _CLOCK = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}", rb"[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?"
# The spellings of each type that mean what they say, whatever the session's settings.
_PLAIN = {
    oid: re.compile(pattern)
    for oid, pattern in {
        16: rb"[tf]|true|false",
        **dict.fromkeys((21, 23, 20), _WHOLE),
        26: rb"[0-9]{1,9}",
        **dict.fromkeys((700, 701, 1700), _DECIMAL),
        1082: _DAY,
        1114: _DAY + _CLOCK,
        1184: _DAY + _CLOCK + rb"[+-][0-9]{2}:[0-9]{2}",
        2950: rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    }.items()
}
_DATES = frozenset({1082, 1114, 1184})


async def read_parameters(state: SessionState, message: Bind, oids: tuple[int, ...]) -> Parameters:
    """Raises ProtocolViolation when the counts do not fit, PgError when PostgreSQL cannot read a binary value."""
    if len(message.params) != len(oids):
        raise ProtocolViolationInBind(
            f"bind message supplies {len(message.params)} parameters, but prepared statement "
            f'"{message.statement}" requires {len(oids)}'
        )
    if len(message.param_formats) not in (0, 1, len(oids)):
        raise ProtocolViolationInBind(
            f"bind message has {len(message.param_formats)} parameter formats but {len(oids)} parameters"
        )
    if len(message.raw) > _LONGEST:
        raise MereError(
            f"parameters of {len(message.raw)} bytes are too much for a statement over lake tables",
            sqlstate="54000",
            detail=f"They may have {_LONGEST} bytes together.",
            hint="Load large values with COPY.",
        )
    _require_known(message.param_formats)
    formats = message.param_formats or (0,)
    if len(formats) == 1:
        formats = formats * len(oids)
    values: list[str | None] = []
    foreign: list[int] = []
    for index, (value, oid) in enumerate(zip(message.params, oids, strict=True)):
        text = None if value is None else _read(value, oid, formats[index])
        values.append(text)
        if value is not None and text is None:
            foreign.append(index)
    if foreign:
        for index, text in zip(foreign, await _ask(state, message, oids, formats, foreign), strict=True):
            require_possible(text, oids[index])
            values[index] = text
    return Parameters(tuple(values), oids)


def require_formats(message: Bind, description: Description | None) -> None:
    """Raises where the formats asked for do not fit the result."""
    fields = description.fields if description is not None else None
    wanted, columns = len(message.result_formats), len(fields or ())
    if wanted > 1 and wanted != columns:
        raise ProtocolViolationInBind(f"bind message has {wanted} result formats but query has {columns} columns")
    _require_known(message.result_formats)


def _require_known(formats: Sequence[int]) -> None:
    for code in formats:
        if code not in (0, 1):
            raise DataError(f"unsupported format code: {code}", sqlstate="22023")


class ProtocolViolationInBind(ProtocolViolation):
    """The counts of a Bind do not fit its statement: an error of the statement, not of the connection."""

    severity = "ERROR"


def _read(value: bytes, oid: int, format: int) -> str | None:
    """The text of one value, in the one form that files are pruned by; None where PostgreSQL has to be asked, which
    knows every spelling, and what is wrong with the others."""
    if oid in _TEXTS:
        return decode_text(value)
    if format:
        return _from_binary(value, oid)
    plain = _PLAIN.get(oid)
    if plain is None or not plain.fullmatch(value):
        return None
    text = value.decode()
    if oid in _BOUNDS:
        return text if -_BOUNDS[oid] <= int(text) < _BOUNDS[oid] else None
    return text if oid not in _DATES or _is_date(text) else None


def _from_binary(value: bytes, oid: int) -> str | None:
    if oid in _INTEGERS and len(value) == _SIZES[oid]:
        return str(unpack(_INTEGERS[oid], value)[0])
    if oid == 16 and len(value) == 1:
        return "t" if value[0] else "f"
    if oid == 2950 and len(value) == 16:
        return str(UUID(bytes=value))
    return None


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


async def _ask(
    state: SessionState, message: Bind, oids: tuple[int, ...], formats: tuple[int, ...], which: list[int]
) -> tuple[str | None, ...]:
    casts = ", ".join(shown(f"${number}", oids[index]) for number, index in enumerate(which, 1))
    values: list[str | bytes | None] = []
    for index in which:
        value = message.params[index]
        values.append(value if value is None or formats[index] else decode_text(value))
    step = Fetch(f"SELECT {casts}", values, [oids[index] for index in which])
    (result,) = await state.backend.pipeline([step])
    assert isinstance(result, CommandResult)
    return result.rows[0]
