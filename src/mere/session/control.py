"""Transaction statements: BEGIN, COMMIT, ROLLBACK, savepoints, SET TRANSACTION, SHOW transaction_isolation, DISCARD.

Lives in the coordinator process.
"""

from __future__ import annotations

from mere.errors import InFailedTransaction, InvalidTransactionState
from mere.session.answers import text_answer
from mere.session.relay import relay_query
from mere.session.rows import Outcome
from mere.session.state import SessionState
from mere.sql.commands import TransactionOptions, parse_transaction
from mere.sql.lexer import Statement
from mere.sql.statements import StatementKind


async def run_control(state: SessionState, statement: Statement, kind: StatementKind) -> Outcome:
    """Carries out one transaction statement; the errors are PostgreSQL's own."""
    transaction = state.transaction
    options = parse_transaction(statement.text)
    match kind:
        case StatementKind.BEGIN:
            await transaction.begin(_modes(options), options.isolation)
            return Outcome("START TRANSACTION" if statement.keywords[0] == "start" else "BEGIN")
        case StatementKind.COMMIT:
            return Outcome(await _end(state, options, commit=True))
        case StatementKind.ROLLBACK:
            return Outcome(await _end(state, options, commit=False))
        case StatementKind.SAVEPOINT:
            await transaction.savepoint(options.savepoint or "", statement.text)
            return Outcome("SAVEPOINT")
        case StatementKind.RELEASE:
            await transaction.release(options.savepoint or "", statement.text)
            return Outcome("RELEASE")
        case StatementKind.ROLLBACK_TO:
            await transaction.rollback_to(options.savepoint or "", statement.text)
            state.lake_names = None
            return Outcome("ROLLBACK")
        case _:
            return await _set_transaction(state, options)


def _modes(options: TransactionOptions) -> str:
    """The access mode, which PostgreSQL keeps; the isolation level is the gateway's own."""
    modes = []
    if options.read_only is not None:
        modes.append("READ ONLY" if options.read_only else "READ WRITE")
    if options.deferrable is not None:
        modes.append("DEFERRABLE" if options.deferrable else "NOT DEFERRABLE")
    return ", ".join(modes)


async def _end(state: SessionState, options: TransactionOptions, commit: bool) -> str:
    transaction = state.transaction
    if options.chain and not transaction.explicit:
        word = "COMMIT" if commit else "ROLLBACK"
        raise InvalidTransactionState(f"{word} AND CHAIN can only be used in transaction blocks", sqlstate="25P01")
    isolation = transaction.isolation
    definitions = transaction.definitions
    try:
        if commit:
            tag = await transaction.commit()
        else:
            await transaction.rollback()
            tag = "ROLLBACK"
    finally:
        if definitions:
            state.lake_names = None
    if options.chain:
        await transaction.begin("", isolation)
    return tag


async def _set_transaction(state: SessionState, options: TransactionOptions) -> Outcome:
    if state.transaction.failed:
        raise InFailedTransaction()
    if options.isolation is not None and state.transaction.explicit:
        state.transaction.set_isolation(options.isolation)
    modes = _modes(options)
    if modes or not state.transaction.explicit:
        # Outside of a block PostgreSQL warns that it has no effect.
        await state.backend.simple(f"SET TRANSACTION {modes or 'READ WRITE'}")
    return Outcome("SET")


async def show_isolation(state: SessionState, formats: tuple[int, ...]) -> Outcome:
    if state.transaction.failed:
        raise InFailedTransaction()
    if state.transaction.explicit:
        level = state.transaction.isolation
    else:
        level = (await state.backend.fetch("SHOW default_transaction_isolation"))[0][0] or ""
    return text_answer("SHOW", ("transaction_isolation",), [(level,)], formats)


async def discard(state: SessionState, statement: Statement) -> Outcome:
    """DISCARD: what lives here goes, then PostgreSQL does its part."""
    await relay_query(state, statement.text)
    if "all" in statement.keywords:
        state.named.clear()
        state.prepared.clear()
        for cursor in state.cursors.values():
            await cursor.rows.close()
        state.cursors.clear()
    state.lake_names = None
    return Outcome("")
