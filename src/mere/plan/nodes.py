"""What a plan is made of: slices, and later the motions between them. Frozen data; knows no DuckDB and no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from mere.sql.bind.bound import Constant, OutputColumn, Scan


@dataclass(frozen=True, slots=True)
class Slice:
    """A query that one segment runs over its share of the scans. `tree` names the scans as tables."""

    number: int
    tree: exp.Expression
    columns: tuple[OutputColumn, ...]
    scans: tuple[Scan, ...]
    constants: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`slices` in the order in which they can run; the last one gives the answer.

    `whole` says why the query runs undivided on one segment, for EXPLAIN; None where it is divided.
    """

    slices: tuple[Slice, ...]
    whole: str | None = None

    @property
    def root(self) -> Slice:
        return self.slices[-1]
