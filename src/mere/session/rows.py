"""A result on its way to the client: encoded batches, in the portions that Execute and FETCH ask for.

Lives in the coordinator process; knows no SQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mere.session.client import Client
from mere.wire.messages import Field

Encoder = Callable[[pa.RecordBatch], bytes | memoryview]


@dataclass(frozen=True, slots=True)
class Portion:
    """A batch and its messages, made on the engine's thread."""

    batch: pa.RecordBatch
    messages: bytes | memoryview

    @property
    def rows(self) -> int:
        return int(self.batch.num_rows)


class RowSource:
    """Portions and what cuts them. Read once, front to back; `close` may be called at any point."""

    def __init__(
        self,
        portions: AsyncIterator[Portion],
        encode: Encoder,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._portions = portions
        self.encode = encode
        self._close = close
        self._rest: Portion | None = None
        self._closed = False
        self._released: Callable[[], None] | None = None

    def when_closed(self, release: Callable[[], None]) -> None:
        """What to let go of at the end, besides closing."""
        self._released = release

    def _portion(self, batch: pa.RecordBatch) -> Portion:
        return Portion(batch, self.encode(batch))

    async def _next(self, limit: int | None) -> Portion | None:
        """The next portion that is not empty, of at most `limit` rows; None at the end."""
        portion = self._rest
        self._rest = None
        while portion is None or portion.rows == 0:
            portion = await anext(self._portions, None)
            if portion is None:
                return None
        if limit is not None and portion.rows > limit:
            self._rest = self._portion(portion.batch.slice(limit))
            portion = self._portion(portion.batch.slice(0, limit))
        return portion

    async def send(self, client: Client, limit: int = 0) -> tuple[int, bool]:
        """Sends up to `limit` rows (0: all). Returns how many went out and whether the result may hold more."""
        sent = 0
        try:
            while limit == 0 or sent < limit:
                portion = await self._next(limit - sent if limit else None)
                if portion is None:
                    await self.close()
                    return sent, False
                client.write(portion.messages)
                sent += portion.rows
                await client.drain()
        except BaseException:
            await self.close()
            raise
        return sent, True

    async def skip(self, limit: int = 0) -> int:
        """Reads over up to `limit` rows (0: all) without sending them; returns how many there were."""
        skipped = 0
        while limit == 0 or skipped < limit:
            portion = await self._next(limit - skipped if limit else None)
            if portion is None:
                break
            skipped += portion.rows
        return skipped

    def portions(self) -> AsyncIterator[Portion]:
        """All that is left, for who keeps it."""
        return self._part(None)

    def part(self, limit: int | None) -> RowSource:
        """The next `limit` rows (None: all that is left) as a result of its own; this one stays where they end."""
        return RowSource(self._part(limit), self.encode)

    async def _part(self, limit: int | None) -> AsyncIterator[Portion]:
        left = limit
        while left is None or left > 0:
            portion = await self._next(left)
            if portion is None:
                return
            if left is not None:
                left -= portion.rows
            yield portion

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._rest = None
            if self._released is not None:
                self._released()
            if self._close is not None:
                await self._close()


@dataclass(slots=True)
class Outcome:
    """What running a statement gave. `counted` says that the tag ends with the number of rows sent."""

    tag: str
    fields: tuple[Field, ...] | None = None
    rows: RowSource | None = None
    counted: bool = False


async def _once(portion: Portion) -> AsyncIterator[Portion]:
    yield portion


def text_rows(columns: Sequence[Sequence[str | None]], encode: Encoder) -> RowSource:
    """A small result that is already text, one sequence a column."""
    arrays = [pa.array(column, type=pa.string()) for column in columns]
    batch = pa.RecordBatch.from_arrays(arrays, names=[f"c{index}" for index in range(len(arrays))])
    return RowSource(_once(Portion(batch, encode(batch))), encode)
