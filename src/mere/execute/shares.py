"""Which files, buckets and rows of a scan each share reads: n disjoint shares whose union is the scan.

Pure functions in the coordinator process. A share is a number, not a segment: any segment can read it, and a share is
the same each time it is asked for, so that an attempt can be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mere.execute.scans import LakeSource, table_layout
from mere.lake.files import DataFile

# DuckDB writes row groups of this size, and skips those outside of a range of rows: where there are many of them, a
# cut between two saves both sides from reading one.
ROW_GROUP = 122_880
_WORTH_ALIGNING = 16 * ROW_GROUP

Files = tuple[DataFile, ...]


def stored_layout(source: LakeSource) -> int | None:
    """The bucketing that every row of the table obeys, of files that the transaction made too; None if there is none.

    It is looked for in all files, also those that this scan leaves out, so that it does not depend on constants.
    """
    layout = table_layout(source.scan.relation)
    if layout is None or source.every.inlined:
        return None
    return layout if all(file.layout == layout for file in source.every.files) else None


def own_shares(source: LakeSource, segments: int) -> tuple[Files, ...]:
    """The files of each share: by bucket where all are bucketed, else spread so that each has as many rows."""
    files = source.files.files
    if stored_layout(source) is not None:
        return by_bucket(files, segments)
    return by_rows(files, segments)


def by_bucket(files: Sequence[DataFile], segments: int) -> tuple[Files, ...]:
    """Bucket b is of share b % segments, as rows on the move are; rows whose key is NULL have no bucket: share 0."""
    shares: list[list[DataFile]] = [[] for _ in range(segments)]
    for file in files:
        shares[(file.bucket or 0) % segments].append(file)
    return tuple(map(tuple, shares))


def by_rows(files: Sequence[DataFile], segments: int) -> tuple[Files, ...]:
    """The files laid end to end and cut into equal pieces; a file that is cut is read by ranges of its rows."""
    total = sum(file.rows for file in files)
    shares: list[list[DataFile]] = [[] for _ in range(segments)]
    start = 0
    for file in files:
        for share, low, high in _pieces(file.rows, start, total, segments):
            whole = (low, high) == (0, file.rows)
            shares[share].append(file if whole else replace(file, positions=(low, high)))
        start += file.rows
    return tuple(map(tuple, shares))


def _pieces(rows: int, start: int, total: int, segments: int) -> Iterator[tuple[int, int, int]]:
    """(share, first row, end) of the pieces of a file whose first row is the `start`-th of all."""
    low = 0
    for share in range(segments):
        cut = total * (share + 1) // segments - start
        if total >= _WORTH_ALIGNING * segments:
            cut = round(cut / ROW_GROUP) * ROW_GROUP
        high = rows if share == segments - 1 else min(max(cut, low), rows)
        if high > low:
            yield share, low, high
        low = high
        if low == rows:
            return
