"""Maintenance by SQL: SELECT ... FROM mere.maintain(), and VACUUM of lake tables. Lives in the coordinator process.

PostgreSQL says what the arguments mean and whether the role may; the work is this process's; and then PostgreSQL
answers the query, from what was noted of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pyarrow as pa

from mere.catalog.backend import CommandResult, Description, Fetch
from mere.catalog.resolve import resolve
from mere.errors import InvalidTransactionState, MereError, UndefinedObject
from mere.lake.maintenance import Kind, Step
from mere.session.rows import Outcome, Portion, RowSource
from mere.session.select import with_formats
from mere.session.state import Parameters, SessionState
from mere.session.upkeep import Request, maintain
from mere.sql.lexer import Statement
from mere.sql.relations import Kind as Relations
from mere.sql.token_cursor import Name
from mere.sql.upkeep import Vacuum, calls_maintain, maintain_arguments, parse_vacuum
from mere.wire import messages, requests
from mere.wire.backend import read_error
from mere.wire.pgerror import PgError

_ASKED = "SELECT relations, wanted, dry FROM mere.maintenance_request({})"
_DONE = "SELECT pg_catalog.set_config('mere.maintenance_run', $1, false)"
_VACUUMED = "SELECT relations, allowed FROM mere.vacuumed($1::oid)"


def is_call(statement: Statement) -> bool:
    """Whether the statement has one call of mere.maintain()."""
    return calls_maintain(statement) and maintain_arguments(statement.text) is not None


async def describe_call(state: SessionState, statement: Statement, param_oids: tuple[int, ...]) -> Description:
    return await state.backend.describe(statement.text, param_oids)


async def run_call(
    state: SessionState, statement: Statement, parameters: Parameters, formats: tuple[int, ...]
) -> Outcome:
    """A query with one call of mere.maintain()."""
    if state.transaction.open:
        raise InvalidTransactionState("mere.maintain() cannot run inside a transaction block", sqlstate="25001")
    arguments = maintain_arguments(statement.text) or ""
    (asked,) = await state.backend.pipeline([Fetch(_ASKED.format(arguments), parameters.values, parameters.oids)])
    assert isinstance(asked, CommandResult)
    relations, kinds, dry = asked.rows[0]
    request = Request(
        "sql",
        [Kind(kind) for kind in _array(kinds) or ()],
        None if relations is None else _oids(relations),
        dry=dry == "t",
    )
    await _run(state, request)
    await state.backend.fetch(_DONE, [str(request.run_id)])
    return await _answer(state, statement, parameters, formats)


async def _run(state: SessionState, request: Request) -> Sequence[Step]:
    state.stand_in.expect()
    return await state.unless_cancelled(maintain(state.services, state.database.name, request))


def _array(text: str | None) -> list[str] | None:
    """PostgreSQL's text form of an array of plain words."""
    return None if text is None else [part for part in text.strip("{}").split(",") if part]


def _oids(text: str | None) -> list[int]:
    return [int(part) for part in _array(text) or ()]


async def _answer(
    state: SessionState, statement: Statement, parameters: Parameters, formats: tuple[int, ...]
) -> Outcome:
    """What PostgreSQL says to the query, in the formats that the client wants, as it says it."""
    fields = with_formats((await state.backend.describe(statement.text, parameters.oids)).fields or (), formats)
    backend = state.backend
    values = [None if value is None else value.encode() for value in parameters.values]
    backend.send(requests.parse("", statement.text, parameters.oids))
    backend.send(requests.bind("", "", values, (), [field.format for field in fields]))
    backend.send(requests.execute(""))
    backend.send(requests.SYNC)
    rows: list[bytes] = []
    failure: PgError | None = None
    while True:
        kind, raw = await backend.receive()
        if kind == b"Z":
            break
        if kind == b"D":
            rows.append(raw)
        elif kind == b"E":
            failure = read_error(raw)
    if failure is not None:
        raise failure
    return Outcome("SELECT", fields, RowSource(_once(rows), _joined), counted=True)


async def _once(rows: Sequence[bytes]) -> AsyncIterator[Portion]:
    if rows:
        batch = pa.record_batch([pa.array(rows, pa.binary())], names=["message"])
        yield Portion(batch, _joined(batch))


def _joined(batch: pa.RecordBatch) -> bytes:
    return b"".join(batch.column(0).to_pylist())


async def vacuum(state: SessionState, statement: Statement) -> Outcome:
    """Lake tables get better files; others are PostgreSQL's to vacuum."""
    if state.transaction.open:
        raise InvalidTransactionState("VACUUM cannot run inside a transaction block", sqlstate="25001")
    command = parse_vacuum(statement.text)
    relations, others = await _targets(state, command)
    if others:
        await state.backend.simple(f"VACUUM {command.options} {', '.join(others)}")
    if relations or not command.targets:
        if not relations:
            relations = _oids((await state.backend.fetch(_VACUUMED, [None]))[0][0])
        kinds = (Kind.FLUSH, Kind.MERGE, Kind.REWRITE)
        steps = await _run(state, Request("vacuum", kinds, relations, full=command.full))
        _tell(state, command, steps)
    return Outcome("VACUUM")


async def _targets(state: SessionState, command: Vacuum) -> tuple[list[int], list[str]]:
    """The oids of the lake tables that the role may vacuum, and the text of what is PostgreSQL's."""
    relations: list[int] = []
    others: list[str] = []
    resolved = await resolve(state.backend, [name for name, _ in command.targets])
    for name, text in command.targets:
        found = resolved.by_name.get(name)
        if found is None:
            raise UndefinedObject(f'relation "{".".join(name)}" does not exist')
        if found.kind not in (Relations.LAKE, Relations.PARTITIONED):
            others.append(text)
            continue
        oids, allowed = (await state.backend.fetch(_VACUUMED, [str(found.oid)]))[0]
        if allowed == "t":
            relations += _oids(oids)
        else:
            _warn(state, name)
    return relations, others


def _warn(state: SessionState, name: Name) -> None:
    text = f'permission denied to vacuum "{name[-1]}", skipping it'
    state.client.write(messages.notice_response(text, severity="WARNING", sqlstate="01000"))


def _tell(state: SessionState, command: Vacuum, steps: Sequence[Step]) -> None:
    """A failure fails the command; VERBOSE tells the rest."""
    for step in steps:
        if step.error is not None:
            raise MereError(f"could not vacuum {step.relation}: {step.error}", sqlstate="58000")
        if command.verbose:
            state.client.write(messages.notice_response(f"vacuuming: {step}", severity="INFO"))
