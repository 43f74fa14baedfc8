"""GROUP BY and aggregates: complete where the rows of a group lie together, else in two steps, else over moved rows.

A group is complete on a segment when the rows are hashed on some of its keys. Where they are not:
 - aggregates that split are computed in part beside the rows; the parts meet, by the keys, and are merged;
 - the argument of a DISTINCT aggregate becomes a key of the first step, so that each value moves once a segment;
 - if one aggregate does not split, the rows themselves move, with no more columns than are read.
Grouping sets, and several DISTINCT arguments, are in group_sets. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from mere.plan.above.calls import Call, clauses_above, own_nodes, windows_in
from mere.plan.above.carry import Carried, above, below, rewritten, source_of
from mere.plan.above.estimates import (
    combinations,
    few,
    mapped,
    spread_by,
    together,
    worth_a_partial_step,
)
from mere.plan.above.group_rows import over_moved_rows
from mere.plan.above.group_sets import in_sets
from mere.plan.above.grouping import Grouping, plain_columns, read_grouping
from mere.plan.above.merging import INDIFFERENT, Split, split
from mere.plan.above.stage import placed, raised
from mere.plan.builder import Builder
from mere.plan.local import Joined, Local, Spread

Splits = Mapping[exp.Expression, Split]
_EVEN = 20  # values a segment that a key must have, or work would lie unevenly
NONE: frozenset[exp.Expression] = frozenset()


def complete_groups(builder: Builder, joined: Joined, apart: frozenset[exp.Expression] = NONE) -> Joined:
    """The same SELECT with its groups complete on each segment, or on one.

    `apart` are DISTINCT aggregates whose equal arguments are known to lie on one segment.
    """
    if joined.place.spread is not Spread.PARTITIONED:
        return joined
    grouping = read_grouping(joined.select)
    if grouping is None:
        return joined
    if all(members and together(joined.place, plain_columns(members)) for members in grouping.sets):
        return _complete(joined, grouping)
    for clause in (*joined.select.expressions, *(joined.select.args.get(key) for key in _CLAUSES)):
        if clause is not None:
            grouping.visit(clause)
    splits, deduplicated = _splits(joined, grouping, apart)
    if splits is None:
        return over_moved_rows(builder, joined, grouping)
    if grouping.explicit or len({_dimensions(call) for call in deduplicated}) > 1:
        made = in_sets(builder, joined, grouping, splits, {call.node: _dimensions(call) for call in deduplicated})
        return over_moved_rows(builder, joined, grouping) if made is None else _settled(builder, grouping, *made)
    return _in_two_steps(builder, joined, grouping, splits, deduplicated)


_CLAUSES = ("having", "qualify", "distinct", "order")


def _complete(joined: Joined, grouping: Grouping) -> Joined:
    kept = plain_columns(grouping.common())
    place = replace(joined.place, hashes=mapped(joined.place, {name: name for name in kept}))
    rows = sum(combinations(joined, members) for members in grouping.sets)
    return replace(joined, place=place, rows=min(joined.rows * len(grouping.sets), rows))


def _splits(
    joined: Joined, grouping: Grouping, apart: frozenset[exp.Expression]
) -> tuple[Splits | None, Sequence[Call]]:
    """How each aggregate splits (None if one does not), and the DISTINCT ones that have to see each value once."""
    splits: dict[exp.Expression, Split] = {}
    deduplicated: list[Call] = []
    for node, call in (grouping.calls | grouping.subqueries).items():
        here = node in apart or together(joined.place, plain_columns(call.arguments))
        if call.distinct and call.name not in INDIFFERENT and not here:
            if not _dimensions(call):
                return None, ()  # DISTINCT over a constant: a partial row would count where no row is
            deduplicated.append(call)
        elif (made := _split(call)) is None:
            return None, ()
        else:
            splits[node] = made
    return splits, deduplicated


def _split(call: Call) -> Split | None:
    if call.name == "any_value" and call.node in call.arguments:  # a correlated subquery stands for its call
        call = replace(call, node=exp.Anonymous(this="any_value", expressions=[call.node.copy()]))
    return split(call)


def _dimensions(call: Call) -> tuple[exp.Expression, ...]:
    """What the rows must keep apart for a DISTINCT aggregate: its arguments and its condition."""
    return tuple(dict.fromkeys(part for part in call.parts() if _varies(part)))


def _varies(part: exp.Expression) -> bool:
    return any(isinstance(node, exp.Column) for node in own_nodes(part)) or part.find(exp.Select) is not None


def _in_two_steps(
    builder: Builder, joined: Joined, grouping: Grouping, splits: Splits, deduplicated: Sequence[Call]
) -> Joined:
    dimensions = _dimensions(deduplicated[0]) if deduplicated else ()
    by = [*grouping.keys, *dimensions]
    groups = combinations(joined, by)
    large = not few(groups * builder.facts.segments)
    if grouping.keys and large and not worth_a_partial_step(joined, by, builder.facts.segments):
        return over_moved_rows(builder, joined, grouping)
    carried = Carried("mere_groups")
    for key in grouping.keys:
        carried.add(key, "mere_k")
    for dimension in dimensions:
        carried.add(dimension, "mere_d")
    inner = _partial(joined, carried, splits)
    rows = min(joined.rows, groups * builder.facts.segments)
    partial = builder.local(inner, placed(joined.place, carried.items), rows)
    apart: frozenset[exp.Expression] = NONE
    if few(rows) or not (grouping.keys or dimensions):
        moved = builder.gather(partial)
    elif grouping.keys:
        keys = [(key, carried.name(key)) for key in _meeting(joined, grouping, builder.facts.segments)]
        moved = builder.redistribute(partial, spread_by(joined, keys, builder.facts.segments))
    else:
        moved = builder.redistribute(partial, [carried.name(dimension) for dimension in dimensions])
    finals = {
        node: made.merge([carried.reference(part) for part in made.partials], None) for node, made in splits.items()
    }
    for call in deduplicated:
        finals[call.node] = rewritten(call.node, lambda node: carried.reference(node) if node in dimensions else None)
        apart |= {finals[call.node]}
    outer = _merged(joined.select, moved, grouping, carried, finals)
    return _settled(builder, grouping, raised(joined, outer, moved, carried, groups), apart)


def _meeting(joined: Joined, grouping: Grouping, segments: int) -> list[exp.Expression]:
    """The keys by which the parts of a group may meet: those that windows or DISTINCT above ask for, or all."""
    keys = grouping.keys
    for window in windows_in(clauses_above(joined.select)):
        keys = [key for key in keys if key in (window.args.get("partition_by") or [])]
    distinct = joined.select.args.get("distinct")
    if distinct is not None:
        on = distinct.args.get("on")
        listed = [item.this for item in joined.select.expressions] if on is None else on.expressions
        keys = [key for key in keys if key in listed]
    if keys and combinations(joined, keys) >= _EVEN * segments:
        return keys
    return grouping.keys


def _settled(builder: Builder, grouping: Grouping, joined: Joined, apart: frozenset[exp.Expression]) -> Joined:
    """The groups of the second step are complete, but for those of a query without keys whose values met by value."""
    if joined.place.spread is Spread.PARTITIONED and not grouping.keys:
        return complete_groups(builder, joined, apart)
    return joined


def _partial(joined: Joined, carried: Carried, splits: Splits) -> exp.Select:
    """The first step: grouped by what is carried so far, with the partial values beside it."""
    group = [node.copy() for node, _ in carried.items]
    for made in splits.values():
        for part in made.partials:
            carried.add(part, "mere_p")
    if not carried.items:
        carried.add(exp.Anonymous(this="count", expressions=[exp.Star()]), "mere_p")
    inner = below(joined.select, carried.projections())
    if group:
        inner.set("group", exp.Group(expressions=group))
    return inner


def _merged(
    select: exp.Select,
    moved: Local,
    grouping: Grouping,
    carried: Carried,
    finals: Mapping[exp.Expression, exp.Expression],
) -> exp.Select:
    """The second step: the clauses of the select over the partial rows."""
    outer = above(select, source_of(moved, carried.alias), grouping.replacing(carried.reference, finals))
    if grouping.keys:
        outer.set("group", exp.Group(expressions=[carried.reference(key) for key in grouping.keys]))
    elif not grouping.calls and outer.args.get("having") is None:
        outer.set("having", exp.Having(this=exp.true()))
    return outer
