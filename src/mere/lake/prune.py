"""Leaves out the files that a scan's predicates exclude, by their minimum and maximum, null counts and buckets.

Pure numpy in the coordinator process: ten thousand files take well under a millisecond once their bounds are loaded.
An unknown bound never excludes a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mere.lake.files import Int64s, TableFiles

Operator = Literal["=", "<", "<=", ">", ">=", "in", "is null", "is not null"]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bound:
    """A conjunct `column op values`, values as DuckDB prints them for the column's DuckLake type. `buckets`: the only
    buckets that can hold such rows, when the column is the hash key of the table, and files are of that `layout`."""

    column_id: int
    type: str
    op: Operator
    values: tuple[str, ...] = ()
    buckets: frozenset[int] | None = None
    layout: int | None = None

    @property
    def needs_bounds(self) -> bool:
        return self.op.startswith("is") or order_of(self.type) is not None


def order_of(lake_type: str) -> str | None:
    """How bounds of a type compare: 'i' exact integers, 'f' floats, 'd' instants, 's' bytes; None: not used."""
    if lake_type in ("int8", "int16", "int32", "int64"):
        return "i"
    if lake_type.startswith("decimal(") or lake_type in ("float32", "float64"):
        return "f"
    if lake_type in ("date", "timestamp", "timestamp_us", "timestamptz"):
        return "d"
    return "s" if lake_type in ("varchar", "uuid", "time") else None


@dataclass(slots=True)
class FileBounds:
    """Bounds of one column for the first `count` files of a table's list, in its order."""

    order: str | None
    low: NDArray[Any]
    high: NDArray[Any]
    known: Bools  # both bounds are
    no_values: Bools  # certainly only NULLs
    no_nulls: Bools  # certainly no NULL

    @property
    def count(self) -> int:
        return len(self.known)

    @classmethod
    def of(cls, lake_type: str, ids: Int64s, columns: Sequence[Sequence[Any] | None]) -> FileBounds:
        """`columns`: data file, min, max, values, nulls; in any order, perhaps of other files too, None for no rows."""
        order = order_of(lake_type)
        by_file = {row[0]: row for row in zip(*(column or () for column in columns), strict=True)}
        nothing = (None,) * 5
        aligned = [by_file.get(file_id, nothing) for file_id in ids.tolist()]
        low = _parse(order, [row[1] for row in aligned], down=True)
        high = _parse(order, [row[2] for row in aligned], down=False)
        no_values = np.array([row[3] == 0 and (row[4] or 0) > 0 for row in aligned], dtype=np.bool_)
        no_nulls = np.array([row[4] == 0 and (row[3] or 0) > 0 for row in aligned], dtype=np.bool_)
        return cls(order, low[0], high[0], low[1] & high[1], no_values, no_nulls)

    def extended(self, later: FileBounds) -> FileBounds:
        return FileBounds(
            self.order,
            np.concatenate([self.low, later.low]),
            np.concatenate([self.high, later.high]),
            np.concatenate([self.known, later.known]),
            np.concatenate([self.no_values, later.no_values]),
            np.concatenate([self.no_nulls, later.no_nulls]),
        )

    def range(self, at: Int64s) -> tuple[Any, Any]:
        """The least and the greatest value of the files at these positions; None where a file with values does not
        say."""
        values = at[~self.no_values[at]]
        if self.order is None or not len(values) or not self.known[values].all():
            return None, None
        low, high = self.low[values].min(), self.high[values].max()
        return (low, high) if isinstance(low, bytes) else (low.item(), high.item())

    def may_hold(self, bound: Bound, at: Int64s) -> Bools:
        """For each file position in `at`: can a row there satisfy the predicate?"""
        if bound.op == "is null":
            return ~self.no_nulls[at]
        may: Bools = ~self.no_values[at]
        if bound.op == "is not null" or self.order is None:
            return may
        low, high, known = self.low[at], self.high[at], self.known[at]
        some = np.zeros(len(at), dtype=np.bool_)
        for value in bound.values:
            below, fine = _parse(self.order, [value], down=True)
            above, _ = _parse(self.order, [value], down=False)
            some |= _compare(bound.op, low, high, below[0], above[0]) if fine[0] else True
        return may & (some | ~known)


def _compare(op: Operator, low: NDArray[Any], high: NDArray[Any], below: Any, above: Any) -> Bools:
    match op:
        case "<":
            result = low < above if below == above else low <= above
        case "<=":
            result = low <= above
        case ">":
            result = high > below if below == above else high >= below
        case ">=":
            result = high >= below
        case _:
            result = (low <= above) & (high >= below)
    return np.asarray(result, dtype=np.bool_)


def _parse(order: str | None, texts: Sequence[str | None], down: bool) -> tuple[NDArray[Any], Bools]:
    """The values, and where they are known. A float is moved outwards by one step, since its text may be rounded."""
    known = np.array([text is not None for text in texts], dtype=np.bool_)
    match order:
        case "i":
            return np.array([0 if text is None else int(text) for text in texts], dtype=np.int64), known
        case "f":
            floats = np.array([0.0 if text is None else float(text) for text in texts], dtype=np.float64)
            known &= ~np.isnan(floats)
            with np.errstate(over="ignore"):
                return np.nextafter(floats, -np.inf if down else np.inf), known
        case "d":
            instants = [_microseconds(text) for text in texts]
            known = np.array([instant is not None for instant in instants], dtype=np.bool_)
            return np.array([instant or 0 for instant in instants], dtype=np.int64), known
        case _:
            values = np.empty(len(texts), dtype=object)
            values[:] = [b"" if text is None else text.encode() for text in texts]
            return values, known


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(text: str | None) -> int | None:
    """Since 1970 in UTC; None for what Python's calendar does not have (infinity, BC, five-digit years)."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    delta = (instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def prune(
    view: TableFiles,
    predicates: Sequence[Bound],
    bounds: Mapping[int, FileBounds | None],
    buckets: Int64s,
    layouts: Int64s | None = None,
) -> TableFiles:
    """`view` without the files that cannot hold a row satisfying all predicates. `buckets` and `layouts` are of all
    files of the list that it came from."""
    keep = np.ones(len(view.positions), dtype=np.bool_)
    for predicate in predicates:
        column = bounds.get(predicate.column_id)
        if column is not None:
            keep &= column.may_hold(predicate, view.positions)
        if predicate.buckets is not None:
            of_file = buckets[view.positions]
            possible = (of_file < 0) | np.isin(of_file, list(predicate.buckets))
            if layouts is not None:  # a file of an older policy says nothing
                possible |= layouts[view.positions] != predicate.layout
            keep &= possible
    if keep.all():
        return view
    kept = np.flatnonzero(keep)
    files = tuple(view.files[i] for i in kept.tolist())
    rows = sum(file.live_rows for file in files) + sum(table.rows for table in view.inlined)
    return replace(view, files=files, rows=rows, positions=view.positions[kept])
