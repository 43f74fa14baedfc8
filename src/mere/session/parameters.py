"""The values of Bind as PostgreSQL's text, whatever format they came in. Lives in the coordinator process.

Text and the commonest binary forms are read here; for every other type PostgreSQL itself turns its binary form into
text, so that no driver meets a type that cannot be a parameter.
"""

from __future__ import annotations

from struct import unpack

from mere.catalog.backend import CommandResult, Fetch
from mere.errors import ProtocolViolation
from mere.session.state import Parameters, SessionState
from mere.wire.frontend import Bind, decode_text

_TEXTS = frozenset({19, 25, 114, 1042, 1043, 705})  # name, text, json, bpchar, varchar, unknown
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
        for index, text in zip(foreign, await _ask(state, message, oids, foreign), strict=True):
            values[index] = text
    return Parameters(tuple(values), oids)


class ProtocolViolationInBind(ProtocolViolation):
    """The counts of a Bind do not fit its statement: an error of the statement, not of the connection."""

    severity = "ERROR"


def _read(value: bytes, oid: int, format: int) -> str | None:
    """The text of one value, None where PostgreSQL has to be asked."""
    if format == 0 or oid in _TEXTS:
        return decode_text(value)
    if oid in _INTEGERS and len(value) == {21: 2, 23: 4, 20: 8, 26: 4}[oid]:
        return str(unpack(_INTEGERS[oid], value)[0])
    if oid == 16 and len(value) == 1:
        return "t" if value[0] else "f"
    return None


async def _ask(state: SessionState, message: Bind, oids: tuple[int, ...], which: list[int]) -> tuple[str | None, ...]:
    casts = ", ".join(f"${number}::text" for number in range(1, len(which) + 1))
    step = Fetch(f"SELECT {casts}", [message.params[index] for index in which], [oids[index] for index in which])
    (result,) = await state.backend.pipeline([step])
    assert isinstance(result, CommandResult)
    return result.rows[0]
