"""Collects the slices and motions of one plan while the rules cut a query into them. Coordinator process.

What a place allows, which every rule keeps:
 - A PARTITIONED tree runs on every segment, each over its share; its scans are read as `scan_place` says.
 - A REPLICATED tree gives the same rows on every segment, so any one may run it; it reads no share of anything.
 - A SINGLE tree is only right where one segment runs it over everything (Where.ONE), so it may name big scans whole.
   It may be joined with REPLICATED ones (the result is SINGLE), with PARTITIONED ones only after `once` or
   `broadcast`.
`once` gives what a PARTITIONED tree may hold: the rows on share 0, none elsewhere, by a test of the placeholder
$mere_share, which the dispatcher replaces by the number of the share (nodes.SHARE).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from sqlglot import exp

from mere.plan.column_types import column_types
from mere.plan.columns import every
from mere.plan.local import Facts, Hash, Local, Place, Spread
from mere.plan.nodes import (
    SHARE,
    DistributedPlan,
    Motion,
    MotionColumn,
    MotionKind,
    SegmentSlice,
    Share,
    Slice,
    Where,
    motion_table,
)
from mere.plan.schemes import bucket_scheme, canonical, destination, hash_scheme
from mere.plan.shared_motions import share_motions
from mere.plan.undivided import Undivided
from mere.sql.bind.bound import BoundSelect
from mere.sql.bind.output import duckdb_text
from mere.sql.types import duckdb_type

REPLICATED = Place(Spread.REPLICATED)
SINGLE = Place(Spread.SINGLE)
PARTITIONED = Place(Spread.PARTITIONED)

# What may differ between two runs over the same rows: sums of floats, the order of equals, samples.
_UNSTABLE = (exp.AggFunc, exp.Window, exp.Limit, exp.Offset, exp.Distinct, exp.TableSample, exp.Anonymous)
_CHOOSING = frozenset(
    {"any_value", "arbitrary", "arg_max", "arg_min", "array_agg", "first", "last", "list", "mode", "string_agg"}
)
_FEW = 2_000
# A STRUCT whose fields have no names, as ROW(...) makes: no table can have such a column.
_UNDECLARABLE = re.compile(r"STRUCT\((?:\w+[,()\[]|(?:TIME|TIMESTAMP) WITH )")
_WIDTHS = {"BOOLEAN": 1, "TINYINT": 1, "SMALLINT": 2, "INTEGER": 4, "FLOAT": 4, "DATE": 4, "HUGEINT": 16, "UUID": 16}


@dataclass(slots=True)
class Builder:
    """`motions` and the slices that send them, in an order in which they can run; motion n is what slice n sends."""

    facts: Facts
    slices: list[SegmentSlice] = field(default_factory=list)
    motions: list[Motion] = field(default_factory=list)
    _described: dict[str, tuple[MotionColumn, ...]] = field(default_factory=dict)
    _texts: dict[int, tuple[exp.Expression, str]] = field(default_factory=dict)

    # Trees

    def local(
        self,
        tree: exp.Expression,
        place: Place,
        rows: float,
        columns: tuple[MotionColumn, ...] | None = None,
    ) -> Local:
        """A closed query; `columns` saves asking the engine for their types where those are known."""
        return Local(tree, place, partial(self.describe, tree) if columns is None else columns, max(rows, 0.0))

    def describe(self, tree: exp.Expression) -> tuple[MotionColumn, ...]:
        """The columns of a query, of the engine where they are not plain."""
        if (known := column_types(tree, self._columns_of)) is not None:
            return known
        text = self.text(tree)
        if text not in self._described:
            inputs = self.motions_in(tree)
            tables = {motion_table(number): self.motions[number - 1].columns for number in inputs}
            self._described[text] = self.facts.types(tree, tables, text)
        return self._described[text]

    def _columns_of(self, table: str) -> tuple[MotionColumn, ...] | None:
        if (scan := self.facts.scans.get(table)) is not None:
            return tuple(MotionColumn(each.name, duckdb_type(each.type) or "VARCHAR") for each in scan.columns)
        return next((motion.columns for motion in self.motions if motion.table == table), None)

    def text(self, tree: exp.Expression) -> str:
        """The text of a tree that changes no more, made once."""
        known = self._texts.get(id(tree))
        if known is None:
            known = self._texts[id(tree)] = (tree, duckdb_text(tree))
        return known[1]

    def scan_place(self, name: str) -> Place:
        """Where the rows of a scan lie when each segment reads what is its own."""
        statistics = self.facts.statistics[name]
        if self.scan_share(name) is Share.ALL:
            return REPLICATED
        if statistics.hash_column is None or statistics.buckets <= 0:
            return PARTITIONED
        for column in self.facts.scans[name].columns:
            if column.name == statistics.hash_column:
                scheme = bucket_scheme(duckdb_type(column.type), statistics.buckets)
                return Place(Spread.PARTITIONED, frozenset({Hash((column.name,), scheme)}))
        return PARTITIONED

    def scan_share(self, name: str) -> Share:
        """How a slice on every segment reads a scan: small ones whole, straight from storage."""
        statistics = self.facts.statistics[name]
        if statistics.replicated or statistics.coordinator or statistics.rows <= self.facts.read_everywhere_rows:
            return Share.ALL
        return Share.OWN

    # Motions

    def redistribute(self, local: Local, keys: Sequence[str], scheme: str | None = None) -> Local:
        """The rows by the values of `keys`, aliases of its columns; PARTITIONED, hashed on them.

        `scheme` makes them meet another relation (schemes.py); without one, what meets others of the same types.
        """
        types = [column_type(local, key) for key in keys]
        chosen = hash_scheme(types) if scheme is None else scheme
        wanted = Hash(tuple(keys), chosen)
        if local.place.spread is Spread.PARTITIONED and wanted in local.place.hashes:
            return local
        place = Place(Spread.PARTITIONED, frozenset({wanted}))
        where = destination([_column(key) for key in keys], types, chosen)
        if local.place.spread is Spread.REPLICATED and _stable(local.tree):
            share = exp.Mod(this=exp.Paren(this=where), expression=exp.Literal.number(self.facts.segments))
            return replace(_filtered(local, exp.EQ(this=share, expression=share_number())), place=place)
        return self._moved(local, MotionKind.REDISTRIBUTE, place, where, tuple(keys))

    def broadcast(self, local: Local) -> Local:
        """All rows on every segment."""
        if local.place.spread is Spread.REPLICATED:
            return local
        if local.place.spread is Spread.SINGLE and (made := self._merged_everywhere(local)) is not None:
            return made
        return self._moved(local, MotionKind.BROADCAST, REPLICATED)

    def gather(self, local: Local) -> Local:
        """All rows on one segment: SINGLE."""
        if local.place.spread is Spread.PARTITIONED:
            return self._moved(local, MotionKind.GATHER, SINGLE)
        return replace(local, place=SINGLE)

    def once(self, local: Local) -> Local:
        """The rows counted once by a tree that runs on every segment: PARTITIONED, all on share 0."""
        if local.place.spread is Spread.PARTITIONED:
            return local
        if local.place.spread is Spread.SINGLE and self._reads_shares(local.tree):
            local = self._moved(local, MotionKind.GATHER, SINGLE)
        first = exp.EQ(this=share_number(), expression=exp.Literal.number(0))
        return replace(_filtered(local, first), place=PARTITIONED)

    def sent(
        self,
        local: Local,
        kind: MotionKind,
        where: exp.Expression | None = None,
        keys: tuple[str, ...] = (),
    ) -> Motion:
        """`local` as a slice of its own, and the motion that it sends. Of several that are the same one is left in the
        end (shared_motions.py)."""
        columns = local.columns
        if any(_UNDECLARABLE.search(column.duckdb_type) for column in columns):
            raise Undivided("a row without names for its fields")
        number = len(self.slices) + 1
        self.slices.append(self._slice(number, local, local.place.spread is Spread.PARTITIONED))
        order = local.order if kind is MotionKind.GATHER else ()
        self.motions.append(Motion(number, kind, number, columns, where, keys, order))
        return self.motions[-1]

    def received(self, motion: Motion, place: Place, rows: float) -> Local:
        """What the motion brings, as a query."""
        projections: list[exp.Expression] = [
            exp.Alias(this=_column(column.name), alias=exp.to_identifier(column.name, quoted=True))
            for column in motion.columns
        ]
        tree = exp.Select(expressions=projections, from_=exp.From(this=exp.to_table(motion.table)))
        return Local(tree, place, motion.columns, rows)

    # The end

    def finish(self, tree: exp.Expression, query: BoundSelect, *, plain: bool = False) -> DistributedPlan:
        """The plan whose root is `tree`, over motions; what it does not need is left out."""
        needed = set(motions_in(tree))
        for slice_ in reversed(self.slices):
            if slice_.number in needed:
                needed.update(slice_.inputs)
        slices = [slice_ for slice_ in self.slices if slice_.number in needed]
        motions = [motion for motion in self.motions if motion.number in needed]
        kept = motions_in(tree)[0] if plain else None
        shared = share_motions(slices, motions, tree, self.facts.scans, kept=kept)
        root = Slice(0, shared.root, query.columns, (), query.constants)
        return DistributedPlan(shared.slices, shared.motions, root, self.facts.segments, plain=plain)

    def _moved(
        self,
        local: Local,
        kind: MotionKind,
        place: Place,
        where: exp.Expression | None = None,
        keys: tuple[str, ...] = (),
    ) -> Local:
        return self.received(self.sent(local, kind, where, keys), place, local.rows)

    def _merged_everywhere(self, local: Local) -> Local | None:
        """The last step over a few gathered rows (an average of parts, mostly), done by every segment over the same
        rows instead of by one for all: a step less. None where the steps might differ."""
        gathered = [self.motions[number - 1] for number in self.motions_in(local.tree)]
        senders = [self.slices[motion.sender - 1] for motion in gathered]
        if self.scans_in(local.tree) or not gathered or sum(slice_.rows for slice_ in senders) > _FEW:
            return None
        if any(motion.kind is not MotionKind.GATHER for motion in gathered) or not _exact(local.tree, gathered):
            return None
        names = {}
        for motion, slice_ in zip(gathered, senders, strict=True):
            place = PARTITIONED if slice_.where is Where.EVERY else SINGLE
            sender = Local(slice_.tree, place, motion.columns, slice_.rows)
            names[motion.table] = self.sent(sender, MotionKind.BROADCAST).table
        tree = local.tree.copy()
        for table in every(tree, exp.Table):
            if table.name in names:
                table.set("this", exp.to_identifier(names[table.name]))
        return replace(local, tree=tree, place=REPLICATED, order=())

    def _slice(self, number: int, local: Local, every: bool) -> SegmentSlice:
        scans = {name: self.scan_share(name) if every else Share.ALL for name in self.scans_in(local.tree)}
        where = Where.EVERY if every else Where.ONE
        return SegmentSlice(
            number, _collected(local.tree), where, tuple(scans.items()), tuple(self.motions_in(local.tree)), local.rows
        )

    def scans_in(self, tree: exp.Expression) -> list[str]:
        names = dict.fromkeys(table.name for table in every(tree, exp.Table))
        return [name for name in names if name in self.facts.scans]

    def motions_in(self, tree: exp.Expression) -> list[int]:
        return motions_in(tree)

    def _reads_shares(self, tree: exp.Expression) -> bool:
        return any(self.scan_share(name) is Share.OWN for name in self.scans_in(tree))


def motions_in(tree: exp.Expression) -> list[int]:
    """The numbers of the motions that a tree reads."""
    prefix = motion_table(0)[:-1]
    names = dict.fromkeys(table.name for table in every(tree, exp.Table))
    return sorted(int(name[len(prefix) :]) for name in names if name.startswith(prefix))


def share_number() -> exp.Expression:
    return exp.Placeholder(this=SHARE)


def column_type(local: Local, name: str) -> str:
    return next(column.duckdb_type for column in local.columns if column.name == name)


def column_width(duckdb_type: str) -> float:
    """Bytes a value takes in memory, guessed from its type."""
    name = canonical(duckdb_type) if duckdb_type.startswith("U") else duckdb_type
    if name.endswith("]") or name.startswith(("STRUCT", "MAP", "VARCHAR", "BLOB", "JSON")):
        return 24
    if name.startswith("DECIMAL"):
        digits = int(name[8:].partition(",")[0])
        return 4 if digits <= 9 else 8 if digits <= 18 else 16
    return _WIDTHS.get(name, 8)


def _column(name: str) -> exp.Column:
    return exp.Column(this=exp.to_identifier(name, quoted=True))


def _stable(tree: exp.Expression) -> bool:
    return tree.find(*_UNSTABLE) is None


def _exact(tree: exp.Expression, read: Sequence[Motion]) -> bool:
    """Whether the same rows in any order give the same answer: sums of floats do not, nor does a choice of rows."""
    floats = any(name in column.duckdb_type for one in read for column in one.columns for name in ("FLOAT", "DOUBLE"))
    chosen = tree.find(exp.Window, exp.Limit, exp.Offset, exp.Distinct, exp.TableSample, exp.Placeholder)
    functions = {str(call.this).lower() for call in every(tree, exp.Anonymous)}
    return not floats and chosen is None and not functions & _CHOOSING


def _filtered(local: Local, condition: exp.Expression) -> Local:
    """The rows of a local that pass, under the same aliases."""
    inner = exp.Subquery(this=local.tree.copy(), alias=exp.TableAlias(this=exp.to_identifier("mere_all")))
    projections: list[exp.Expression] = [
        exp.Alias(this=_column(name), alias=exp.to_identifier(name, quoted=True)) for name in local.names
    ]
    tree = exp.Select(expressions=projections, from_=exp.From(this=inner), where=exp.Where(this=condition))
    return replace(local, tree=tree, order=())


def _collected(tree: exp.Expression) -> exp.Expression:
    """A UNION that streams out of a slice is collected first.

    DuckDB 1.5.5 with one thread waits for ever when the members of a UNION ALL end in DISTINCT or a join's unmatched
    rows, and the stream that they fill together is full.
    """
    if tree.find(exp.Union) is None or _collects(tree):
        return tree
    name = exp.to_identifier("mere_collected")
    common = exp.CTE(this=tree.copy(), alias=exp.TableAlias(this=name), materialized=True)
    return exp.Select(
        expressions=[exp.Star()],
        from_=exp.From(this=exp.to_table("mere_collected")),
        with_=exp.With(expressions=[common]),
    )


def _collects(tree: exp.Expression) -> bool:
    """Does the query end in a step that takes in all rows before it gives one?"""
    return any(tree.args.get(key) for key in ("group", "order"))
