"""Runs one statement of Mere's own, by its kind, and describes it before that. Lives in the coordinator process."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from mere.catalog.backend import Description
from mere.errors import FeatureNotSupported, InFailedTransaction, MereError
from mere.session import (
    control,
    copy_statement,
    cursors,
    databases,
    definitions,
    explain,
    maintain,
    materialized,
    named,
)
from mere.session.analysis import analyse
from mere.session.answers import text_fields
from mere.session.rows import Outcome
from mere.session.select import run_select
from mere.session.state import Parameters, Prepared, SessionState
from mere.session.truncate import truncate
from mere.session.with_writes import change_table, changes_in_with, run_with_writes
from mere.sql.lexer import Statement
from mere.sql.statements import WRITES, StatementKind, classify

logger = logging.getLogger(__name__)
# What a bug raises; errors of the user, the storage and the network are MereErrors.
DEFECTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

_Kind = StatementKind
_CONTROL = frozenset(
    {
        _Kind.BEGIN,
        _Kind.COMMIT,
        _Kind.ROLLBACK,
        _Kind.SAVEPOINT,
        _Kind.RELEASE,
        _Kind.ROLLBACK_TO,
        _Kind.SET_TRANSACTION,
    }
)
_DATABASES = frozenset({_Kind.CREATE_DATABASE, _Kind.ALTER_DATABASE, _Kind.DROP_DATABASE})
_CREATE_AS = frozenset({_Kind.CREATE_TABLE_AS, _Kind.SELECT_INTO})
_UPKEEP = frozenset({_Kind.ANALYZE, _Kind.CLUSTER, _Kind.REINDEX})
_DEFINITIONS = frozenset(
    {
        _Kind.CREATE_TABLE,
        _Kind.CREATE_VIEW,
        _Kind.ALTER_TABLE,
        _Kind.DDL,
    }
)
_NO_PARAMETERS = Description((), None)


async def run(
    state: SessionState, statement: Statement, kind: StatementKind, parameters: Parameters, formats: tuple[int, ...]
) -> Outcome:
    """Carries out the statement; rows, if any, are still to be sent. Raises what PostgreSQL would.

    A defect of ours fails the statement, not the session: XX000, and the log has where it happened.
    """
    try:
        return await _run(state, statement, kind, parameters, formats)
    except DEFECTS as defect:
        logger.exception("a defect in running: %s", " ".join(statement.keywords[:3]))
        raise MereError("internal error; the server's log has more", sqlstate="XX000") from defect


async def _run(
    state: SessionState, statement: Statement, kind: StatementKind, parameters: Parameters, formats: tuple[int, ...]
) -> Outcome:
    if kind in _CONTROL:
        return await control.run_control(state, statement, kind)
    if state.transaction.failed:
        raise InFailedTransaction()
    if kind is _Kind.SELECT and maintain.is_call(statement):
        return await maintain.run_call(state, statement, parameters, formats)
    if (kind is _Kind.SELECT or kind in WRITES) and changes_in_with(statement):
        return await run_with_writes(state, statement, kind, parameters, formats)
    if kind is _Kind.SELECT:
        return await run_select(state, statement, parameters, formats)
    if kind in WRITES:
        return await change_table(state, statement, parameters, formats)
    if kind in _DEFINITIONS:
        return await definitions.run_definition(state, statement, kind)
    if kind in _DATABASES:
        return await databases.run_database_command(state, statement, kind)
    if kind is _Kind.VACUUM:
        return await maintain.vacuum(state, statement)
    if kind in _UPKEEP:
        return await definitions.upkeep(state, statement, kind)
    if kind is _Kind.EXECUTE:
        return await _execute(state, statement, formats)
    if kind is _Kind.EXPLAIN:
        return await explain.run_explain(state, statement, parameters, formats)
    if kind is _Kind.DECLARE:
        return await cursors.declare(state, statement, parameters)
    if kind in _CREATE_AS:
        return await definitions.create_table_as(state, statement, kind, parameters)
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise FeatureNotSupported(f"{' '.join(statement.keywords[:2]).upper()} is not supported for lake tables")
    return await handler(state, statement)


async def _show(state: SessionState, _: Statement) -> Outcome:
    return await control.show_isolation(state, ())


async def _prepare(state: SessionState, statement: Statement) -> Outcome:
    name, types, inner = named.parse_inner(statement)
    named.require_free(state, name)
    kind = classify(inner)
    oids = await named.type_oids(state, types)
    description = await describe(state, inner, kind, oids)
    state.prepared[name] = Prepared(inner, kind, description.param_oids, False, description)
    return Outcome("PREPARE")


_HANDLERS: dict[StatementKind, Callable[[SessionState, Statement], Awaitable[Outcome]]] = {
    _Kind.CREATE_INDEX: definitions.create_index,
    _Kind.CREATE_MATERIALIZED_VIEW: materialized.create,
    _Kind.REFRESH_MATERIALIZED_VIEW: materialized.refresh,
    _Kind.COPY: copy_statement.run_copy,
    _Kind.TRUNCATE: truncate,
    _Kind.FETCH: cursors.fetch,
    _Kind.MOVE: cursors.fetch,
    _Kind.CLOSE: cursors.close,
    _Kind.PREPARE: _prepare,
    _Kind.DEALLOCATE: named.deallocate,
    _Kind.DO: definitions.run_block,
    _Kind.DISCARD: control.discard,
    _Kind.SHOW: _show,
    _Kind.SET: control.set_encoding,
    _Kind.PREPARE_TRANSACTION: definitions.refuse_two_phase,
}


async def _execute(state: SessionState, statement: Statement, formats: tuple[int, ...]) -> Outcome:
    prepared, parameters = await named.arguments(state, statement)
    assert prepared.statement is not None and prepared.kind is not None
    return await run(state, prepared.statement, prepared.kind, parameters, formats)


async def describe(
    state: SessionState, statement: Statement, kind: StatementKind, param_oids: tuple[int, ...]
) -> Description:
    """The types of the parameters and the columns of the result, without running anything."""
    try:
        return await _describe(state, statement, kind, param_oids)
    except DEFECTS as defect:
        logger.exception("a defect in describing: %s", " ".join(statement.keywords[:3]))
        raise MereError("internal error; the server's log has more", sqlstate="XX000") from defect


async def _describe(
    state: SessionState, statement: Statement, kind: StatementKind, param_oids: tuple[int, ...]
) -> Description:
    if state.transaction.failed and kind not in _CONTROL:
        raise InFailedTransaction()
    if kind is _Kind.SELECT and maintain.is_call(statement):
        return await maintain.describe_call(state, statement, param_oids)
    if kind is _Kind.SELECT or kind in WRITES:
        return (await analyse(state, statement, param_oids)).description
    if kind is _Kind.EXPLAIN:
        return Description(await explain.parameter_types(state, statement, param_oids), text_fields(("QUERY PLAN",)))
    if kind is _Kind.DECLARE:
        return Description(await cursors.parameter_types(state, statement, param_oids), None)
    if kind in _CREATE_AS and statement.parameters:
        return Description(await definitions.parameter_types(state, statement, kind, param_oids), None)
    if kind is _Kind.SHOW:
        return Description((), text_fields(("transaction_isolation",)))
    if kind is _Kind.FETCH:
        return Description((), cursors.fields_of(state, statement))
    if kind is _Kind.EXECUTE:
        prepared = named.find(state, statement)
        return Description((), prepared.description.fields if prepared.description else None)
    return _NO_PARAMETERS
