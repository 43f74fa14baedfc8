"""Runs a plan on the embedded segment: constants first, then scans, then the one slice. Coordinator process.

Owns the order of these steps; what is PostgreSQL's (constants, rows of heap tables) comes through `Postgres`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from sqlglot import exp

from mere.errors import DataError
from mere.execute.compose import Body, with_constants
from mere.execute.constants import constant_text
from mere.execute.scans import LakeView, fill, lake_scan_sql
from mere.lake.metadata import Snapshot
from mere.plan.nodes import Slice
from mere.segment.workspace import Workspace
from mere.sql.bind import duckdb_text
from mere.sql.bind.bound import Constant, Scan
from mere.sql.relations import Kind


class Postgres(Protocol):
    """What a query needs of the user's own PostgreSQL connection."""

    async def evaluate(self, constants: Sequence[Constant]) -> Mapping[str, exp.Expression]:
        """A DuckDB constant for each, by name."""

    async def load(self, scan: Scan, constants: Mapping[str, exp.Expression], workspace: Workspace) -> None:
        """Puts the rows of a table that PostgreSQL keeps, read as the user, in the workspace as table `scan.name`."""


async def slice_text(
    slice_: Slice,
    view: LakeView,
    postgres: Postgres,
    workspace: Workspace,
    outputs: Sequence[exp.Expression] | None = None,
    tables: Mapping[str, str] | None = None,
) -> str:
    """The DuckDB query of a slice, with what it needs loaded in the workspace.

    `tables` gives SELECTs for scans that are not of the lake (the rows a statement materialised).
    """
    return await body_text(Body(slice_, outputs), view, postgres, workspace, tables)


async def body_text(
    body: Body,
    view: LakeView,
    postgres: Postgres,
    workspace: Workspace,
    tables: Mapping[str, str] | None = None,
    known: Mapping[str, exp.Expression] | None = None,
) -> str:
    """As `slice_text`, for a body that may have been used before. `known` are constants that were evaluated already."""
    slice_ = body.slice
    constants = known or (await postgres.evaluate(slice_.constants) if slice_.constants else {})
    scans: dict[str, str] = dict(tables or {})
    for scan in slice_.scans:
        if scan.name in scans:
            continue
        if scan.relation.kind is Kind.POSTGRES:
            await postgres.load(scan, constants, workspace)
            continue
        if constants:
            scan = filled(scan, constants)
        snapshot = await snapshot_of(scan, view, constants, workspace)
        scans[scan.name] = await lake_scan_sql(view, scan, snapshot, workspace)
    return body.text(scans, constants)


def filled(scan: Scan, constants: Mapping[str, exp.Expression]) -> Scan:
    """With the values of constants in its predicates, so that they prune."""
    return replace(scan, predicates=tuple(fill(predicate, constants) for predicate in scan.predicates))


async def snapshot_of(
    scan: Scan, view: LakeView, constants: Mapping[str, exp.Expression], workspace: Workspace
) -> Snapshot:
    """The snapshot of a scan's AT clause, or the statement's."""
    if scan.at is None:
        return view.snapshot
    value = with_constants(scan.at.value, constants)
    text = constant_text(value) or (await workspace.rows(f"SELECT CAST({duckdb_text(value)} AS VARCHAR)"))[0][0]
    if text is None:
        raise DataError(f"AT ({scan.at.kind.upper()} => ...) must not be null", sqlstate="22004")
    if scan.at.kind == "version":
        return await view.metadata.snapshot_at(version=int(text))
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.astimezone()
    return await view.metadata.snapshot_at(timestamp=moment)
