"""What a runtime is: the place where slices run. Execution knows this interface, never DuckDB's process or Ray.

Lives in the coordinator process. A slice attempt reads immutable files and named parts and writes new names, so it may
run twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from mere.segment.partition import Leave

if TYPE_CHECKING:
    import pyarrow as pa

    from mere.lake.message import NewFile
    from mere.segment.locations import Location
    from mere.segment.python_functions import PythonFunction
    from mere.segment.task import Output
    from mere.segment.workspace import Stream, Workspace


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a motion, for one receiver. `handle` is the runtime's own (an object reference, an Arrow table)."""

    handle: Any
    target: int  # 0 for gather and broadcast
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Load:
    """A temporary table that a slice finds when it starts: (name, DuckDB type) columns, filled from the parts."""

    table: str
    columns: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt of one slice on one segment; all that a segment needs to know. Can be pickled.

    `share` is the number of the segment's share, not of the segment: any segment can run it.
    """

    statement: str
    slice: int
    share: int
    attempt: int
    sql: str
    loads: tuple[Load, ...] = ()
    output: Output = field(default_factory=Leave)
    places: tuple[Location, ...] = ()  # outside of the lake, that this task alone may reach
    functions: tuple[PythonFunction, ...] = ()  # of users, that the text names


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt gave; `rows` and `bytes` as in `left_or_written`."""

    parts: tuple[Part, ...]
    rows: int
    bytes: int
    seconds: float
    files: tuple[NewFile, ...] = ()
    peak_memory: int = 0

    @classmethod
    def of(cls, parts: Sequence[Part], files: Sequence[NewFile], seconds: float) -> Result:
        rows, size = left_or_written([(part.rows, part.bytes) for part in parts], files)
        return cls(tuple(parts), rows, size, seconds, tuple(files))


def left_or_written(parts: Sequence[tuple[int, int]], files: Sequence[NewFile]) -> tuple[int, int]:
    """Rows and bytes of an attempt: of its parts, given as (rows, bytes), or of its files where nothing leaves."""
    sizes = parts if parts else [(file.rows, file.size) for file in files]
    return sum(rows for rows, _ in sizes), sum(size for _, size in sizes)


@dataclass(frozen=True, slots=True)
class SegmentState:
    """A line of mere.segment_configuration. `status` is 'up', 'starting', 'down' or 'spare'."""

    id: int
    host: str
    pid: int | None
    status: str
    started: datetime | None
    restarts: int


class SegmentLost(Exception):
    """The segment died, hangs, or its node is gone: the attempt's output does not exist. Run it again elsewhere."""

    def __init__(self, segment: int, why: str, *, out_of_memory: bool = False) -> None:
        super().__init__(f"segment {segment}: {why}")
        self.segment = segment
        self.why = why
        self.out_of_memory = out_of_memory


class PartsLost(Exception):
    """Parts that a task wanted to read are gone with the node that held them: their slices must run again."""

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__(f"{len(parts)} parts are lost")
        self.parts = tuple(parts)


class Runtime(Protocol):
    """`await start()` before the first slice, `await close()` at the end.

    The coordinator's own engine is always there (`workspace`, `local`). Segments may come and go: `ready()` are those
    that answer now, by number; none while a cluster is still coming up, and then everything runs locally.
    """

    @property
    def segments(self) -> int:
        """How many segments share the work; with one there are no motions."""
        ...

    def ready(self) -> Sequence[int]: ...

    async def wait_ready(self, timeout: float) -> Sequence[int]:
        """At least one segment that answers; 57P03 (MereError) when none comes in `timeout` seconds."""
        ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def workspace(self) -> Workspace:
        """A statement's own place on the coordinator's engine: temporary tables, streams, writes. The caller closes
        it."""
        ...

    async def local(self, sql: str, parameters: Sequence[object] = ()) -> Stream[pa.RecordBatch]:
        """Runs one query on the coordinator's engine that needs nothing but its text."""
        ...

    async def run(self, segment: int, task: Task) -> Result:
        """Runs an attempt to its end. Raises MereError for what the statement did wrong, SegmentLost, PartsLost.

        Cancelling the awaiting task interrupts it on the segment, within a second."""
        ...

    async def put(self, rows: pa.Table) -> Part:
        """Rows of the coordinator's, for segments to load."""
        ...

    async def fetch(self, part: Part) -> pa.Table:
        """Rows of a part, at the coordinator. Raises PartsLost."""
        ...

    def release(self, parts: Sequence[Part]) -> None:
        """Nobody will ask for these any more."""
        ...

    async def resize(self, segments: int) -> None:
        """For statements that begin from now on; those that run finish where they are."""
        ...

    def state(self) -> Sequence[SegmentState]: ...

    def settings(self) -> Mapping[str, str]:
        """What `mere state` shows of the runtime: kind, address, threads and memory of a segment."""
        ...


__all__ = ["Leave", "Load", "Part", "PartsLost", "Result", "Runtime", "SegmentLost", "SegmentState", "Task"]
