"""Plans one FROM and WHERE: members, conditions and queries in them become one group that runs in a slice.

Grounds the members, lets each have its own conditions, joins small ones at once, has the rest searched for an order,
and carries out what was found. Every join's place is checked by sides.py as it is made. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from mere.plan import sides
from mere.plan.block import Cluster, FullJoin, LateralJoin, LeftJoin, Member
from mere.plan.columns import Ref, aliases, column, common_conjuncts, queries_in, ref_of, refs, substitute
from mere.plan.estimate import after_filter, all_of, selectivity
from mere.plan.group import (
    CROSS_LATERAL,
    LEFT_LATERAL,
    Group,
    Item,
    closed,
    from_clause,
    left_joined,
    merged,
    opened,
    plain,
)
from mere.plan.local import Local, Place, Spread
from mere.plan.planning import Planning
from mere.plan.rules import full_join, members, subqueries
from mere.plan.rules.implied import implied
from mere.plan.rules.semi_join_reduction import (
    Arrived,
    Source,
    arrived,
    reduce_by_arrived,
    reduce_operands,
    source,
)
from mere.plan.schemes import common
from mere.plan.search import Move, Problem, Step, joined_place, mapped, search
from mere.plan.sides import Pair, name
from mere.plan.undivided import Undivided
from mere.plan.units import FILTER, JOIN, LATERAL, LEFT, Classes, Condition, Operand, Unit

_FEW_GROUPS = 10_000.0


class Arrangement:
    """`above` is what is read of the FROM elsewhere; `extra` units belong to queries above it; `wanted` are columns
    that groups go by."""

    def __init__(
        self,
        planning: Planning,
        cluster: Cluster,
        above: Iterable[Ref],
        extra: Sequence[Unit] = (),
        wanted: Sequence[Ref] = (),
    ) -> None:
        self.planning = planning
        self.cluster = cluster
        self.known = planning.known
        self.above = dict.fromkeys(above)
        for unit in extra:
            self.above |= refs(*(condition for operand in unit.operands for condition in operand.conditions))
        self.wanted = {name(ref) for ref in wanted}
        self.wanted_refs = wanted
        self.classes = Classes()
        self.pending: list[Condition] = []
        self.constant: list[exp.Expression] = []
        self.extra = tuple(extra)
        self.units: list[Unit] = [*extra]
        self.applied: set[int] = set()  # by id()
        self.sources: list[Source] = []
        self.arrived: list[Arrived] = []

    def arranged(self) -> Group:
        conditions = [*self.cluster.conditions]
        for condition in self.cluster.conditions:
            if not any(True for _ in queries_in(condition)):
                conditions += common_conjuncts(condition)
                conditions += implied(condition)
        with_queries = [one for one in conditions if any(True for _ in queries_in(one))]
        simple = [one for one in conditions if not any(one is other for other in with_queries)]
        groups = self._members(simple)
        self.units += [self._other(other) for other in self.cluster.others]
        self._read_conditions(simple)
        for group in groups:  # where nothing can pass, nothing is worked out, and nothing fails
            group.conditions += [condition.copy() for condition in self.constant]
        for condition in with_queries:
            self.units.append(subqueries.filter_unit(self.planning, condition, self.cluster.names))
        self.units = [Unit(JOIN, [self._operand(group)], group.aliases) for group in groups] + self.units
        names = self.cluster_names
        reduce_operands(self.planning, self.units, self.sources, lambda ref: self._equal(names, ref))
        self._fold()
        group = self._searched()
        group.conditions += self.constant
        group.place = mapped(group.place, self.classes.all(), self.known, group.aliases)
        return group

    # Conditions

    def _read_conditions(self, conditions: Sequence[exp.Expression]) -> None:
        """Those that are not a member's own wait until all that they read is there."""
        names = self.cluster.names
        own = [member.names if isinstance(member, FullJoin) else {member.alias} for member in self.cluster.members]
        for condition in conditions:
            found = aliases(condition)
            if not found <= names:
                raise Undivided("a condition on the query around a FROM")
            if isinstance(condition, exp.Boolean) and condition.this:
                continue
            if not found:
                self.constant.append(condition)
            elif not any(found <= one for one in own):
                equality = self._equality(condition)
                if equality is not None and not self._comparable(*equality):
                    equality = None
                if equality is not None:
                    self.classes.unite(*equality)
                share = selectivity(condition, self.known.statistics)
                self.pending.append(Condition(condition, frozenset(found), share, equality))

    def _equality(self, condition: exp.Expression) -> Pair | None:
        if not isinstance(condition, exp.EQ):
            return None
        left, right = ref_of(condition.this), ref_of(condition.expression)
        return None if left is None or right is None or left[0] == right[0] else (left, right)

    def _comparable(self, one: Ref, other: Ref) -> bool:
        types = [self.known.types.get(one, "?"), self.known.types.get(other, "??")]
        return common(types) is not None

    # Members

    def _members(self, simple: Sequence[exp.Expression]) -> list[Group]:
        groups = []
        for member in self.cluster.members:
            if isinstance(member, FullJoin):
                group = full_join.full_join(self.planning, member, self._outside())
                own = [one for one in simple if (found := aliases(one)) and found <= group.aliases]
            else:
                own = [one for one in simple if aliases(one) == {member.alias}]
                used = {ref[1] for ref in self._outside() if ref[0] == member.alias}
                group, own = members.grounded(self.planning, member, own, used)
            rows = group.rows
            groups.append(self._filtered(group, own))
            if isinstance(member, Member) and (found_source := source(group, own, rows)) is not None:
                self.sources.append(found_source)
        return groups

    def _filtered(self, group: Group, own: Sequence[exp.Expression]) -> Group:
        rows = group.rows
        group.conditions += own
        group.rows = max(rows * all_of(list(own), self.known.statistics), 1.0)
        if group.rows < rows:
            for ref, found in list(self.known.statistics.items()):
                if ref[0] in group.aliases:
                    distinct = after_filter(found.distinct, group.rows, rows)
                    self.known.statistics[ref] = type(found)(distinct, found.width, found.low, found.high)
        return group

    def _outside(self) -> dict[Ref, None]:
        """All that is read of the members anywhere."""
        found = dict(self.above)
        for condition in self.cluster.conditions:
            found |= refs(condition)
        for other in self.cluster.others:
            if isinstance(other, LeftJoin):
                found |= refs(*other.on)
                found |= _inside(other.nullable)
            else:
                found |= refs(other.tree, other.on)
        for member in self.cluster.members:
            if isinstance(member, FullJoin):
                found |= refs(*member.on)
        for unit in self.units:
            found |= self._unit_refs(unit)
        return found

    def _operand(self, group: Group) -> Operand:
        needed = self._needed(group.aliases)
        return Operand(group, [], needed, self.known.width(needed))

    def _other(self, other: LeftJoin | LateralJoin) -> Unit:
        if isinstance(other, LateralJoin):
            return subqueries.lateral_unit(self.planning, other, self.cluster.names)
        if any(True for condition in other.on for _ in queries_in(condition)):
            raise Undivided("a subquery in the condition of an outer join")
        outside = self._outside()
        inside = other.nullable.names
        group = Arrangement(self.planning, other.nullable, outside).arranged()
        pairs = []
        for condition in other.on:
            equality = self._equality(condition)
            if equality is None:
                continue
            outer, inner = equality if equality[1][0] in inside else equality[::-1]
            if inner[0] in inside and outer[0] not in inside and self._comparable(outer, inner):
                pairs.append((outer, inner))
        needed = [ref for ref in outside if ref[0] in group.aliases]
        operand = Operand(group, pairs or None, needed, self.known.width(needed))
        if not plain(group):
            operand.group = self._embedded(group, needed)
        return Unit(LEFT, [operand], group.aliases, frozenset(other.requires), on=other.on)

    # What a part of the join must give to the rest

    def _needed(self, present: frozenset[str]) -> list[Ref]:
        found = dict(self.above)
        for unit in self.extra:
            found |= self._unit_refs(unit)
        for condition in self.pending:
            if not condition.aliases <= present:
                found |= refs(condition.tree)
        for unit in self.units:
            if id(unit) not in self.applied and not (unit.aliases and unit.aliases <= present):
                found |= self._unit_refs(unit)
        for members_ in self.classes.all():
            if any(ref[0] not in present for ref in members_):
                found |= dict.fromkeys(members_)
        return [ref for ref in found if ref[0] in present]

    def _unit_refs(self, unit: Unit) -> dict[Ref, None]:
        found = refs(*unit.on, unit.condition, unit.tree)
        for operand in unit.operands:
            found |= refs(operand.body, *operand.conditions)
            found |= dict.fromkeys(outer for outer, _ in operand.pairs or ())
        return found

    # Small members first

    def _fold(self) -> None:
        """A member that every segment has joins a larger one at once, and free filters are applied."""
        changed = True
        while changed:
            changed = self._fold_filter() or self._fold_member()

    def _fold_filter(self) -> bool:
        for unit in self.units:
            if unit.kind == FILTER and all(_replicated(operand.group.place) for operand in unit.operands):
                for target in self.units:
                    if target.kind == JOIN and unit.requires <= target.aliases:
                        self._replace(
                            [target, unit], self._filter(target.group, unit, [o.group for o in unit.operands])
                        )
                        return True
        return False

    def _fold_member(self) -> bool:
        best: tuple[float, Unit, Unit] | None = None
        divided = any(one.kind == JOIN and not _replicated(one.group.place) for one in self.units)
        for small in self.units:
            if small.kind != JOIN or not _replicated(small.group.place):
                continue
            for large in self.units:
                if large is small or large.kind != JOIN or not self._linked(large.aliases, small.aliases):
                    continue
                if divided and _replicated(large.group.place) and large.group.rows < small.group.rows:
                    continue
                factor = self._factor(large, small)
                if factor > 1.5 and not _replicated(large.group.place):
                    continue
                gain = large.group.rows * (1.0 - factor)
                if best is None or gain > best[0]:
                    best = gain, large, small
        if best is None:
            return False
        _, large, small = best
        rows = large.group.rows * self._factor(large, small)
        self._replace([large, small], self._join(large.group, small.group, rows))
        return True

    def _replace(self, old: list[Unit], group: Group) -> None:
        self.units = [unit for unit in self.units if not any(unit is one for one in old)]
        self.units.insert(0, Unit(JOIN, [self._operand(group)], group.aliases))

    def _linked(self, one: frozenset[str], other: frozenset[str]) -> bool:
        """Is there a condition between the two that needs no third?"""
        both = one | other
        if any(each.aliases <= both and each.aliases & one and each.aliases & other for each in self.pending):
            return True
        return any(
            any(ref[0] in one for ref in refs_) and any(ref[0] in other for ref in refs_)
            for refs_ in self.classes.all()
        )

    def _factor(self, one: Unit, other: Unit) -> float:
        """By how much joining the other changes the number of rows."""
        return self._joined_rows(one.group.rows, one.aliases, other) / max(one.group.rows, 1.0)

    def _joined_rows(self, rows: float, present: frozenset[str], other: Unit) -> float:
        divisors = []
        for members_ in self.classes.all():
            ours = [self._values(ref) for ref in members_ if ref[0] in present]
            theirs = [self._values(ref) for ref in members_ if ref[0] in other.aliases]
            if ours and theirs:
                divisors.append((min(min(ours), rows), min(min(theirs), other.group.rows)))
        result = rows * other.group.rows
        if len(divisors) == 1:
            result /= max(divisors[0])
        elif divisors:
            one, two = 1.0, 1.0
            for first, second in divisors:
                one, two = one * first, two * second
            one, two = min(one, rows), min(two, other.group.rows)
            result /= max((max(one, two) * min(one, two)) ** 0.5, *(max(pair) for pair in divisors))
        both = present | other.aliases
        for condition in self.pending:
            if condition.equality is not None or not condition.aliases <= both:
                continue
            if condition.aliases & present and condition.aliases & other.aliases:
                result *= condition.selectivity
        return max(result, 1.0)

    def _values(self, ref: Ref) -> float:
        found = self.known.statistics.get(ref)
        return max(found.distinct, 1.0) if found is not None else 100.0

    # The search

    def _searched(self) -> Group:
        joins = [unit for unit in self.units if unit.kind == JOIN]
        if not joins:
            joins = [Unit(JOIN, [self._operand(members.one_row(self.planning))], frozenset())]
            self.units = joins + self.units
        if len(self.units) == 1:
            return self._complete(self.units[0].group)
        rows: dict[int, float] = {}
        widths: dict[int, float] = {}

        def present(mask: int) -> frozenset[str]:
            return frozenset().union(*(unit.aliases for place, unit in enumerate(self.units) if mask >> place & 1))

        def rows_of(mask: int) -> float:
            if mask not in rows:
                rows[mask] = self._rows(mask)
            return rows[mask]

        def width_of(mask: int) -> float:
            if mask not in widths:
                widths[mask] = self.known.width(self._needed(present(mask)))
            return widths[mask]

        step = search(
            Problem(
                self.units,
                self.known,
                self.planning.facts.segments,
                rows_of,
                width_of,
                lambda mask, number: self._pairs(present(mask), self.units[number].aliases),
                lambda mask, ref: self._equal(present(mask), ref),
                lambda mask, number: self._linked(present(mask), self.units[number].aliases),
                self._final,
            )
        )
        return self._complete(self._built(step, rows_of)[0])

    def _rows(self, mask: int) -> float:
        chosen = [unit for place, unit in enumerate(self.units) if mask >> place & 1]
        joins = sorted((unit for unit in chosen if unit.kind == JOIN), key=lambda unit: -unit.group.rows)
        present, rows = joins[0].aliases, joins[0].group.rows
        waiting = joins[1:]
        while waiting:
            unit = next((one for one in waiting if self._linked(present, one.aliases)), waiting[0])
            waiting.remove(unit)
            rows = self._joined_rows(rows, present, unit)
            present |= unit.aliases
        for unit in chosen:
            if unit.kind == LEFT:
                matches = [
                    max(self._values(outer), self._values(inner)) for outer, inner in unit.operands[0].pairs or ()
                ]
                rows = max(rows, rows * unit.group.rows / max([*matches, 1.0]))
            elif unit.kind != JOIN:
                rows *= unit.selectivity
        return max(rows, 1.0)

    def _pairs(self, one: frozenset[str], other: frozenset[str]) -> list[Pair]:
        """Columns of both that are equal where they are joined, and comparable in one type."""
        return [
            (ours, theirs)
            for members_ in self.classes.all()
            for ours in members_
            if ours[0] in one
            for theirs in members_
            if theirs[0] in other and self._comparable(ours, theirs)
        ]

    def _equal(self, present: frozenset[str], ref: Ref) -> list[Ref]:
        root = self.classes.root(ref)
        for members_ in self.classes.all():
            if self.classes.root(members_[0]) == root:
                return [one for one in members_ if one[0] in present and self._comparable(one, ref)]
        return [ref]

    def _final(self, place: Place, rows: float) -> float:
        """What the groups above cost when this is where the rows are."""
        if not self.wanted or place.spread is not Spread.PARTITIONED:
            return 0.0
        found = mapped(place, self.classes.all(), self.known, self.cluster_names)
        if any(not one.everywhere_null and set(one.columns) <= self.wanted for one in found.hashes):
            return 0.0
        groups = 1.0
        for ref in self.wanted_refs:
            groups = min(groups * self._values(ref), 1e15)
        groups = min(rows, groups * self.planning.facts.segments)
        return 0.0 if groups <= _FEW_GROUPS else groups * 40.0

    @property
    def cluster_names(self) -> frozenset[str]:
        return frozenset(self.cluster.names)

    # Carrying it out

    def _built(self, step: Step, rows_of) -> tuple[Group, int]:  # type: ignore[no-untyped-def]
        unit = self.units[step.unit]
        if step.before is None:
            return self._complete(unit.group), 1 << step.unit
        outer, mask = self._built(step.before, rows_of)
        outer = self._moved(outer, step.outer, self._needed(outer.aliases))
        mask |= 1 << step.unit
        if step.outer is not None and step.outer.scheme is not None:
            self.arrived += arrived(outer, self.known)
        if unit.kind == FILTER:
            for operand, move in zip(unit.operands, step.moves, strict=True):
                if move is not None and move.scheme is not None:
                    reduce_by_arrived(self.planning, operand, self.arrived, outer.aliases, self._equal)
        operands = [
            self._moved(
                operand.group,
                move,
                # What a query in an expression reads of its own FROM is read nowhere else.
                [*operand.needed, *(() if operand.body is not None else self._needed(operand.group.aliases))],
                once=operand.exists,
            )
            for operand, move in zip(unit.operands, step.moves, strict=True)
        ]
        rows = rows_of(mask)
        if unit.kind == JOIN:
            return self._join(outer, operands[0], rows), mask
        if unit.kind == FILTER:
            return self._filter(outer, unit, operands), mask
        if unit.kind == LATERAL:
            return self._lateral(outer, unit, operands), mask
        place = self._place(unit, outer, unit.operands[0], operands[0])
        self.applied.add(id(unit))
        joined = left_joined(outer, operands[0], unit.on, place, rows)
        return self._complete(joined), mask

    def _place(self, unit: Unit, outer: Group, operand: Operand, group: Group) -> Place:
        pairs = [(same, inner) for one, inner in operand.pairs or () for same in self._equal(outer.aliases, one)]
        if operand.pairs is None and not _replicated(group.place) and outer.place.spread is Spread.PARTITIONED:
            raise Undivided("rows that belong together are apart")
        return _checked(joined_place(unit.kind, outer.place, group.place, pairs))

    def _join(self, left: Group, right: Group, rows: float) -> Group:
        pairs = self._pairs(left.aliases, right.aliases)
        place = _checked(sides.inner(left.place, right.place, pairs))
        joined = merged(left, right, place, rows)
        self._say_equal(left, right, joined)
        return self._complete(joined)

    def _say_equal(self, left: Group, right: Group, joined: Group) -> None:
        """Columns that are equal only by way of a third are compared where they meet."""
        for members_ in self.classes.all():
            ours = [ref for ref in members_ if ref[0] in left.aliases]
            theirs = [ref for ref in members_ if ref[0] in right.aliases]
            if ours and theirs and not any(_joins(each.equality, ours, theirs) for each in self.pending):
                joined.conditions.append(exp.EQ(this=column(ours[0]), expression=column(theirs[0])))

    def _filter(self, outer: Group, unit: Unit, operands: Sequence[Group]) -> Group:
        place = outer.place
        for operand, group in zip(unit.operands, operands, strict=True):
            place = self._place(unit, Group([], place, 0, outer.aliases), operand, group)
            _fill(operand, group)
        outer.place = place
        outer.rows = max(outer.rows * unit.selectivity, 1.0)
        if unit.condition is not None:
            outer.conditions.append(unit.condition)
        self.applied.add(id(unit))
        return outer

    def _lateral(self, outer: Group, unit: Unit, operands: Sequence[Group]) -> Group:
        place = outer.place
        for operand, group in zip(unit.operands, operands, strict=True):
            place = self._place(unit, Group([], place, 0, outer.aliases), operand, group)
            _fill(operand, group)
        assert unit.tree is not None
        on = unit.on[0] if unit.on else None
        item = Item(unit.tree, unit.aliases, LEFT_LATERAL if unit.left else CROSS_LATERAL, on)
        self.applied.add(id(unit))
        whole = Group(
            [*outer.items, item], place, outer.rows, outer.aliases | unit.aliases, outer.conditions, outer.location
        )
        return self._complete(whole)

    def _complete(self, group: Group) -> Group:
        """With every condition that can be tested now."""
        ready = [one for one in self.pending if one.aliases <= group.aliases]
        if ready:
            group.conditions += [one.tree for one in ready]
            self.pending = [one for one in self.pending if not one.aliases <= group.aliases]
        group.place = mapped(group.place, self.classes.all(), self.known, group.aliases)
        return group

    def _moved(self, group: Group, move: Move | None, read: Sequence[Ref], *, once: bool = False) -> Group:
        if move is None:
            return group
        wanted = dict.fromkeys([*read, *move.columns])
        needed = [ref for ref in wanted if ref[0] in group.aliases]
        local, given = closed(group, needed, self.known, self.planning.builder)
        if once and needed and self._repeats(needed, group.rows):
            local = _without_repeats(local)
        if move.scheme is None:
            local = self.planning.builder.broadcast(local)
        else:
            local = self.planning.builder.redistribute(local, [given[ref] for ref in move.columns], move.scheme)
        found = opened(group, local, given, self.known)
        found.place = mapped(found.place, self.classes.all(), self.known, found.aliases)
        return found

    def _repeats(self, columns: Sequence[Ref], rows: float) -> bool:
        """Are there many rows for each combination of values, on every segment?"""
        combinations = float(self.planning.facts.segments)
        for ref in columns:
            combinations = min(combinations * self._values(ref), 1e15)
        return combinations * 2 < rows

    def _embedded(self, group: Group, needed: Sequence[Ref]) -> Group:
        """As one derived table, where it is."""
        local, given = closed(group, needed, self.known, self.planning.builder)
        return opened(group, local, given, self.known)


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


def _inside(cluster: Cluster) -> dict[Ref, None]:
    found = refs(*cluster.conditions)
    for other in cluster.others:
        if isinstance(other, LeftJoin):
            found |= refs(*other.on)
            found |= _inside(other.nullable)
        else:
            found |= refs(other.tree, other.on)
    for member in cluster.members:
        if isinstance(member, FullJoin):
            found |= refs(*member.on)
            found |= _inside(member.left)
            found |= _inside(member.right)
    return found


def _replicated(place: Place) -> bool:
    return place.spread is Spread.REPLICATED


def _checked(place: Place | None) -> Place:
    if place is None:
        raise Undivided("rows that belong together are apart")
    return place
