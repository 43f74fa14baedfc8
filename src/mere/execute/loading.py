"""Parquet files from outside of the lake, shared out among the segments: each reads its rows and writes its files.

Owns what COPY FROM a URL runs there: one slice, whose shares are pieces of files. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlglot import exp

from mere.execute.shares import by_rows
from mere.lake.files import DataFile
from mere.plan.nodes import DistributedPlan, Motion, MotionKind, SegmentSlice, Slice, Where, motion_table
from mere.runtime.base import Part, Task
from mere.segment.credentials import quote
from mere.segment.locations import Location
from mere.segment.write import WriteTarget

SLICE = 1


def load_plan(segments: int) -> DistributedPlan:
    """One slice on every segment, whose rows go to storage: nothing is left for the root."""
    nothing = exp.select("1").from_(motion_table(SLICE))
    slice_ = SegmentSlice(SLICE, exp.select("1"), Where.EVERY, (), ())
    motion = Motion(SLICE, MotionKind.GATHER, SLICE, ())
    return DistributedPlan((slice_,), (motion,), Slice(0, nothing, (), (), ()), segments, plain=True)


class LoadTasks:
    """`rows` gives the number of rows by URL, `query` the query over a relation of their columns."""

    def __init__(
        self,
        rows: Mapping[str, int],
        query: Callable[[str], str],
        target: WriteTarget,
        place: Location,
        segments: int,
    ) -> None:
        files = [DataFile(None, url, count, 0) for url, count in rows.items()]
        self._texts = [query(_source(pieces)) if pieces else None for pieces in by_rows(files, segments)]
        self._target = target
        self._place = place

    def task(self, number: int, share: int, attempt: int, inputs: Iterable[tuple[int, tuple[Part, ...]]]) -> Task:
        text = self._texts[share]
        assert text is not None
        return Task(f"load-{id(self)}", number, share, attempt, text, (), self._target, (self._place,))

    def idle(self, unit: tuple[int, int]) -> bool:
        return self._texts[unit[1]] is None


def _source(pieces: Sequence[DataFile]) -> str:
    """A relation of the pieces' rows. DuckDB skips row groups outside of a range of rows."""
    whole = [quote(piece.url) for piece in pieces if piece.positions is None]
    parts = [f"SELECT * FROM read_parquet([{', '.join(whole)}])"] if whole else []
    for piece in pieces:
        if piece.positions is not None:
            low, high = piece.positions
            parts.append(
                f"SELECT * EXCLUDE (file_row_number) FROM read_parquet({quote(piece.url)}, file_row_number => true)"
                f" WHERE file_row_number >= {low} AND file_row_number < {high}"
            )
    return f"({' UNION ALL '.join(parts)}) AS mere_pieces"
