"""A query on the segments: is it worth it, what the planner is told, the plan opened over files. Coordinator process.

The opposite of `query`, which runs a query whole on the coordinator's own engine: small queries stay there, for a few
rows take longer to send around than to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from mere.execute.compose import Body
from mere.execute.dispatch import Dispatch, Dispatcher
from mere.execute.dispatch_tasks import LakeScan, PostgresScan, Store
from mere.execute.pieces import in_pieces, piece_size, pieced_scan
from mere.execute.query import Postgres, filled, snapshot_of
from mere.execute.scans import LakeSource, LakeView, inlined_rows, open_source
from mere.execute.statistics import facts
from mere.lake.files import DataFile
from mere.plan.distribute import distribute
from mere.plan.nodes import DistributedPlan
from mere.runtime.base import Part
from mere.segment.workspace import Workspace
from mere.sql.bind.bound import BoundSelect, Scan
from mere.sql.lexer import quote_identifier
from mere.sql.relations import Kind

Constants = Mapping[str, exp.Expression]


@dataclass(slots=True)
class Planned:
    """A plan as it is kept: for the same files, and as many segments. `bodies` are the texts of its slices, `roots` the
    query of the answer by how its columns are shown."""

    plan: DistributedPlan
    files: Mapping[str, tuple[DataFile, ...]]
    postgres_rows: Mapping[str, int]
    bodies: dict[int, Body] = field(default_factory=dict)
    roots: dict[object, Body] = field(default_factory=dict)

    def fits(self, segments: int, files: Mapping[str, tuple[DataFile, ...]], postgres_rows: Mapping[str, int]) -> bool:
        """The lists of files are kept by the metadata, so the same list is the same object."""
        return (
            self.plan.segments == segments
            and all(self.files[name] is listed for name, listed in files.items())
            and all(_alike(self.postgres_rows[name], rows) for name, rows in postgres_rows.items())
        )

    def root(self, shown: object, outputs: Sequence[exp.Expression]) -> Body:
        body = self.roots.get(shown)
        if body is None:
            body = self.roots[shown] = Body(self.plan.root, outputs)
        return body


@dataclass(slots=True)
class PlanMemory:
    """The last plan of a bound statement."""

    planned: Planned | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A query before it is decided where it runs: its constants, and its lake tables at their snapshots."""

    constants: Constants
    sources: Mapping[str, LakeSource]

    @property
    def rows(self) -> int:
        return sum(source.files.rows for source in self.sources.values())


async def open_query(query: BoundSelect, view: LakeView, postgres: Postgres, workspace: Workspace) -> Opened:
    constants = await postgres.evaluate(query.constants) if query.constants else {}
    sources: dict[str, LakeSource] = {}
    for scan in query.scans:
        if scan.relation.kind is not Kind.POSTGRES:
            scan = filled(scan, constants) if constants else scan
            sources[scan.name] = await open_source(view, scan, await snapshot_of(scan, view, constants, workspace))
    return Opened(constants, sources)


def may_distribute(query: BoundSelect, dispatcher: Dispatcher) -> bool:
    """Is there a cluster, and can it run this? A volatile query runs once, in one place."""
    runtime = dispatcher.runtime
    return runtime.segments > 1 and not query.volatile and bool(query.scans) and bool(runtime.ready())


async def plan_query(
    query: BoundSelect,
    opened: Opened,
    view: LakeView,
    postgres_rows: Mapping[str, int],
    workspace: Workspace,
    dispatcher: Dispatcher,
    memory: PlanMemory,
) -> Planned:
    """The plan for the segments that there are now; the one that is remembered, where it fits."""
    segments = dispatcher.runtime.segments
    files = {name: source.every.files for name, source in opened.sources.items()}
    planned = memory.planned
    if planned is None or not planned.fits(segments, files, postgres_rows):
        everywhere = dispatcher.options.read_everywhere_rows
        told = await facts(query, view, opened.sources, postgres_rows, workspace, segments, everywhere)
        planned = memory.planned = Planned(distribute(query, told), files, dict(postgres_rows))
    return planned


@dataclass(slots=True)
class Brought:
    """What the coordinator sends along: rows of PostgreSQL's tables, and those that a plain DuckDB left there."""

    postgres: dict[str, PostgresScan] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)


async def bring_postgres_rows(
    brought: Brought,
    query: BoundSelect,
    constants: Constants,
    postgres: Postgres,
    workspace: Workspace,
    dispatcher: Dispatcher,
) -> None:
    """Adds them to what is brought; the caller releases that also after an error."""
    for scan in query.scans:
        if scan.relation.kind is Kind.POSTGRES:
            part = await _sent(scan, constants, postgres, workspace, dispatcher)
            brought.parts.append(part)
            brought.postgres[scan.name] = PostgresScan.of(scan, part)
            brought.rows[scan.name] = part.rows


async def _sent(
    scan: Scan, constants: Constants, postgres: Postgres, workspace: Workspace, dispatcher: Dispatcher
) -> Part:
    name = quote_identifier(scan.name)
    await postgres.load(scan, constants, workspace)
    part = await dispatcher.runtime.put(await workspace.table(f"SELECT * FROM {name}"))
    await workspace.execute(f"DROP TABLE {name}")
    return part


async def open_dispatch(
    planned: Planned,
    opened: Opened,
    view: LakeView,
    brought: Brought,
    dispatcher: Dispatcher,
    stores: Sequence[Store] = (),
    pieces: bool = False,
) -> Dispatch:
    """The plan over its files, ready to run. The dispatch releases what was brought. `pieces`: an answer for a client,
    who may get it piece by piece."""
    scans: dict[str, LakeScan | PostgresScan] = dict(brought.postgres)
    pieced = pieced_scan(planned.plan) if pieces else None
    width = None
    for name, source in opened.sources.items():
        inlined = []
        for rows in await inlined_rows(view, source):
            part = await dispatcher.runtime.put(rows.data)
            brought.parts.append(part)
            inlined.append((rows, part))
        scan = LakeScan.of(source, planned.plan.segments, inlined)
        if name == pieced and (size := piece_size(planned.plan, source.files.rows, dispatcher.options.piece_rows)):
            scan = replace(scan, own=in_pieces(scan.own, size))
            width = len(scan.own)
        scans[name] = scan
    return dispatcher.open(planned.plan, scans, opened.constants, planned.bodies, brought.parts, stores, width)


def _alike(before: int, now: int) -> bool:
    """Close enough to keep a plan."""
    return max(before, now) <= 2 * min(before, now) + 1000
