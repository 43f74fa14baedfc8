"""What the rules pass to each other: a query that runs on every segment over its share, and where its rows lie.

Owns the vocabulary of distribution. Pure data; coordinator process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from sqlglot import exp

from mere.plan.columns import output_names
from mere.plan.nodes import MotionColumn
from mere.sql.bind.bound import Scan


class Spread(Enum):
    PARTITIONED = "partitioned"  # the union over the segments is the relation; no row is on two
    REPLICATED = "replicated"  # every segment has all rows
    SINGLE = "single"  # one segment has all rows, the others none: PARTITIONED in the extreme


@dataclass(frozen=True, slots=True)
class Hash:
    """Rows lie where a function of `columns` says, so equal (not null) values lie together.

    `scheme` names function and type: two relations with the same scheme meet on equal columns. `everywhere_null`:
    the columns come from the nullable side of an outer join, so rows where they are NULL may lie on any segment; such
    a Hash serves inner joins, but not GROUP BY, DISTINCT, PARTITION BY or set operations.
    """

    columns: tuple[str, ...]
    scheme: str
    everywhere_null: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows of a relation lie. Several hashes hold at once when columns are equal to each other."""

    spread: Spread
    hashes: frozenset[Hash] = frozenset()


@dataclass(frozen=True, slots=True)
class Local:
    """A whole query (closed: every column has a unique alias) that each segment runs over its share.

    `place.hashes` name the aliases of `columns`. `rows` is an estimate for all segments together. `tree` reads scans
    (by Scan.name), motions (mere_motion_<n>) and nothing else. `described` may ask an engine, so it is called late.
    """

    tree: exp.Expression
    place: Place
    described: tuple[MotionColumn, ...] | Callable[[], tuple[MotionColumn, ...]]
    rows: float
    order: tuple[exp.Expression, ...] = ()  # exp.Ordered over the aliases: each segment's rows come in this order

    @property
    def columns(self) -> tuple[MotionColumn, ...]:
        return self.described if isinstance(self.described, tuple) else self.described()

    @property
    def names(self) -> list[str]:
        """Those of the columns: nobody has to be asked."""
        if isinstance(self.described, tuple):
            return [column.name for column in self.described]
        return output_names(self.tree)


@dataclass(frozen=True, slots=True)
class Joined:
    """One SELECT whose FROM, JOINs and WHERE already run on a segment; the rest of it is still the original's.

    `place.hashes` name columns of the FROM as "alias.column". `rows` is the estimate after WHERE.
    `distinct(columns)` estimates how many combinations of values such columns have.
    """

    select: exp.Select
    place: Place
    rows: float
    distinct: Callable[[Sequence[str]], float]
    width_of: Callable[[Sequence[str]], float]


class Types(Protocol):
    """Asks an engine for types, without data."""

    def __call__(
        self, tree: exp.Expression, tables: Mapping[str, tuple[MotionColumn, ...]], text: str | None = None
    ) -> tuple[MotionColumn, ...]:
        """The columns of a query; `tables` are the motions that it reads (scans are known already). `text` is the
        tree's, where it is known."""


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """`distinct` is an estimate; `width` the stored (compressed) bytes a row, at least 1. low/high as DuckDB text."""

    distinct: float
    width: float
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class ScanStatistics:
    """What the lake's metadata says of a scan after pruning. `hash_column`: every row lies in a stored bucket of this
    column (by name), of `buckets`; None where a file does not conform. `replicated`: the policy says so.
    `coordinator`: PostgreSQL keeps the rows; they come from the coordinator, to every segment alike."""

    rows: float
    columns: Mapping[str, ColumnStatistics] = field(default_factory=dict)
    hash_column: str | None = None
    buckets: int = 0
    replicated: bool = False
    coordinator: bool = False
    files: int = 1


@dataclass(frozen=True, slots=True)
class Facts:
    """All that planning needs beside the query."""

    segments: int
    scans: Mapping[str, Scan]
    statistics: Mapping[str, ScanStatistics]
    types: Types
    read_everywhere_rows: float = 50_000  # a scan of no more is read by every segment instead of moved
