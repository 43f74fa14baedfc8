"""Which tables are losing rows to transactions of this process, so that maintenance does not replace their files: these
transactions would fail at their commit. Coordinator process.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Changing:
    """Counts holds by table id. Not for threads: the event loop's alone."""

    def __init__(self) -> None:
        self._holds: Counter[int] = Counter()
        self._replacing: dict[int, asyncio.Event] = {}  # set when the commit is over
        self._replaced: dict[int, int] = {}  # by table, the newest snapshot that replaced files

    async def hold(self, table_id: int) -> Callable[[], None]:
        """Registers a transaction that takes rows from the files there are; the returned function, which may be called
        twice, lets go. Waits while a replacement of them is being committed."""
        while (commit := self._replacing.get(table_id)) is not None:
            await commit.wait()
        self._holds[table_id] += 1
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                self._holds[table_id] -= 1
                if not self._holds[table_id]:
                    del self._holds[table_id]

        return release

    def replaced_since(self, table_id: int, snapshot_id: int) -> bool:
        """Whether the table's files at this snapshot may have been replaced since."""
        return self._replaced.get(table_id, -1) > snapshot_id

    @contextmanager
    def replacing(self, table_id: int) -> Iterator[Callable[[int], None] | None]:
        """Around a commit that replaces files: None where somebody takes rows from them; else call it with the snapshot
        that was made."""
        if table_id in self._holds or table_id in self._replacing:
            yield None
            return
        over = self._replacing[table_id] = asyncio.Event()
        try:
            yield lambda snapshot_id: self._replaced.update({table_id: snapshot_id})
        finally:
            del self._replacing[table_id]
            over.set()
