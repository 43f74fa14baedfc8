"""Transaction statements: BEGIN, COMMIT, ROLLBACK, savepoints, SET TRANSACTION, SHOW transaction_isolation, DISCARD.

Lives in the coordinator process.
"""

from __future__ import annotations

from mere.errors import FeatureNotSupported, InFailedTransaction, InvalidTransactionState
from mere.session.answers import text_answer
from mere.session.relay import relay_query
from mere.session.rows import Outcome
from mere.session.state import SessionState
from mere.sql.commands import TransactionOptions, parse_transaction
from mere.sql.lexer import Statement
from mere.sql.statements import StatementKind
from mere.sql.token_cursor import Cursor

# SQL_ASCII means "do not convert", and what we would not convert is UTF-8.
_ENCODINGS = frozenset(("utf8", "unicode", "sqlascii"))
_ONLY_IN_BLOCKS = {
    StatementKind.SAVEPOINT: "SAVEPOINT",
    StatementKind.RELEASE: "RELEASE SAVEPOINT",
    StatementKind.ROLLBACK_TO: "ROLLBACK TO SAVEPOINT",
}


async def run_control(state: SessionState, statement: Statement, kind: StatementKind) -> Outcome:
    """Carries out one transaction statement; the errors are PostgreSQL's own."""
    transaction = state.transaction
    options = parse_transaction(statement.text)
    if kind in _ONLY_IN_BLOCKS and transaction.implicit:
        raise InvalidTransactionState(
            f"{_ONLY_IN_BLOCKS[kind]} can only be used in transaction blocks", sqlstate="25P01"
        )
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
    isolation, modes = transaction.isolation, transaction.modes
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
        await transaction.begin(modes, isolation)
    return tag


async def _set_transaction(state: SessionState, options: TransactionOptions) -> Outcome:
    if state.transaction.failed:
        raise InFailedTransaction()
    if options.snapshot is not None:
        raise FeatureNotSupported("SET TRANSACTION SNAPSHOT is not supported")
    if options.isolation is not None and state.transaction.explicit:
        state.transaction.set_isolation(options.isolation)
    modes = _modes(options)
    if modes or not state.transaction.explicit:
        # Outside of a block PostgreSQL warns that it has no effect.
        await state.backend.simple(f"SET TRANSACTION {modes or 'ISOLATION LEVEL READ COMMITTED'}")
        state.transaction.modes = modes
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
    state.client.write(await relay_query(state, statement.text))
    if "all" in statement.keywords:
        state.prepared.clear()
        for cursor in state.cursors.values():
            await cursor.close()
        state.cursors.clear()
    state.lake_names = None
    return Outcome("")


async def set_encoding(state: SessionState, statement: Statement) -> Outcome:
    """SET client_encoding and SET NAMES: rows of the lake come in UTF8, whatever PostgreSQL would convert to."""
    named = _encoding_of(statement.text)
    # PostgreSQL too compares names by letters and digits only.
    if named is not None and "".join(letter for letter in named.lower() if letter.isalnum()) not in _ENCODINGS:
        raise FeatureNotSupported(
            f'client_encoding "{named}" is not supported', hint="Mere speaks UTF8; set client_encoding to it."
        )
    state.client.write(await relay_query(state, statement.text))
    return Outcome("")


def _encoding_of(text: str) -> str | None:
    """The value in SET [SESSION | LOCAL] {client_encoding {TO | =} | NAMES} value; None for DEFAULT, other settings."""
    cursor = Cursor(text)
    cursor.word("set")
    cursor.word("session", "local")
    if cursor.word("client_encoding"):
        cursor.word("to")
    elif not cursor.word("names"):
        return None
    token = cursor.peek(1) if cursor.token is not None and cursor.token.value == "=" else cursor.token
    return None if token is None or token.is_word("default") else token.value
