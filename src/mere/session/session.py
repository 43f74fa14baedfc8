"""One client's session: reads its messages until it leaves. Lives in the coordinator process.

Owns the outermost rules: after every error the transaction is where PostgreSQL's would be, and every Query and Sync
is answered with one ReadyForQuery.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import asyncpg

from mere.catalog.backend import Backend
from mere.catalog.postgres import SERVICE_ERRORS
from mere.errors import CatalogError, FeatureNotSupported, MereError, SerializationFailure
from mere.session.client import Client, ClientGone
from mere.session.cursors import close_at_transaction_end
from mere.session.extended import ExtendedProtocol
from mere.session.missing import explain_missing
from mere.session.relay_copy import no_memory
from mere.session.routing import begin_with_names, is_tripwire
from mere.session.services import Database, Services
from mere.session.simple import run_query
from mere.session.state import SessionState
from mere.session.transaction import Transaction
from mere.wire import messages
from mere.wire.frontend import (
    CopyData,
    CopyDone,
    CopyFail,
    Flush,
    FrontendMessage,
    FunctionCall,
    Query,
    Refused,
    Sync,
    Terminate,
    decode_text,
)

logger = logging.getLogger(__name__)
_COPY_MESSAGES = b"dcf"
_COMMIT_PATIENCE = 20.0  # seconds to learn what became of a COMMIT whose reply is lost


class Session:
    """What the gateway makes for each client after authentication."""

    def __init__(
        self,
        client: Client,
        backend: Backend,
        services: Services,
        database: Database,
        startup_parameters: Mapping[str, str],
    ) -> None:
        user = startup_parameters.get("user", "")
        transaction = Transaction(backend, database, user, _COMMIT_PATIENCE)
        self._state = SessionState(client, backend, services, database, transaction, user)
        begin_with_names(self._state)
        self._extended = ExtendedProtocol(self._state)

    def cancel(self) -> None:
        """A cancel request for this session; also used when the client has gone."""
        self._state.cancel()

    async def serve(self) -> None:
        """Returns when the client says goodbye. Raises ClientGone, or the FATAL error to leave with."""
        client = self._state.client
        watch = asyncio.create_task(self._cancel_when_gone())
        try:
            while True:
                message = await client.receive()
                if isinstance(message, Terminate):
                    return
                await self._answer(message)
        finally:
            watch.cancel()
            await self._close()

    async def _cancel_when_gone(self) -> None:
        await self._state.client.closed.wait()
        self._state.cancel("canceling statement because the client has gone")

    async def _answer(self, message: FrontendMessage) -> None:
        state = self._state
        if _ends_itself(message):
            if self._extended.active:
                await self._answer(Flush())  # a pipeline without its Sync: what it says comes first, its errors too
            if self._extended.failed:
                return
        state.begin_statement()
        try:
            if isinstance(message, Query):
                await self._extended.make_way()
                await run_query(state, decode_text(message.text))
            elif isinstance(message, Sync):
                await self._extended.handle_sync(message)
            elif isinstance(message, FunctionCall):
                await self._extended.make_way()
                raise FeatureNotSupported("the function call protocol is not supported; use SELECT function(...)")
            elif isinstance(message, CopyData | CopyDone | CopyFail):
                return  # left over from a COPY that failed half-way
            elif isinstance(message, Refused):
                await self._refuse(message)
            else:
                await self._extended.handle(message)
        except MereError as error:
            await self._fail(await explain_missing(state, state.why(error)), message)
        except ClientGone:
            raise
        except (OSError, *SERVICE_ERRORS) as error:
            logger.warning("the catalog failed a statement's look-up: %s", error)
            await self._fail(_look_up_failed(error), message)
        finally:
            await state.end_statement()
        if _ends_itself(message) or isinstance(message, Sync):
            if not state.transaction.open:
                await close_at_transaction_end(state)
                await self._extended.close_portals()
            state.client.write(messages.ready_for_query(state.transaction.status))
            await state.client.drain()

    async def _fail(self, error: MereError, message: FrontendMessage) -> None:
        """Reports an error, and brings the transaction to where an error leaves it."""
        state = self._state
        if state.backend.at_its_end and error.severity == "ERROR":
            raise state.backend.last_words() from error  # the statement stopped because the session is at its end
        if error.severity != "ERROR":
            raise error
        if is_tripwire(error):
            state.lake_names = None  # somebody has defined tables behind our back
        logger.debug("statement failed: %s %s", error.sqlstate, error.message)
        if _ends_itself(message) or isinstance(message, Sync):
            await state.transaction.fail()
        else:
            self._extended.failed = True  # the transaction follows at the Sync: PostgreSQL may be skipping until then
        state.client.write(messages.error_response(error))

    async def _refuse(self, message: Refused) -> None:
        if not self._extended.failed and message.kind not in _COPY_MESSAGES:
            await self._extended.handle(Flush())  # what came before it is answered first
            raise no_memory()

    async def _close(self) -> None:
        await self._state.end_statement()
        await self._extended.close_portals()
        for cursor in self._state.cursors.values():
            await cursor.close()
        self._state.transaction.forget()


def _look_up_failed(error: Exception) -> MereError:
    if isinstance(error, asyncpg.SerializationError):
        return SerializationFailure(str(error))  # on a standby: it stood in the way of what PostgreSQL replays
    return CatalogError(f"the catalog does not answer: {error}")


def _ends_itself(message: FrontendMessage) -> bool:
    """Whether ReadyForQuery follows it without a Sync."""
    return isinstance(message, Query | FunctionCall) or (isinstance(message, Refused) and message.kind in b"QF")
