"""The simple query protocol: one string, any number of statements, one ReadyForQuery.

Lives in the coordinator process.
"""

from __future__ import annotations

from mere.catalog.bootstrap import BACKSTOP
from mere.errors import MereError
from mere.session.relay import UnansweredError, relay_query
from mere.session.routing import NotOurs, is_ours, is_tripwire
from mere.session.rows import Outcome
from mere.session.runner import run
from mere.session.state import Parameters, SessionState
from mere.sql.lexer import Statement, split
from mere.sql.statements import TRANSACTION_CONTROL, classify
from mere.wire import messages


async def run_query(state: SessionState, text: str) -> None:
    """Runs all statements; several of them are one implicit transaction, as in PostgreSQL.

    Raises the first error, with the rest unrun and an implicit transaction rolled back.
    """
    state.stand_in.tell(text)
    statements = split(text)
    if not statements:
        state.client.write(messages.EMPTY_QUERY)
        return
    try:
        complete = b""
        for statement in statements:
            state.client.write(complete)
            complete = await _run_one(state, statement, alone=len(statements) == 1)
        await state.transaction.end_implicit(failed=False)
        # The last CommandComplete waits for the commit that it reports.
        state.client.write(complete)
    except MereError as error:
        if error.position is not None and statement.start:
            error.position += statement.start
        raise


async def _run_one(state: SessionState, statement: Statement, alone: bool) -> bytes:
    """Runs one statement and sends its rows; returns its CommandComplete, or nothing where that is already sent."""
    kind = classify(statement)
    state.stop_timer()  # statement_timeout counts for each statement
    if not alone and not state.transaction.open and kind not in TRANSACTION_CONTROL:
        await state.transaction.ensure()
    reason: MereError | None = None
    if await is_ours(state, statement, kind):
        try:
            return await _send(state, await run(state, statement, kind, Parameters(), ()))
        except NotOurs as other:
            reason = other.reason
    try:
        return await relay_query(state, statement.text)
    except MereError as error:
        if isinstance(error, UnansweredError) and error.message == BACKSTOP and not state.transaction.open:
            return await _again_with_commit(state, statement)
        if reason is not None and is_tripwire(error):
            raise reason from error
        if not is_tripwire(error) or state.transaction.open:
            raise
        state.lake_names = None
        if not await is_ours(state, statement, kind):
            raise
        return await _send(state, await run(state, statement, kind, Parameters(), ()))


async def _again_with_commit(state: SessionState, statement: Statement) -> bytes:
    """A function that a query called has defined lake tables, and PostgreSQL has undone it all for want of
    mere.commit(): the same again, in a transaction that ends with it. A block that commits by itself fails again."""
    await state.transaction.ensure()
    state.transaction.definitions = True
    state.lake_names = None
    return await relay_query(state, statement.text)


async def _send(state: SessionState, outcome: Outcome) -> bytes:
    if outcome.fields is not None:
        state.client.write(messages.row_description(outcome.fields))
    tag = outcome.tag
    if outcome.rows is not None:
        sent, _ = await outcome.rows.send(state.client)
        if outcome.counted:
            tag = f"{tag} {sent}"
    return messages.command_complete(tag) if tag else b""
