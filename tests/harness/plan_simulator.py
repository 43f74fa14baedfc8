"""A cluster without processes: a DistributedPlan run slice by slice on n DuckDB connections, rows moved as Arrow.

It is stricter than a real one. Shares are skewed and some are empty; parts arrive in any order; the types and columns
of what leaves a slice must be those that its motion declares; a slice may name nothing that it does not list.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
from sqlglot import exp

from harness.plan_warehouse import Warehouse
from mere.plan.nodes import SHARE, DistributedPlan, Motion, MotionKind, SegmentSlice, Share, Where
from mere.sql.bind import BoundSelect, Scan, duckdb_text
from mere.sql.lexer import quote_identifier

Row = tuple[object, ...]


class BrokenPlan(AssertionError):
    """The plan breaks a rule of its own vocabulary, whatever its answer would be."""


@dataclass(frozen=True, slots=True)
class Part:
    sender: int
    target: int
    rows: pa.Table


@dataclass(slots=True)
class Run:
    """What a run gave: the rows, and how many went over each motion (a broadcast counts once per receiver)."""

    rows: list[Row] = field(default_factory=list)
    moved: dict[int, int] = field(default_factory=dict)


class Simulator:
    def __init__(self, warehouse: Warehouse, bound: BoundSelect, plan: DistributedPlan, seed: int = 0) -> None:
        self.warehouse = warehouse
        self.bound = bound
        self.scans = {scan.name: scan for scan in bound.scans}
        self.plan = plan
        self.seed = seed
        self._motions = {motion.number: motion for motion in plan.motions}
        self._leaving: dict[int, list[Motion]] = {}
        for motion in plan.motions:
            self._leaving.setdefault(motion.sender, []).append(motion)
        self._parts: dict[int, list[Part]] = {}
        self._moved: dict[int, int] = {}

    def run(self) -> Run:
        for slice_ in self.plan.slices:
            self._run_slice(slice_)
        root = self.plan.root
        if root.scans:
            raise BrokenPlan("the root reads scans; it runs over motions alone")
        numbers = self._read_motions(root.tree)
        if self.plan.plain and len(numbers) != 1:
            raise BrokenPlan(f"a plain root passes on one Gather, not {len(numbers)}")
        with self._place(None, (), numbers) as connection:
            result = connection.execute(duckdb_text(self.warehouse.filled(root.tree, self.bound)))
            names = [column[0] for column in result.description]
            wanted = [column.alias for column in root.columns]
            if [name.lower() for name in names] != [name.lower() for name in wanted]:
                raise BrokenPlan(f"the root gives {names} for {wanted}")
            rows = result.fetchall()
        if self.plan.plain:
            self._check_plain(numbers[0], rows)
        return Run(rows, dict(self._moved))

    def _check_plain(self, number: int, rows: Sequence[Row]) -> None:
        """What is passed on unread must be the answer already."""
        motion = self._motions[number]
        if motion.kind is not MotionKind.GATHER:
            raise BrokenPlan("a plain root over a motion that is no Gather")
        wanted = [column.alias.lower() for column in self.plan.root.columns]
        if [column.name.lower() for column in motion.columns] != wanted:
            raise BrokenPlan(f"a plain root over {motion.columns} for {wanted}")
        if sum(part.rows.num_rows for part in self._parts.get(number, ())) != len(rows):
            raise BrokenPlan("a plain root that changes the number of rows")

    # One slice.

    def _run_slice(self, slice_: SegmentSlice) -> None:
        numbers = self._read_motions(slice_.tree)
        if set(numbers) != set(slice_.inputs):
            raise BrokenPlan(f"slice {slice_.number} reads motions {numbers} and lists {slice_.inputs}")
        self._check_scans(slice_)
        shares: Sequence[int] = range(self.plan.segments) if slice_.where is Where.EVERY else (0,)
        for share in shares:
            with self._place(share, slice_.scans, numbers) as connection:
                for motion in self._leaving.get(slice_.number, ()):
                    self._send(connection, slice_, motion, share)

    def _check_scans(self, slice_: SegmentSlice) -> None:
        read = {table.name for table in slice_.tree.find_all(exp.Table) if table.name in self.scans}
        listed = {name for name, _ in slice_.scans}
        if read != listed:
            raise BrokenPlan(f"slice {slice_.number} reads scans {sorted(read)} and lists {sorted(listed)}")
        if slice_.where is Where.ONE:
            own = [name for name, share in slice_.scans if share is Share.OWN]
            if own:
                raise BrokenPlan(f"slice {slice_.number} runs once and reads only its own share of {own}")
            for number in slice_.inputs:
                if self._motions[number].kind is MotionKind.REDISTRIBUTE:
                    raise BrokenPlan(f"slice {slice_.number} runs once and reads one share of motion {number}")

    def _send(self, connection: duckdb.DuckDBPyConnection, slice_: SegmentSlice, motion: Motion, share: int) -> None:
        text = self._text(slice_.tree, share)
        described = [(row[0], row[1]) for row in connection.execute(f"DESCRIBE {text}").fetchall()]
        declared = [(column.name, column.duckdb_type) for column in motion.columns]
        if [(name.lower(), type_) for name, type_ in described] != [(name.lower(), type_) for name, type_ in declared]:
            raise BrokenPlan(f"motion {motion.number} declares {declared}, its slice gives {described}")
        if motion.kind is not MotionKind.REDISTRIBUTE:
            rows = connection.execute(text).to_arrow_table()
            receivers = self.plan.segments if motion.kind is MotionKind.BROADCAST else 1
            self._keep(motion, share, 0, rows, receivers)
            return
        if motion.destination is None:
            raise BrokenPlan(f"motion {motion.number} has no destination")
        destination = f"coalesce({duckdb_text(motion.destination)}, 0)"
        rows = connection.execute(
            f"SELECT *, ({destination})::BIGINT AS mere_destination FROM ({text}) AS mere_sent"
        ).to_arrow_table()
        targets = rows.column("mere_destination").to_numpy()
        if (targets < 0).any():
            raise BrokenPlan(f"motion {motion.number} has a negative destination")
        plain = rows.drop_columns(["mere_destination"])
        for target in range(self.plan.segments):
            self._keep(motion, share, target, plain.filter(pa.array(targets % self.plan.segments == target)), 1)

    def _keep(self, motion: Motion, share: int, target: int, rows: pa.Table, receivers: int) -> None:
        self._moved[motion.number] = self._moved.get(motion.number, 0) + rows.num_rows * receivers
        order = list(range(rows.num_rows))
        random.Random(f"{self.seed}/{motion.number}/{share}/{target}").shuffle(order)
        half = len(order) // 2
        for piece in (order[:half], order[half:]):
            self._parts.setdefault(motion.number, []).append(
                Part(share, target, rows.take(pa.array(piece, pa.int64())))
            )

    # What a slice finds.

    @contextmanager
    def _place(
        self, share: int | None, scans: Sequence[tuple[str, Share]], numbers: Sequence[int]
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own with scans and motions in it; `share` is None for the coordinator."""
        connection = self.warehouse.connection.cursor()
        try:
            for name, kind in scans:
                where = "true" if kind is Share.ALL else self._own(self.scans[name], share or 0)
                text = self.warehouse.scan_sql(self.scans[name], where)
                connection.execute(f"CREATE TEMP VIEW {quote_identifier(name)} AS {text}")
            for number in numbers:
                self._load(connection, self._motions[number], share)
            yield connection
        finally:
            connection.close()

    def _own(self, scan: Scan, share: int) -> str:
        """The condition for the rows of one share: by bucket, or at random but badly: skewed, one share without any."""
        table, segments = self.warehouse.tables[scan.relation.name], self.plan.segments
        key = table.hash_column
        if key is not None:
            bucket = f"(murmur3_32({quote_identifier(key)}) & 2147483647) % {table.buckets}"
            return f"coalesce({bucket}, 0) % {segments} = {share}"
        if segments == 1:
            return "true"
        filled = segments - 1 if segments > 2 else segments
        uniform = f"(hash(rowid, {self.seed}, '{table.name}') % 1000) / 1000.0::DOUBLE"
        drawn = f"floor({filled} * {uniform} * {uniform})::INTEGER"
        empty = (self.seed + len(table.name)) % segments if filled < segments else segments
        return f"{drawn} + ({drawn} >= {empty})::INTEGER = {share}"

    def _load(self, connection: duckdb.DuckDBPyConnection, motion: Motion, share: int | None) -> None:
        columns = ", ".join(f"{quote_identifier(column.name)} {column.duckdb_type}" for column in motion.columns)
        connection.execute(f"CREATE TEMP TABLE {quote_identifier(motion.table)} ({columns})")
        parts = [part for part in self._parts.get(motion.number, ()) if self._receives(motion, part, share)]
        random.Random(f"{self.seed}/{motion.number}/{share}").shuffle(parts)
        for part in parts:
            connection.register("mere_part", part.rows)
            connection.execute(f"INSERT INTO {quote_identifier(motion.table)} SELECT * FROM mere_part")
            connection.unregister("mere_part")

    def _receives(self, motion: Motion, part: Part, share: int | None) -> bool:
        if motion.kind is MotionKind.REDISTRIBUTE:
            if share is None:
                raise BrokenPlan("the coordinator receives gathers, no shares")
            return part.target == share
        if motion.kind is MotionKind.BROADCAST:
            return True
        return share is None or share == 0

    def _read_motions(self, tree: exp.Expression) -> list[int]:
        by_table = {motion.table: motion.number for motion in self.plan.motions}
        return sorted({by_table[table.name] for table in tree.find_all(exp.Table) if table.name in by_table})

    def _text(self, tree: exp.Expression, share: int) -> str:
        def replace(node: exp.Expression) -> exp.Expression:
            if isinstance(node, exp.Placeholder) and node.name == SHARE:
                return exp.Literal.number(share)
            return node

        return duckdb_text(self.warehouse.filled(tree, self.bound).transform(replace))


def simulate(warehouse: Warehouse, bound: BoundSelect, plan: DistributedPlan, seed: int = 0) -> Run:
    return Simulator(warehouse, bound, plan, seed).run()
