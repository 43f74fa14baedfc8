"""Takes finished WAL from PostgreSQL to the storage, on the primary and on the standby alike.

PostgreSQL asks file by file and keeps each one until the storage has it. Lives in the coordinator process, from before
PostgreSQL's start to after its end: PostgreSQL archives its last WAL while it stops.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mere.backup.messenger import listen
from mere.backup.names import SEGMENT_BYTES, is_archived
from mere.backup.vault import Vault
from mere.catalog.archiving import socket_name
from mere.errors import MereError

log = logging.getLogger(__name__)

_WARN_SEGMENTS = 4
_WARN_SECONDS = 60.0


class Archiver:
    """`directory` tells where the cluster is, which is known only once the node has joined its pair."""

    def __init__(self, vault: Vault, directory: Callable[[], Path]) -> None:
        self._vault = vault
        self._directory = directory
        self._server: asyncio.Server | None = None
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._warned = float("-inf")
        self.last: tuple[str, datetime] | None = None
        self.problem: str | None = None

    async def start(self) -> None:
        self._server = await listen(socket_name(self._directory(), "archive"), self._answer)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    @property
    def waiting(self) -> int:
        """Files that the storage does not have yet."""
        try:
            return sum(1 for _ in (self._directory() / "pg_wal" / "archive_status").glob("*.ready"))
        except OSError:
            return 0

    def tell(self) -> dict[str, Any]:
        """For `mere state`: what is archived, and what waits for it."""
        return {
            "archived": None if self.last is None else self.last[0],
            "archived_at": None if self.last is None else self.last[1].isoformat(),
            "waiting_bytes": self.waiting * SEGMENT_BYTES,
            "problem": self.problem,
        }

    async def _answer(self, name: str, _: str) -> bool:
        if not is_archived(name):
            return False
        task = self._under_way.get(name)
        if task is None:  # else PostgreSQL lost patience with an upload that goes on
            task = self._under_way[name] = asyncio.create_task(self._archive(name))
            task.add_done_callback(lambda _: self._under_way.pop(name, None))
        try:
            await asyncio.shield(task)
        except (MereError, OSError) as error:
            self._complain(error.message if isinstance(error, MereError) else str(error))
            return False
        if self.problem is not None:
            log.warning("WAL is archived again")
            self.problem, self._warned = None, float("-inf")
        self.last = (name, datetime.now(UTC))
        return True

    async def _archive(self, name: str) -> None:
        file = self._directory() / "pg_wal" / name
        data = await asyncio.to_thread(file.read_bytes)
        await self._vault.put_wal(name, data, datetime.fromtimestamp(file.stat().st_mtime, UTC))

    def _complain(self, problem: str) -> None:
        self.problem = problem
        if time.monotonic() - self._warned < _WARN_SECONDS:
            return
        self._warned = time.monotonic()
        waiting = self.waiting
        grows = f"; pg_wal grows: {waiting} files wait" if waiting >= _WARN_SEGMENTS else ""
        log.warning("WAL cannot be archived: %s%s", problem, grows)
