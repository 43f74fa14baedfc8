"""The gateway's own statements on a backing connection, by the extended protocol: how they are sent and read.

Each step is complete in itself (it opens and closes the statement "mere"), so that any number fit in one flight.
Lives in the coordinator process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mere.wire import requests
from mere.wire.backend import read_data_row, read_parameter_description, read_row_description, read_tag
from mere.wire.messages import Field

Row = tuple[str | None, ...]

_NAME = "mere"
_OPEN = requests.close_statement(_NAME)
_RUN = requests.describe_portal(_NAME) + requests.execute(_NAME)
_CLOSE = requests.close_portal(_NAME) + requests.close_statement(_NAME)
_DESCRIBE = requests.describe_statement(_NAME) + requests.close_statement(_NAME)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Run a statement and give its rows; values come as text, parameters go as text (str) or binary (bytes)."""

    sql: str
    params: Sequence[str | bytes | None] = ()
    param_oids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Describe:
    """Parse and describe a statement without running it."""

    sql: str
    param_oids: Sequence[int] = ()


Step = Fetch | Describe


@dataclass(frozen=True, slots=True)
class CommandResult:
    tag: str
    rows: list[Row]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """`fields` is None for a statement that returns no rows."""

    param_oids: tuple[int, ...]
    fields: tuple[Field, ...] | None


def encode_step(step: Step, send: Callable[[bytes], None]) -> None:
    # The Close comes first, since a step that failed half-way leaves its statement behind.
    send(_OPEN)
    if isinstance(step, Describe):
        send(requests.parse(_NAME, step.sql, step.param_oids))
        send(_DESCRIBE)
        return
    values = [value.encode() if isinstance(value, str) else value for value in step.params]
    formats = [int(isinstance(value, bytes)) for value in step.params]
    send(requests.parse(_NAME, step.sql, step.param_oids))
    send(requests.bind(_NAME, _NAME, values, formats))
    send(_RUN)
    send(_CLOSE)


def announce_step(step: Step, send: Callable[[bytes], None]) -> None:
    """Only its statement is sent, and no Sync: CloseComplete and ParseComplete are all that comes."""
    send(_OPEN)
    send(requests.parse(_NAME, step.sql, step.param_oids))
    send(requests.FLUSH)


async def read_step(
    step: Step, receive: Callable[[], Awaitable[tuple[bytes, bytes]]]
) -> CommandResult | Description | bytes:
    """The step's result, or the raw ErrorResponse that ended it."""
    param_oids: tuple[int, ...] = ()
    fields: tuple[Field, ...] | None = None
    rows: list[Row] = []
    tag = ""
    # One Close before and one (Describe) or two (Fetch) after; the last reply of a step is its last CloseComplete.
    closes = 2 if isinstance(step, Describe) else 3
    while closes:
        kind, raw = await receive()
        match kind:
            case b"D":
                rows.append(read_data_row(raw))
            case b"3":
                closes -= 1
            case b"t":
                param_oids = read_parameter_description(raw)
            case b"T":
                fields = read_row_description(raw)
            case b"C":
                tag = read_tag(raw)
            case b"E":
                return raw
    if isinstance(step, Describe):
        return Description(param_oids, fields)
    return CommandResult(tag, rows, fields or ())
