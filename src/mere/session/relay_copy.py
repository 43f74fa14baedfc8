"""COPY FROM STDIN of a table that PostgreSQL keeps: the client's data passed on. Lives in the coordinator process."""

from __future__ import annotations

import asyncio
from typing import Any

from mere.errors import MereError, ProtocolViolation
from mere.session.client import Client
from mere.session.state import SessionState
from mere.wire import requests
from mere.wire.frontend import CopyDone, CopyFail, Flush, FrontendMessage, Refused, Sync


async def relay_copy_in(state: SessionState) -> None:
    """Until the client says that it is done or has failed, or PostgreSQL answers before that: with an error, which
    the caller reads. What the client still sends then is left over, and the session drops it, as PostgreSQL does."""
    await state.client.drain()
    answer = asyncio.ensure_future(state.backend.wait_for_answer())
    try:
        while (piece := await _next_piece(state.client, answer)) is not None:
            match piece:
                case bytes():
                    state.backend.send(requests.copy_data(piece))
                    await state.backend.flush()
                case CopyDone() | CopyFail():
                    state.backend.send(piece.raw)
                    return
                case Refused():
                    state.backend.send(requests.copy_fail(no_memory().message))
                    return
                case Sync() | Flush():
                    pass  # sent by clients that did not notice that their statement is a COPY
                case _:
                    raise unexpected_message(piece)
    finally:
        answer.cancel()
        await asyncio.wait({answer})


async def _next_piece(client: Client, answer: asyncio.Future[None]) -> bytes | FrontendMessage | None:
    """What the client sends next; None when `answer` is there first."""
    if answer.done():
        return None
    if client.pending:
        return await client.receive_copy()
    waiting = asyncio.ensure_future(client.receive_copy())
    try:
        both: set[asyncio.Future[Any]] = {waiting, answer}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not waiting.done():
            waiting.cancel()
            await asyncio.wait({waiting})
    return None if waiting.cancelled() else waiting.result()


def no_memory() -> MereError:
    """The answer to a message that the gateway could not keep."""
    return MereError(
        "out of memory: a message is larger than what is left for messages",
        sqlstate="53200",
        hint="Send less at a time: COPY takes any amount in small pieces.",
    )


def unexpected_message(message: FrontendMessage) -> MereError:
    """Anything but COPY data: nobody can tell data from messages any more, so the session ends."""
    if isinstance(message, Refused):
        return no_memory()
    kind = getattr(message, "raw", b"\0")[0]
    return ProtocolViolation(f"unexpected message type 0x{kind:02X} during COPY from stdin")
