"""Plans one FROM and WHERE: members, conditions and queries in them become one group that runs in a slice.

Grounds the members, lets each have its own conditions, joins small ones at once, has the rest searched for an order,
and has it carried out. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from mere.plan.assemble import Assembly
from mere.plan.block import Cluster, FullJoin, LateralJoin, LeftJoin, Member
from mere.plan.columns import Ref, aliases, common_conjuncts, conjunction, queries_in, refs
from mere.plan.estimate import after_filter, all_of, listed, selectivity
from mere.plan.fold import fold
from mere.plan.group import Group, plain
from mere.plan.parts import Parts
from mere.plan.planning import Planning
from mere.plan.rules import full_join, members, subqueries
from mere.plan.rules.early_groups import EarlyGroups
from mere.plan.rules.implied import implied
from mere.plan.rules.semi_join_reduction import Source, reduce_operands, source
from mere.plan.search import Problem, mapped, search
from mere.plan.undivided import Undivided
from mere.plan.units import JOIN, LEFT, Condition, Operand, Unit


class Arrangement:
    """`above` is what is read of the FROM elsewhere; `extra`, `wanted` and `early` as parts.py has them."""

    def __init__(
        self,
        planning: Planning,
        cluster: Cluster,
        above: Iterable[Ref],
        extra: Sequence[Unit] = (),
        wanted: Sequence[Ref] = (),
        early: EarlyGroups | None = None,
    ) -> None:
        self.planning = planning
        self.cluster = cluster
        read = dict.fromkeys(above)
        for unit in extra:
            read |= refs(*(condition for operand in unit.operands for condition in operand.conditions))
        self.parts = Parts(planning, frozenset(cluster.names), read, tuple(extra), wanted, early, units=[*extra])
        self.assembly = Assembly(self.parts)
        self.constant: list[exp.Expression] = []
        self.sources: list[Source] = []

    def arranged(self) -> Group:
        conditions = [*self.cluster.conditions]
        for condition in self.cluster.conditions:
            if not any(True for _ in queries_in(condition)):
                conditions += common_conjuncts(condition)
                conditions += implied(condition)
        with_queries = [one for one in conditions if any(True for _ in queries_in(one))]
        simple = [one for one in conditions if not any(one is other for other in with_queries)]
        groups = self._members(simple)
        self.parts.units += [self._other(other) for other in self.cluster.others]
        self._read_conditions(simple)
        for group in groups:  # where nothing can pass, nothing is worked out, and nothing fails
            group.conditions += [condition.copy() for condition in self.constant]
        for condition in with_queries:
            self.parts.units.append(subqueries.filter_unit(self.planning, condition, self.cluster.names))
        self.parts.units = [
            Unit(JOIN, [self.parts.operand(group)], group.aliases) for group in groups
        ] + self.parts.units
        names = self.parts.names
        reduce_operands(self.planning, self.parts.units, self.sources, lambda ref: self.parts.equal(names, ref))
        fold(self.parts, self.assembly)
        group = self._searched()
        group.conditions += self.constant
        group.place = mapped(group.place, self.parts.classes.all(), self.parts.known, group.aliases)
        return group

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
                equality = self.parts.equality(condition)
                if equality is not None and not self.parts.comparable(*equality):
                    equality = None
                if equality is not None:
                    self.parts.classes.unite(*equality)
                share = selectivity(condition, self.parts.known.statistics)
                self.parts.pending.append(Condition(condition, refs(condition), share, equality))

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
        group.rows = max(rows * all_of(list(own), self.parts.known.statistics), 1.0)
        if group.rows < rows:
            values = listed(conjunction(list(own)) or exp.true())
            for ref, found in list(self.parts.known.statistics.items()):
                if ref[0] in group.aliases:
                    distinct = after_filter(found.distinct, group.rows, rows)
                    if ref in values:
                        distinct = min(distinct, float(len(values[ref])))
                    self.parts.known.statistics[ref] = type(found)(distinct, found.width, found.low, found.high)
        return group

    def _outside(self) -> dict[Ref, None]:
        """All that is read of the members anywhere."""
        found = dict(self.parts.above)
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
        for unit in self.parts.units:
            found |= unit.reads
        return found

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
            equality = self.parts.equality(condition)
            if equality is None:
                continue
            outer, inner = equality if equality[1][0] in inside else equality[::-1]
            if inner[0] in inside and outer[0] not in inside and self.parts.comparable(outer, inner):
                pairs.append((outer, inner))
        needed = [ref for ref in outside if ref[0] in group.aliases]
        operand = Operand(group, pairs or None, needed, self.parts.known.width(needed))
        if not plain(group):
            operand.group = self.assembly.embedded(group, needed)
        return Unit(LEFT, [operand], group.aliases, frozenset(other.requires), on=other.on)

    def _searched(self) -> Group:
        joins = [unit for unit in self.parts.units if unit.kind == JOIN]
        if not joins:
            joins = [Unit(JOIN, [self.parts.operand(members.one_row(self.planning))], frozenset())]
            self.parts.units = joins + self.parts.units
        if len(self.parts.units) == 1:
            return self.assembly.complete(self.parts.units[0].group)
        rows: dict[int, float] = {}
        widths: dict[int, float] = {}

        def present(mask: int) -> frozenset[str]:
            return frozenset().union(
                *(unit.aliases for place, unit in enumerate(self.parts.units) if mask >> place & 1)
            )

        def rows_of(mask: int) -> float:
            if mask not in rows:
                rows[mask] = self.parts.rows(mask)
            return rows[mask]

        def width_of(mask: int) -> float:
            if mask not in widths:
                widths[mask] = self.parts.known.width(self.parts.needed(present(mask)))
            return widths[mask]

        step = search(
            Problem(
                self.parts.units,
                self.parts.known,
                self.planning.facts.segments,
                rows_of,
                width_of,
                lambda mask, number: self.parts.pairs(present(mask), self.parts.units[number].aliases),
                lambda mask, ref: self.parts.equal(present(mask), ref),
                lambda mask, number: self.parts.linked(present(mask), self.parts.units[number].aliases),
                self.parts.final,
            )
        )
        return self.assembly.complete(self.assembly.built(step, rows_of)[0])


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
