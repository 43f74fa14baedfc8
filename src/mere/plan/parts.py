"""What one FROM and WHERE is made of while it is planned: its units, the conditions that wait, what is equal to what.

Estimates how many rows the join of some of the units has. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.plan.columns import Ref, ref_of
from mere.plan.group import Group, Known
from mere.plan.local import Place, Spread
from mere.plan.planning import Planning
from mere.plan.rules.early_groups import EarlyGroups
from mere.plan.schemes import common
from mere.plan.search import mapped
from mere.plan.sides import Pair, name
from mere.plan.units import JOIN, LEFT, Classes, Condition, Operand, Unit

_FEW_GROUPS = 10_000.0


@dataclass(slots=True)
class Parts:
    """`names` are the aliases of the FROM, `above` is what is read of it elsewhere; `extra` units belong to queries
    above it; `wanted` are columns that groups go by; `early` aggregates above may be computed in part before rows move.
    """

    planning: Planning
    names: frozenset[str]
    above: dict[Ref, None]
    extra: tuple[Unit, ...] = ()
    wanted: Sequence[Ref] = ()
    early: EarlyGroups | None = None
    classes: Classes = field(default_factory=Classes)
    pending: list[Condition] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)

    @property
    def known(self) -> Known:
        return self.planning.known

    def equality(self, condition: exp.Expression) -> Pair | None:
        if not isinstance(condition, exp.EQ):
            return None
        left, right = ref_of(condition.this), ref_of(condition.expression)
        return None if left is None or right is None or left[0] == right[0] else (left, right)

    def comparable(self, one: Ref, other: Ref) -> bool:
        types = [self.known.types.get(one, "?"), self.known.types.get(other, "??")]
        return common(types) is not None

    def operand(self, group: Group) -> Operand:
        needed = self.needed(group.aliases)
        return Operand(group, [], needed, self.known.width(needed))

    def needed(self, present: frozenset[str]) -> list[Ref]:
        found = dict(self.above)
        for unit in self.extra:
            found |= unit.reads
        for condition in self.pending:
            if not condition.aliases <= present:
                found |= condition.refs
        for unit in self.units:
            if not unit.applied and not (unit.aliases and unit.aliases <= present):
                found |= unit.reads
        for members_ in self.classes.all():
            if any(ref[0] not in present for ref in members_):
                found |= dict.fromkeys(members_)
        return [ref for ref in found if ref[0] in present]

    def linked(self, one: frozenset[str], other: frozenset[str]) -> bool:
        """Is there a condition between the two that needs no third?"""
        both = one | other
        if any(each.aliases <= both and each.aliases & one and each.aliases & other for each in self.pending):
            return True
        return any(
            any(ref[0] in one for ref in refs_) and any(ref[0] in other for ref in refs_)
            for refs_ in self.classes.all()
        )

    def factor(self, one: Unit, other: Unit) -> float:
        """By how much joining the other changes the number of rows."""
        return self.joined_rows(one.group.rows, one.aliases, other) / max(one.group.rows, 1.0)

    def joined_rows(self, rows: float, present: frozenset[str], other: Unit) -> float:
        divisors = []
        for members_ in self.classes.all():
            ours = [self.values(ref) for ref in members_ if ref[0] in present]
            theirs = [self.values(ref) for ref in members_ if ref[0] in other.aliases]
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

    def values(self, ref: Ref) -> float:
        found = self.known.statistics.get(ref)
        return max(found.distinct, 1.0) if found is not None else 100.0

    def rows(self, mask: int) -> float:
        chosen = [unit for place, unit in enumerate(self.units) if mask >> place & 1]
        joins = sorted((unit for unit in chosen if unit.kind == JOIN), key=lambda unit: -unit.group.rows)
        present, rows = joins[0].aliases, joins[0].group.rows
        waiting = joins[1:]
        while waiting:
            unit = next((one for one in waiting if self.linked(present, one.aliases)), waiting[0])
            waiting.remove(unit)
            rows = self.joined_rows(rows, present, unit)
            present |= unit.aliases
        for unit in chosen:
            if unit.kind == LEFT:
                matches = [max(self.values(outer), self.values(inner)) for outer, inner in unit.operands[0].pairs or ()]
                rows = max(rows, rows * unit.group.rows / max([*matches, 1.0]))
            elif unit.kind != JOIN:
                rows *= unit.selectivity
        return max(rows, 1.0)

    def pairs(self, one: frozenset[str], other: frozenset[str]) -> list[Pair]:
        """Columns of both that are equal where they are joined, and comparable in one type."""
        return [
            (ours, theirs)
            for members_ in self.classes.all()
            for ours in members_
            if ours[0] in one
            for theirs in members_
            if theirs[0] in other and self.comparable(ours, theirs)
        ]

    def equal(self, present: frozenset[str], ref: Ref) -> list[Ref]:
        root = self.classes.root(ref)
        for members_ in self.classes.all():
            if self.classes.root(members_[0]) == root:
                return [one for one in members_ if one[0] in present and self.comparable(one, ref)]
        return [ref]

    def final(self, place: Place, rows: float) -> float:
        """What the groups above cost when this is where the rows are."""
        if not self.wanted or place.spread is not Spread.PARTITIONED:
            return 0.0
        wanted = {name(ref) for ref in self.wanted}
        found = mapped(place, self.classes.all(), self.known, self.names)
        if any(not one.everywhere_null and set(one.columns) <= wanted for one in found.hashes):
            return 0.0
        groups = 1.0
        for ref in self.wanted:
            groups = min(groups * self.values(ref), 1e15)
        groups = min(rows, groups * self.planning.facts.segments)
        return 0.0 if groups <= _FEW_GROUPS else groups * 40.0
