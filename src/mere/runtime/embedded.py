"""The embedded runtime: one segment in the coordinator's own process, with all its cores. The default; needs no Ray."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mere.segment.engine import Engine
from mere.segment.workspace import Stream, Workspace

if TYPE_CHECKING:
    import pyarrow as pa


class EmbeddedRuntime:
    """A Runtime of one segment around an engine, which it starts and closes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def segments(self) -> int:
        return 1

    async def start(self) -> None:
        await self.engine.start()

    async def close(self) -> None:
        await self.engine.close()

    def workspace(self, segment: int = 0) -> Workspace:
        return self.engine.workspace()

    async def run(self, sql: str, parameters: Sequence[object] = (), *, segment: int = 0) -> Stream[pa.RecordBatch]:
        return await self.engine.run(sql, parameters)
