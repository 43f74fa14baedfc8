"""A filtered member filters the rows of a correlated query before they move.

Of an operand only rows count whose key is the key of a row of the join. Where the join has a member with conditions of
its own, its keys are few and known to every segment at little cost: the operand keeps only rows with one of them.
Nothing is lost: in the rows that come of the join the operand's key is equal to that member's. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from mere.plan.columns import Ref, column, named, substitute
from mere.plan.group import Group, Item, Known, closed, standing
from mere.plan.local import ColumnStatistics, Place, Spread
from mere.plan.planning import Planning
from mere.plan.sides import name
from mere.plan.units import FILTER, Operand, Unit

_LARGE = 30_000.0  # an operand of fewer rows moves as it is
_KEYS = 300_000.0
_WORTH = 0.3
_ARRIVED = 150_000.0  # one more stage is worth it for an operand of so many rows


@dataclass(frozen=True, slots=True)
class Source:
    """A filtered scan of the join, or the query of a condition IN: how to read it once more."""

    alias: str
    member: exp.Expression
    conditions: tuple[exp.Expression, ...]
    rows: float
    place: Place
    only: tuple[Ref, Ref] | None = None  # of a semi-join: the join's column and the member's that it finds


def source(group: Group, conditions: Sequence[exp.Expression], unfiltered: float) -> Source | None:
    """The member as a filter, if it is one; made before the join takes its parts."""
    tree = group.items[0].tree
    if not conditions or not isinstance(tree, exp.Table) or group.rows > 0.5 * unfiltered:
        return None
    if any(condition.find(exp.Query) is not None for condition in conditions):
        return None
    (alias,) = group.aliases
    copies = tuple(condition.copy() for condition in conditions)
    return Source(alias, tree.copy(), copies, group.rows, group.place)


def reduce_operands(
    planning: Planning, units: Sequence[Unit], sources: Sequence[Source], equal: Callable[[Ref], Sequence[Ref]]
) -> None:
    """Filters those operands of queries in expressions for which it pays."""
    sources = [*sources, *_semi_joins(units)]
    for unit in units if sources else ():
        for operand in unit.operands if unit.kind == FILTER else ():
            if not operand.pairs or operand.group.rows < _LARGE:
                continue
            if operand.group.place.spread is not Spread.PARTITIONED:
                continue
            if not any(_at_home(other, operand, equal) for other in units if other is not unit):
                _reduce(planning, operand, sources, equal)


def _semi_joins(units: Sequence[Unit]) -> list[Source]:
    """What conditions IN look for: rows whose value is not there are no rows of the join."""
    found = []
    for unit in units:
        operand = unit.operands[0] if unit.kind == FILTER and len(unit.operands) == 1 else None
        if operand is None or not isinstance(unit.condition, exp.In) or operand.conditions or not operand.exists:
            continue
        group = operand.group
        if group.conditions or group.location or len(group.items) != 1 or group.place.spread is Spread.SINGLE:
            continue
        for outer, inner in operand.pairs or ():
            found.append(Source(outer[0], group.items[0].tree.copy(), (), group.rows, group.place, (outer, inner)))
    return found


def _at_home(unit: Unit, operand: Operand, equal: Callable[[Ref], Sequence[Ref]]) -> bool:
    """Do the rows of the operand lie with those of the unit already?"""
    for outer, inner in operand.pairs or ():
        schemes = {one.scheme for one in operand.group.place.hashes if one.columns == (name(inner),)}
        names = {name(ref) for ref in equal(outer)}
        if any(one.scheme in schemes and names >= set(one.columns) for one in unit.group_place.hashes):
            return True
    return False


def _reduce(
    planning: Planning, operand: Operand, sources: Sequence[Source], equal: Callable[[Ref], Sequence[Ref]]
) -> None:
    known = planning.known
    best: tuple[float, Source, Ref, Ref] | None = None
    for outer, inner in operand.pairs or ():
        found = known.statistics.get(inner)
        for ref in equal(outer):
            for one in sources:
                if one.alias != ref[0] or found is None or (one.only is not None and one.only[0] != ref):
                    continue
                values = known.statistics.get(ref)
                keys = min(one.rows, values.distinct if values is not None else one.rows)
                factor = keys / max(found.distinct, 1.0)
                if factor < _WORTH and one.rows < min(_KEYS, operand.group.rows) and (best is None or factor < best[0]):
                    best = factor, one, ref, inner
    if best is None:
        return
    factor, one, ref, inner = best
    operand.group.conditions.append(exp.In(this=column(inner), query=exp.Subquery(this=_keys(planning, one, ref))))
    operand.group.rows = max(operand.group.rows * factor, 1.0)
    before = known.statistics[inner]
    known.statistics[inner] = ColumnStatistics(max(before.distinct * factor, 1.0), before.width)


def _keys(planning: Planning, one: Source, ref: Ref) -> exp.Select:
    """The keys of a filtered scan, on every segment, under an alias of their own."""
    alias = planning.known.alias()
    if one.only is not None:
        ref = one.only[1]
    tree = one.member.copy()
    tree.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    columns = {each for each in planning.known.types if each[0] == ref[0]}
    mapping: dict[Ref, exp.Expression] = {each: column((alias, each[1])) for each in columns}
    key = (alias, ref[1])
    planning.known.types[key] = planning.known.types[ref]
    conditions = [substitute(condition.copy(), mapping) for condition in one.conditions]
    group = Group([Item(tree, frozenset({alias}))], Place(one.place.spread), one.rows, frozenset({alias}), conditions)
    local, _ = closed(group, [key], planning.known, planning.builder)
    if local.place.spread is Spread.REPLICATED:
        select = local.tree.copy()
        assert isinstance(select, exp.Select)
        return select
    local = planning.builder.broadcast(local)
    reading = planning.known.alias()
    return exp.Select(
        expressions=[named(column((reading, ref[1])), ref[1])],
        from_=exp.From(this=standing(local, reading)),
    )


# Rows of the join that have moved already


@dataclass(frozen=True, slots=True)
class Arrived:
    """A column of rows of the join that lie in a motion, so that reading them once more costs little."""

    ref: Ref
    table: str
    column: str
    rows: float


def arrived(group: Group, known: Known) -> list[Arrived]:
    """The columns of a group that has just moved."""
    tree = group.items[0].tree
    if len(group.items) != 1 or group.conditions or not isinstance(tree, exp.Table):
        return []
    here = [ref for ref in known.types if ref[0] in group.aliases]
    if group.location:
        return [Arrived(ref, tree.name, group.location[ref][1], group.rows) for ref in here if ref in group.location]
    return [Arrived(ref, tree.name, ref[1], group.rows) for ref in here]


def reduce_by_arrived(
    planning: Planning,
    operand: Operand,
    sources: Sequence[Arrived],
    present: frozenset[str],
    equal: Callable[[frozenset[str], Ref], Sequence[Ref]],
) -> None:
    """Filters an operand that is to move by the keys of rows that have moved, where those are few."""
    if operand.group.rows < _ARRIVED:
        return
    for outer, inner in operand.pairs or ():
        found = planning.known.statistics.get(inner)
        for one in sources:
            if found is None or one.ref not in equal(present, outer) or one.rows > _WORTH * found.distinct:
                continue
            motion = next(each for each in planning.builder.motions if each.table == one.table)
            if all(each.name != one.column for each in motion.columns):
                continue
            keys = planning.builder.local(
                exp.Select(
                    expressions=[named(exp.Column(this=exp.to_identifier(one.column, quoted=True)), one.column)],
                    from_=exp.From(this=exp.to_table(one.table)),
                    distinct=exp.Distinct(),
                ),
                Place(Spread.PARTITIONED),
                one.rows,
                columns=tuple(each for each in motion.columns if each.name == one.column),
            )
            local = planning.builder.broadcast(keys)
            reading = planning.known.alias()
            body = exp.Select(
                expressions=[named(column((reading, one.column)), one.column)],
                from_=exp.From(this=standing(local, reading)),
            )
            operand.group.conditions.append(exp.In(this=column(inner), query=exp.Subquery(this=body)))
            operand.group.rows = max(operand.group.rows * one.rows / found.distinct, 1.0)
            return
