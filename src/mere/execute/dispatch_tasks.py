"""From slices to tasks: the text of a slice over one share, and what is loaded before it runs. Coordinator process.

A task says everything: files by name, rows of PostgreSQL's tables and motions by part. Nothing in it depends on the
segment that will run it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import pyarrow as pa
from sqlglot import exp

from mere.execute.compose import Body, with_constants
from mere.execute.scans import LakeSource, source_sql
from mere.execute.shares import Files, own_shares
from mere.execute.sparse import filtered, is_sparse
from mere.execute.types import scan_columns
from mere.lake.inlined import InlinedRows
from mere.plan.nodes import SHARE, DistributedPlan, Motion, MotionColumn, MotionKind, SegmentSlice, Share, Slice
from mere.runtime.base import Leave, Load, Part, Task
from mere.segment.task import Change, Output, Removal
from mere.segment.write import WriteTarget
from mere.sql.bind import duckdb_text
from mere.sql.bind.bound import Scan
from mere.sql.functions.python import functions_in

_TYPES = {pa.int64(): "BIGINT", pa.string(): "VARCHAR", pa.binary(): "BLOB"}


@dataclass(frozen=True, slots=True)
class LakeScan:
    """A scan of a lake table, divided. Inlined rows belong to share 0, or to all where the scan is read everywhere."""

    source: LakeSource
    own: tuple[Files, ...]
    inlined: tuple[tuple[InlinedRows, Load], ...] = ()

    @classmethod
    def of(cls, source: LakeSource, segments: int, inlined: Iterable[tuple[InlinedRows, Part]] = ()) -> LakeScan:
        loads = [
            (rows, Load(source.inlined_name(rows.table), _columns(rows.data.schema), (part,))) for rows, part in inlined
        ]
        return cls(source, own_shares(source, segments), tuple(loads))

    @property
    def rows(self) -> int:
        """Of the whole table."""
        return self.source.every.rows

    def files(self, share: Share, number: int) -> Files:
        return self.source.files.files if share is Share.ALL else self.own[number]

    def loads(self, share: Share, number: int) -> list[Load]:
        return [load for _, load in self.inlined] if share is Share.ALL or number == 0 else []

    def text(self, share: Share, number: int) -> str:
        inlined = [rows for rows, _ in self.inlined] if share is Share.ALL or number == 0 else []
        return source_sql(self.source, self.files(share, number), inlined)


@dataclass(frozen=True, slots=True)
class PostgresScan:
    """A table that PostgreSQL keeps: every segment gets its rows from the coordinator."""

    load: Load

    @classmethod
    def of(cls, scan: Scan, part: Part) -> PostgresScan:
        return cls(Load(scan.name, _pairs(scan_columns(scan)), (part,)))

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.load.parts)


Scans = Mapping[str, LakeScan | PostgresScan]


@dataclass(frozen=True, slots=True)
class Store:
    """The rows of slice `sender` go to storage: `query` makes the text that is carried out of the slice's own, over
    `loads` too. What is left of them goes into the slice's motion; all of it where `output` is None. Each attempt
    writes files of its own names; those of one count."""

    sender: int
    output: WriteTarget | Change | Removal | None
    query: Callable[[str], str]
    loads: tuple[Load, ...] = ()


class TaskSource(Protocol):
    """What makes the tasks of a statement."""

    def task(self, number: int, share: int, attempt: int, inputs: Iterable[tuple[int, tuple[Part, ...]]]) -> Task: ...

    def idle(self, unit: tuple[int, int]) -> bool: ...


class Tasks:
    """The tasks of one statement. `bodies` keeps the text of slices for statements of the same plan."""

    def __init__(
        self,
        statement: str,
        plan: DistributedPlan,
        scans: Scans,
        constants: Mapping[str, exp.Expression],
        bodies: dict[int, Body] | None = None,
        stores: Sequence[Store] = (),
    ) -> None:
        self._statement = statement
        self._stores = {store.sender: store for store in stores}
        self._slices = {slice_.number: slice_ for slice_ in plan.slices}
        self._motions = {motion.number: motion for motion in plan.motions}
        self._outputs = {motion.sender: _leave(motion, plan.segments, constants) for motion in plan.motions}
        self._segments = plan.segments
        self._scans = scans
        self._constants = constants
        self._guarded = {number: _names_share(slice_.tree) for number, slice_ in self._slices.items()}
        self._bodies = {} if bodies is None or constants else bodies

    def task(self, number: int, share: int, attempt: int, inputs: Iterable[tuple[int, tuple[Part, ...]]]) -> Task:
        """`inputs` are the parts that this share reads of each motion."""
        slice_ = self._slices[number]
        texts: dict[str, str] = {}
        loads = []
        for incoming, parts in inputs:
            motion = self._motions[incoming]
            loads.append(Load(motion.table, _pairs(motion.columns), parts))
            if self._is_sparse(motion, sum(part.rows for part in parts)):
                texts[motion.table] = filtered(motion)
        for name, kind in slice_.scans:
            scan = self._scans[name]
            if isinstance(scan, PostgresScan):
                loads.append(scan.load)
            else:
                texts[name] = scan.text(kind, share)
                loads += scan.loads(kind, share)
        sql = self._text(slice_, texts, share)
        leave = self._outputs[number]
        output: Output = leave
        if (store := self._stores.get(number)) is not None:
            sql, loads = store.query(sql), [*loads, *store.loads]
            output = replace(store.output, leave=leave) if isinstance(store.output, Change) else store.output or leave
        functions = functions_in(sql)
        return Task(self._statement, number, share, attempt, sql, tuple(loads), output, functions=functions)

    def idle(self, unit: tuple[int, int]) -> bool:
        """Has the slice, over this share, no rows but those that motions bring? Only asked of slices whose rows are
        divided by scans or motions; one that looks at the number of its share is never idle."""
        slice_ = self._slices[unit[0]]
        if self._guarded[slice_.number]:
            return False
        own = [self._scans[name] for name, kind in slice_.scans if kind is Share.OWN]
        divided = any(self._motions[number].kind is MotionKind.REDISTRIBUTE for number in slice_.inputs)
        if not own and not divided:
            return False
        return not any(isinstance(scan, LakeScan) and self._reads(scan, unit[1]) for scan in own)

    @staticmethod
    def _reads(scan: LakeScan, share: int) -> bool:
        return bool(scan.own[share]) or (share == 0 and bool(scan.inlined))

    def _is_sparse(self, motion: Motion, arrived: int) -> bool:
        sender = self._slices[motion.sender]
        rows = arrived * self._segments if motion.kind is MotionKind.REDISTRIBUTE else arrived
        whole = max((self._scans[name].rows for name, _ in sender.scans), default=0)
        return is_sparse(sender.tree, rows, whole)

    def _text(self, slice_: SegmentSlice, scans: Mapping[str, str], share: int) -> str:
        """The tree becomes text once, unless it names its share."""
        if self._guarded[slice_.number]:
            numbered = {**self._constants, SHARE: exp.Literal.number(share)}
            return Body(_whole(slice_, with_constants(slice_.tree, numbered))).text(scans, {})
        body = self._bodies.get(slice_.number)
        if body is None:
            body = Body(_whole(slice_, with_constants(slice_.tree, self._constants)))
            self._bodies[slice_.number] = body
        return body.text(scans, {})


def _whole(slice_: SegmentSlice, tree: exp.Expression) -> Slice:
    return Slice(slice_.number, tree, (), (), ())


def _leave(motion: Motion, segments: int, constants: Mapping[str, exp.Expression]) -> Leave:
    if motion.kind is not MotionKind.REDISTRIBUTE or motion.destination is None:
        return Leave()
    return Leave(segments, duckdb_text(with_constants(motion.destination, constants)))


def _names_share(tree: exp.Expression) -> bool:
    return any(node.name == SHARE for node in tree.find_all(exp.Placeholder))


def _pairs(columns: Sequence[MotionColumn]) -> tuple[tuple[str, str], ...]:
    return tuple((column.name, column.duckdb_type) for column in columns)


def _columns(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, _TYPES[field.type]) for field in schema)
