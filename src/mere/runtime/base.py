"""What a runtime is: the place where slices run. Execution knows this interface, never DuckDB's process or Ray.

Lives in the coordinator process. A slice attempt reads immutable files and writes new names, so it may run twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from mere.segment.workspace import Stream, Workspace


class Runtime(Protocol):
    """Segments to run slices on. `await start()` before the first slice, `await close()` at the end."""

    @property
    def segments(self) -> int:
        """How many segments share the work; with one there are no motions."""
        ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def workspace(self, segment: int = 0) -> Workspace:
        """A statement's own place on a segment: temporary tables, streams, writes. The caller closes it."""
        ...

    async def run(self, sql: str, parameters: Sequence[object] = (), *, segment: int = 0) -> Stream[pa.RecordBatch]:
        """Runs one slice that needs nothing but its text."""
        ...
