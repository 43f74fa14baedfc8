"""COPY ... FROM STDIN: the client's bytes to the segment's loader, its rows into the table. Coordinator process."""

from __future__ import annotations

from mere.errors import FeatureNotSupported
from mere.session.state import SessionState
from mere.sql.copy_command import Copy


async def copy_from_client(state: SessionState, command: Copy) -> int:
    raise FeatureNotSupported("COPY FROM STDIN")
