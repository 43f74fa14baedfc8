"""The rows of a SCROLL cursor: kept in a temporary table, which DuckDB spills, and read in either direction.

Lives in the coordinator process. Positions are PostgreSQL's: 0 before the first row, 1 on it, one more than there are
rows behind the last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pyarrow as pa

from mere.errors import FeatureNotSupported
from mere.segment.workspace import Workspace
from mere.session.rows import Encoder, Portion, RowSource
from mere.sql.commands import Fetch

_TABLE = "mere_scroll"
_PIECE = 16_384  # rows that are read at once


class Scroll:
    """Made by `keep`; `close` lets go of the rows. Rows are ranges (low, high) of positions, both counted in."""

    def __init__(self, workspace: Workspace, encode: Encoder, total: int) -> None:
        self._workspace = workspace
        self._encode = encode
        self._total = total
        self._position = 0

    def move(self, command: Fetch) -> tuple[int, int, bool]:
        """Goes where the command says. Returns the rows passed (none: high below low), and whether backward."""
        count = command.count
        if command.direction == "absolute":
            assert count is not None
            return self._to(count if count >= 0 else self._total + 1 + count)
        if command.direction == "relative":
            assert count is not None
            return self._to(self._position + count)
        ahead = (command.direction == "forward") == (count is None or count >= 0)
        if count == 0:
            return self._to(self._position)
        steps = self._total + 1 if count is None else abs(count)
        if ahead:
            low, high = self._position + 1, min(self._position + steps, self._total)
            self._position = min(self._position + steps, self._total + 1)
            return low, high, False
        low, high = max(self._position - steps, 1), self._position - 1
        self._position = max(self._position - steps, 0)
        return low, high, True

    def _to(self, place: int) -> tuple[int, int, bool]:
        self._position = min(max(place, 0), self._total + 1)
        on_a_row = 1 <= self._position <= self._total
        return (self._position, self._position, False) if on_a_row else (1, 0, False)

    def fetch(self, command: Fetch) -> RowSource:
        low, high, backward = self.move(command)
        return RowSource(self._portions(low, high, backward), self._encode)

    async def _portions(self, low: int, high: int, backward: bool) -> AsyncIterator[Portion]:
        while low <= high:
            first, last = (max(low, high - _PIECE + 1), high) if backward else (low, min(high, low + _PIECE - 1))
            order = "DESC" if backward else "ASC"
            table = await self._workspace.table(
                f"SELECT * FROM temp.{_TABLE} WHERE rowid BETWEEN {first - 1} AND {last - 1} ORDER BY rowid {order}"
            )
            for batch in table.to_batches():
                yield Portion(batch, self._encode(batch))
            low, high = (low, first - 1) if backward else (last + 1, high)

    async def close(self) -> None:
        await self._workspace.close()


async def keep(rows: RowSource, workspace: Workspace) -> Scroll:
    """Reads a result to its end into the workspace, which the Scroll then owns."""
    total = 0
    async for portion in rows.portions():
        batch = portion.batch
        if not batch.num_columns:
            raise FeatureNotSupported("a SCROLL cursor without columns is not supported")
        table = pa.Table.from_batches([batch]).rename_columns([f"c{number}" for number in range(batch.num_columns)])
        if total:
            await workspace.insert(_TABLE, table)
        else:
            await workspace.load(_TABLE, table)
        total += portion.rows
    await rows.close()
    return Scroll(workspace, rows.encode, total)
