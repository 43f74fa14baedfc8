"""What a query moves, and what its segments need for it, as EXPLAIN (ANALYZE, FORMAT JSON) says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from rich.table import Table

from bench.report import console

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    """`bytes` by all motions, `memory` at the peak of the segment that needed most. `whole`: why the query ran
    undivided on one segment. `gathers`: what needed rows in one place before the last step; single values, which a
    scalar subquery is, are none. `alone`: the coordinator ran it without segments."""

    bytes: int
    memory: int
    whole: str | None
    gathers: tuple[str, ...]
    alone: bool = False


def moved(connection: psycopg.Connection, sql: str) -> Moved:
    """Runs the query."""
    row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}").fetchone()
    assert row is not None
    (told,) = json.loads(row[0]) if isinstance(row[0], str) else row[0]
    slices = told.get("Slice Statistics")
    if slices is None:
        return Moved(0, 0, None, (), alone=True)
    return Moved(
        sum(sum(slice_["Bytes"]) for slice_ in slices),
        max((peak for slice_ in slices for peak in slice_["Peak Memory"]), default=0),
        told.get("Whole on One Segment"),
        tuple(_gathers(told["Plan"], None, below=False)),
    )


def _gathers(node: Node, parent: str | None, *, below: bool) -> Iterator[str]:
    """`below`: a motion is above this node."""
    title = str(node["Node Type"])
    motion = title.endswith(" Motion")
    if below and title == "Gather Motion" and node.get("Actual Rows", 0) > node.get("Senders", 1):
        yield f"{parent} over {node['Actual Rows']} rows"
    for child in node.get("Plans", ()):
        yield from _gathers(child, parent if motion else title, below=below or motion)


def print_moved(title: str, found: Mapping[str, Moved]) -> None:
    """A line a query: bytes and memory; below it, by name, what ran in one place."""
    table = Table(title=title)
    for name in ("query", "moved, MB", "peak memory of a segment, MB"):
        table.add_column(name, justify="left" if name == "query" else "right")
    for query, each in found.items():
        table.add_row(query, f"{each.bytes / 1e6:,.1f}", f"{each.memory / 1e6:,.0f}")
    most = max((each.memory for each in found.values()), default=0)
    table.add_row("all", f"{sum(each.bytes for each in found.values()) / 1e6:,.1f}", f"{most / 1e6:,.0f}")
    console.print(table)
    _print_named("whole on one segment", [(query, each.whole) for query, each in found.items() if each.whole])
    gathered = [(query, "; ".join(each.gathers)) for query, each in found.items() if each.gathers]
    _print_named("with a gathering step before the last", gathered)
    _print_named("without segments", [(query, "too few rows") for query, each in found.items() if each.alone])


def _print_named(what: str, named: Sequence[tuple[str, str]]) -> None:
    console.print(f"{what}: {len(named) or 'none'}")
    for query, why in named:
        console.print(f"  {query}: {why}")
