"""A result on its way to the client: Arrow batches, encoded as DataRow messages, in portions that Execute asks for.

Lives in the coordinator process; knows no SQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mere.session.client import Client
from mere.wire.backend import Field

Encoder = Callable[[pa.RecordBatch], bytes]
_ROWS_AT_ONCE = 8192  # how many rows are encoded between two looks at the client's buffer


class RowSource:
    """Batches and what turns them into messages. Read once, front to back; `close` may be called at any point."""

    def __init__(
        self,
        batches: AsyncIterator[pa.RecordBatch],
        encode: Encoder,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._batches = batches
        self._encode = encode
        self._close = close
        self._rest: pa.RecordBatch | None = None
        self._closed = False

    async def _next(self, limit: int | None) -> pa.RecordBatch | None:
        """The next non-empty batch of at most `limit` rows, None at the end."""
        batch = self._rest
        self._rest = None
        while batch is None or batch.num_rows == 0:
            batch = await anext(self._batches, None)
            if batch is None:
                return None
        most = _ROWS_AT_ONCE if limit is None else min(limit, _ROWS_AT_ONCE)
        if batch.num_rows > most:
            self._rest = batch.slice(most)
            batch = batch.slice(0, most)
        return batch

    async def send(self, client: Client, limit: int = 0) -> tuple[int, bool]:
        """Sends up to `limit` rows (0: all). Returns how many went out and whether the result may hold more."""
        sent = 0
        while limit == 0 or sent < limit:
            batch = await self._next(limit - sent if limit else None)
            if batch is None:
                await self.close()
                return sent, False
            client.write(self._encode(batch))
            sent += batch.num_rows
            await client.drain()
        return sent, True

    async def skip(self, limit: int = 0) -> int:
        """Reads over up to `limit` rows (0: all) without sending them; returns how many there were."""
        skipped = 0
        while limit == 0 or skipped < limit:
            batch = await self._next(limit - skipped if limit else None)
            if batch is None:
                break
            skipped += batch.num_rows
        return skipped

    def portion(self, limit: int | None) -> RowSource:
        """The next `limit` rows (None: all that is left) as a result of its own; this one stays where they end."""
        return RowSource(self._portion(limit), self._encode)

    async def _portion(self, limit: int | None) -> AsyncIterator[pa.RecordBatch]:
        left = limit
        while left is None or left > 0:
            batch = await self._next(left)
            if batch is None:
                return
            if left is not None:
                left -= batch.num_rows
            yield batch

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._rest = None
            if self._close is not None:
                await self._close()


@dataclass(slots=True)
class Outcome:
    """What running a statement gave. `counted` says that the tag ends with the number of rows sent."""

    tag: str
    fields: tuple[Field, ...] | None = None
    rows: RowSource | None = None
    counted: bool = False


async def _once(batch: pa.RecordBatch) -> AsyncIterator[pa.RecordBatch]:
    yield batch


def text_rows(columns: Sequence[Sequence[str | None]], encode: Encoder) -> RowSource:
    """A small result that is already text, one sequence a column."""
    arrays = [pa.array(column, type=pa.string()) for column in columns]
    batch = pa.RecordBatch.from_arrays(arrays, names=[f"c{index}" for index in range(len(arrays))])
    return RowSource(_once(batch), encode)
