"""The values of Bind as PostgreSQL's text, whatever format they came in. Lives in the coordinator process.

Text and the commonest binary forms are read here; for every other type PostgreSQL itself turns its binary form into
text, so that no driver meets a type that cannot be a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import unpack

from mere.catalog.backend import CommandResult, Description, Fetch
from mere.errors import DataError, ProtocolViolation
from mere.session.postgres_rows import is_styled, shown
from mere.session.state import Parameters, SessionState
from mere.wire.frontend import Bind, decode_text

_TEXTS = frozenset({19, 25, 114, 1042, 1043, 705})  # name, text, json, bpchar, varchar, unknown
_PLAIN_STYLES = frozenset(("ISO, MDY", "ISO, YMD"))  # the styles in which a text means what it means to us
_INTEGERS = {21: "!h", 23: "!i", 20: "!q", 26: "!I"}


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
    _require_known(message.param_formats)
    formats = message.param_formats or (0,)
    if len(formats) == 1:
        formats = formats * len(oids)
    plain = state.backend.parameters.get("DateStyle") in _PLAIN_STYLES
    values: list[str | None] = []
    foreign: list[int] = []
    for index, (value, oid) in enumerate(zip(message.params, oids, strict=True)):
        text = None if value is None else _read(value, oid, formats[index], plain)
        values.append(text)
        if value is not None and text is None:
            foreign.append(index)
    if foreign:
        for index, text in zip(foreign, await _ask(state, message, oids, formats, foreign), strict=True):
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


def _read(value: bytes, oid: int, format: int, plain: bool) -> str | None:
    """The text of one value, None where PostgreSQL has to be asked. `plain`: dates are written year first, or month,
    day and year."""
    if (format == 0 and (plain or not is_styled(oid))) or oid in _TEXTS:
        return decode_text(value)
    if oid in _INTEGERS and len(value) == {21: 2, 23: 4, 20: 8, 26: 4}[oid]:
        return str(unpack(_INTEGERS[oid], value)[0])
    if oid == 16 and len(value) == 1:
        return "t" if value[0] else "f"
    return None


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
