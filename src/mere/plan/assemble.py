"""Carries out what the search found: groups are joined, filtered and moved, one step after another.

Every join's place is checked by sides.py as it is made. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from mere.plan import sides
from mere.plan.columns import Ref, column, refs, substitute
from mere.plan.group import CROSS_LATERAL, LEFT_LATERAL, Group, Item, closed, from_clause, left_joined, merged, opened
from mere.plan.local import Local, Place, Spread
from mere.plan.parts import Parts
from mere.plan.rules import early_groups
from mere.plan.rules.semi_join_reduction import Arrived, arrived, reduce_by_arrived
from mere.plan.search import Move, Step, joined_place, mapped
from mere.plan.sides import Pair
from mere.plan.undivided import Undivided
from mere.plan.units import FILTER, JOIN, LATERAL, LEFT, Operand, Unit


@dataclass(slots=True)
class Assembly:
    """`arrived` are columns of rows that have moved so far."""

    parts: Parts
    arrived: list[Arrived] = field(default_factory=list)

    def built(self, step: Step, rows_of: Callable[[int], float]) -> tuple[Group, int]:
        unit = self.parts.units[step.unit]
        if step.before is None:
            return self.complete(unit.group), 1 << step.unit
        outer, mask = self.built(step.before, rows_of)
        outer = self._moved(outer, step.outer, self.parts.needed(outer.aliases), grouped=True)
        mask |= 1 << step.unit
        if step.outer is not None and step.outer.scheme is not None:
            self.arrived += arrived(outer, self.parts.known)
        if unit.kind == FILTER:
            for operand, move in zip(unit.operands, step.moves, strict=True):
                if move is not None and move.scheme is not None:
                    reduce_by_arrived(self.parts.planning, operand, self.arrived, outer.aliases, self.parts.equal)
        operands = [
            self._moved(
                operand.group,
                move,
                # What a query in an expression reads of its own FROM is read nowhere else.
                [*operand.needed, *(() if operand.body is not None else self.parts.needed(operand.group.aliases))],
                once=operand.exists,
                grouped=self._may_group(unit),
                on=unit.on,
            )
            for operand, move in zip(unit.operands, step.moves, strict=True)
        ]
        rows = rows_of(mask)
        if unit.kind == JOIN:
            return self.join(outer, operands[0], rows), mask
        if unit.kind == FILTER:
            return self.filter(outer, unit, operands), mask
        if unit.kind == LATERAL:
            return self._lateral(outer, unit, operands), mask
        place = self._place(unit, outer, unit.operands[0], operands[0])
        unit.applied = True
        joined = left_joined(outer, operands[0], unit.on, place, rows)
        return self.complete(joined), mask

    def _place(self, unit: Unit, outer: Group, operand: Operand, group: Group) -> Place:
        pairs = [(same, inner) for one, inner in operand.pairs or () for same in self.parts.equal(outer.aliases, one)]
        if operand.pairs is None and not group.replicated and outer.place.spread is Spread.PARTITIONED:
            raise Undivided("rows that belong together are apart")
        return _checked(joined_place(unit.kind, outer.place, group.place, pairs))

    def join(self, left: Group, right: Group, rows: float) -> Group:
        pairs = self.parts.pairs(left.aliases, right.aliases)
        place = _checked(sides.inner(left.place, right.place, pairs))
        joined = merged(left, right, place, rows)
        self._say_equal(left, right, joined)
        return self.complete(joined)

    def _say_equal(self, left: Group, right: Group, joined: Group) -> None:
        """Columns that are equal only by way of a third are compared where they meet."""
        for members_ in self.parts.classes.all():
            ours = [ref for ref in members_ if ref[0] in left.aliases]
            theirs = [ref for ref in members_ if ref[0] in right.aliases]
            if ours and theirs and not any(_joins(each.equality, ours, theirs) for each in self.parts.pending):
                joined.conditions.append(exp.EQ(this=column(ours[0]), expression=column(theirs[0])))

    def filter(self, outer: Group, unit: Unit, operands: Sequence[Group]) -> Group:
        place = outer.place
        for operand, group in zip(unit.operands, operands, strict=True):
            place = self._place(unit, Group([], place, 0, outer.aliases), operand, group)
            _fill(operand, group)
        outer.place = place
        outer.rows = max(outer.rows * unit.selectivity, 1.0)
        if unit.condition is not None:
            outer.conditions.append(unit.condition)
        unit.applied = True
        return outer

    def _lateral(self, outer: Group, unit: Unit, operands: Sequence[Group]) -> Group:
        place = outer.place
        for operand, group in zip(unit.operands, operands, strict=True):
            place = self._place(unit, Group([], place, 0, outer.aliases), operand, group)
            _fill(operand, group)
        assert unit.tree is not None
        on = unit.on[0] if unit.on else None
        item = Item(unit.tree, unit.aliases, LEFT_LATERAL if unit.left else CROSS_LATERAL, on)
        unit.applied = True
        whole = Group(
            [*outer.items, item], place, outer.rows, outer.aliases | unit.aliases, outer.conditions, outer.location
        )
        return self.complete(whole)

    def complete(self, group: Group) -> Group:
        """With every condition that can be tested now."""
        ready = [one for one in self.parts.pending if one.aliases <= group.aliases]
        if ready:
            group.conditions += [one.tree for one in ready]
            self.parts.pending = [one for one in self.parts.pending if not one.aliases <= group.aliases]
        group.place = mapped(group.place, self.parts.classes.all(), self.parts.known, group.aliases)
        return group

    def _moved(
        self,
        group: Group,
        move: Move | None,
        read: Sequence[Ref],
        *,
        once: bool = False,
        grouped: bool = False,
        on: Sequence[exp.Expression] = (),
    ) -> Group:
        """The group after a motion. `once`: equal rows count once; `grouped`: rows may be aggregated in part."""
        if move is None:
            return group
        early = self._grouped(group, [*refs(*on), *move.columns]) if grouped else None
        if early is None:
            wanted = dict.fromkeys([*read, *move.columns])
            needed = [ref for ref in wanted if ref[0] in group.aliases]
            local, given = closed(group, needed, self.parts.known, self.parts.planning.builder)
            if once and needed and self._repeats(needed, group.rows):
                local = _without_repeats(local)
        else:
            local, given = early
        if move.scheme is None:
            local = self.parts.planning.builder.broadcast(local)
        else:
            local = self.parts.planning.builder.redistribute(local, [given[ref] for ref in move.columns], move.scheme)
        found = opened(group, local, given, self.parts.known)
        found.place = mapped(found.place, self.parts.classes.all(), self.parts.known, found.aliases)
        return found

    def _grouped(self, group: Group, more: Sequence[Ref]) -> tuple[Local, dict[Ref, str]] | None:
        """Partial values of the aggregates above in place of what they read."""
        if self.parts.early is None or self.parts.early.parts:
            return None
        before, self.parts.above = self.parts.above, self.parts.early.rest
        # A condition on a nullable side alone waits until that is joined.
        waiting = [ref for condition in self.parts.pending for ref in condition.refs]
        read = dict.fromkeys([*self.parts.needed(group.aliases), *waiting, *more])
        keys = [ref for ref in read if ref[0] in group.aliases]
        made = early_groups.grouped(self.parts.planning, self.parts.early, group, keys)
        parts = {ref: None for refs_ in self.parts.early.parts.values() for ref in refs_}
        self.parts.above = before if made is None else self.parts.early.rest | parts
        return made

    def _may_group(self, unit: Unit) -> bool:
        """A row of an outer join without a match counts as one row: nothing moves that could say so."""
        early = self.parts.early
        return unit.kind == JOIN or (unit.kind == LEFT and early is not None and not early.counts_rows)

    def _repeats(self, columns: Sequence[Ref], rows: float) -> bool:
        """Are there many rows for each combination of values, on every segment?"""
        combinations = float(self.parts.planning.facts.segments)
        for ref in columns:
            combinations = min(combinations * self.parts.values(ref), 1e15)
        return combinations * 2 < rows

    def embedded(self, group: Group, needed: Sequence[Ref]) -> Group:
        """As one derived table, where it is."""
        local, given = closed(group, needed, self.parts.known, self.parts.planning.builder)
        return opened(group, local, given, self.parts.known)


def _without_repeats(local: Local) -> Local:
    tree = local.tree.copy()
    tree.set("distinct", exp.Distinct())
    return replace(local, tree=tree)


def _joins(equality: Pair | None, ours: Sequence[Ref], theirs: Sequence[Ref]) -> bool:
    if equality is None:
        return False
    one, other = equality
    return (one in ours and other in theirs) or (other in ours and one in theirs)


def _fill(operand: Operand, group: Group) -> None:
    """Writes the FROM and WHERE of a query in an expression."""
    assert operand.body is not None
    group.conditions += operand.conditions
    mapping = group.mapping()
    for key, value in operand.body.args.items():
        if key in ("from_", "joins", "where") or not value:
            continue
        for clause in value if isinstance(value, list) else [value]:
            if isinstance(clause, exp.Expression):
                substitute(clause, mapping)
    from_clause(group, operand.body)


def _checked(place: Place | None) -> Place:
    if place is None:
        raise Undivided("rows that belong together are apart")
    return place
