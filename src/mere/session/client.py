"""What a session sees of its client: messages in, bytes out. The gateway implements it; tests may too.

Lives in the coordinator process.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from mere.wire.frontend import FrontendMessage


class ClientGone(ConnectionError):
    """The client's connection is lost. Not an error of the statement: nobody is left to read one."""


class Client(Protocol):
    """One client's connection, after start-up.

    Only one task may wait in `receive` at a time. Cancelling it while it waits loses no message.
    """

    @property
    def closed(self) -> asyncio.Event:
        """Set as soon as the client is seen to be gone, also while nobody is in `receive`."""

    @property
    def pending(self) -> bool:
        """Whether `receive` would return at once: the client has pipelined more messages."""

    async def receive(self) -> FrontendMessage:
        """The next message. Raises ClientGone; ProtocolViolation (FATAL, the session just lets it pass); or a FATAL
        MereError that ends the session (idle time-out, the backing connection lost)."""

    async def receive_copy(self) -> bytes | FrontendMessage:
        """As `receive`, for COPY FROM STDIN: all CopyData at hand come as one piece of bytes, their payloads joined."""

    def write(self, data: bytes | memoryview) -> None:
        """Queue whole messages. They leave when the event loop turns, at `drain` and at `receive`."""

    async def drain(self) -> None:
        """Send what is queued, and wait until the client has taken enough of it. Raises ClientGone."""
