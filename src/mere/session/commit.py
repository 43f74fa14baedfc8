"""The gateway's half of the committer: the ticket, the one commit query, and the truth when its reply is lost.

Lives in the coordinator process. The other half is the function mere.commit() in PostgreSQL (lake/commit.sql).
"""

from __future__ import annotations

import asyncio
import logging
import time

from mere.catalog.backend import Backend, BackendLost
from mere.catalog.postgres import SERVICE_ERRORS
from mere.errors import CatalogError, CommitUnknown, MereError
from mere.lake.message import CommitMessage
from mere.session.services import Database
from mere.wire.backend import read_notice

_COMMIT = "SET CONSTRAINTS ALL IMMEDIATE; SELECT mere.commit(); COMMIT"
# Which branch of PostgreSQL's history is being written: who takes over begins another, and gives its numbers anew.
_TIMELINE = "pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8)"
_TICKET = f"INSERT INTO mere.ticket (xid, message) VALUES ($1::text::xid8, $2::text::jsonb) RETURNING {_TIMELINE}"
_STATUS = f"SELECT {_TIMELINE}, pg_catalog.pg_xact_status($1::text::xid8)"
_IN_RECOVERY = "SELECT pg_catalog.pg_is_in_recovery()"
# A barrier: it returns only when everything before it is as durable as synchronous_commit promises.
_BARRIER = "SELECT pg_catalog.pg_logical_emit_message(true, 'mere', '')"
_GAVE_UP = "SyncRepWaitForLSN"  # the routine that PostgreSQL's warning comes from, in any language

logger = logging.getLogger(__name__)


class LostButCommitted(MereError):
    """The backing connection is gone, but the transaction is known to be committed: report it, then close."""

    sqlstate = "57P01"
    severity = "FATAL"


class LostAndRolledBack(MereError):
    sqlstate = "08006"
    severity = "FATAL"


async def commit(backend: Backend, database: Database, message: CommitMessage, patience: float) -> None:
    """Commits the backing transaction with its lake changes.

    Raises SerializationFailure and other PostgreSQL errors, after which nothing is committed; LostButCommitted,
    LostAndRolledBack or CommitUnknown (08007) when the reply never came. `patience` is in seconds.
    """
    xid = (await backend.fetch("SELECT pg_catalog.pg_current_xact_id()"))[0][0]
    assert xid is not None
    timeline = await _put_ticket(database, xid, message)
    work = asyncio.ensure_future(_commit_and_look(backend))
    try:
        waited = await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})  # the server stops, but a COMMIT under way is not left half-way
        raise
    except BackendLost:
        await _learn_the_truth(database, xid, timeline, patience)
        raise AssertionError("unreachable") from None
    except MereError:
        await _drop_ticket(database, xid)
        raise
    if not waited:
        await _wait_for_the_standby(database, timeline, patience)


async def _commit_and_look(backend: Backend) -> bool:
    """Whether PostgreSQL waited for the standby to the end. Who cancels that wait (pg_cancel_backend) gets COMMIT all
    the same, with a warning that nobody but us reads."""
    waited = True
    tell = backend.on_async

    def look(raw: bytes) -> None:
        nonlocal waited
        if raw[:1] == b"N" and read_notice(raw).get("R") == _GAVE_UP:
            waited = False
        else:
            tell(raw)

    backend.on_async = look
    try:
        await backend.simple(_COMMIT)
    finally:
        backend.on_async = tell
    return waited


async def _wait_for_the_standby(database: Database, timeline: str, patience: float) -> None:
    """Returns when what is committed is as durable as it was to be; CommitUnknown if that cannot be had in time."""
    deadline = time.monotonic() + patience
    while (left := deadline - time.monotonic()) > 0:
        try:
            if await asyncio.wait_for(_is_durable(database, timeline), timeout=left):
                return
            break
        except (OSError, *SERVICE_ERRORS, TimeoutError) as error:
            logger.warning("the standby has not confirmed a commit whose wait was cancelled: %s", error)
        await asyncio.sleep(0.1)
    raise CommitUnknown(
        "the transaction is committed on this coordinator, but no standby has confirmed it: a failover may lose it",
        hint="Look at the data before running the transaction again.",
    )


async def _is_durable(database: Database, timeline: str) -> bool:
    async with database.pool.acquire() as connection:
        if await connection.fetchval(_IN_RECOVERY):
            return False
        await connection.execute(_BARRIER)
        return bool(await connection.fetchval(f"SELECT {_TIMELINE}") == timeline)


async def _put_ticket(database: Database, xid: str, message: CommitMessage) -> str:
    """Returns the timeline in which `xid` means this transaction."""
    try:
        timeline: str = await database.pool.fetchval(_TICKET, xid, message.to_json())
        return timeline
    except (OSError, *SERVICE_ERRORS) as error:
        raise CatalogError(f"the catalog did not take the commit: {error}") from error


async def _drop_ticket(database: Database, xid: str) -> None:
    async with database.pool.acquire() as connection:
        await connection.execute("DELETE FROM mere.ticket WHERE xid = $1::text::xid8", xid)


async def _learn_the_truth(database: Database, xid: str, timeline: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            status = await asyncio.wait_for(
                _transaction_status(database, xid, timeline), timeout=max(0.1, patience / 3)
            )
        except (OSError, *SERVICE_ERRORS, TimeoutError) as error:
            logger.warning("the catalog does not answer about transaction %s: %s", xid, error)
            status = "unknown"
        if status == "committed":
            raise LostButCommitted("the connection to the catalog was lost after the transaction was committed")
        if status == "aborted":
            raise LostAndRolledBack(
                "the connection to the catalog was lost; the transaction was rolled back",
                hint="Connect again and run the transaction again.",
            )
        if status == "replaced":
            break
        await asyncio.sleep(0.1)
    raise CommitUnknown(
        "the reply to COMMIT was lost and the catalog does not answer: the transaction may or may not be committed",
        hint="Look at the data before running the transaction again.",
    )


async def _transaction_status(database: Database, xid: str, timeline: str) -> str:
    """`replaced`: another coordinator has taken over meanwhile, and nobody here can tell any more."""
    async with database.pool.acquire() as connection:
        if await connection.fetchval(_IN_RECOVERY):
            return "replaced"
        await connection.execute(_BARRIER)
        current, status = await connection.fetchrow(_STATUS, xid)
    return "replaced" if current != timeline else status or "unknown"
