"""Groups in two steps where the first one needs grouping sets: ROLLUP and its kin, and several DISTINCT arguments.

The rows are grouped on each segment by every grouping set, and beside it by the set with each DISTINCT argument, so
each value moves once a segment. `mere_set` and `mere_kind` tell the sets apart where keys are NULL. Coordinator
process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from sqlglot import exp

from mere.plan.above.calls import is_grouping
from mere.plan.above.carry import Carried, above, below, column, rewritten, source_of
from mere.plan.above.estimates import combinations, few, spread_by
from mere.plan.above.grouping import Grouping
from mere.plan.above.merging import Split
from mere.plan.above.stage import raised
from mere.plan.builder import PARTITIONED, Builder
from mere.plan.local import Joined, Local

Dimensions = tuple[exp.Expression, ...]
SET, KIND = "mere_set", "mere_kind"
_BITS = 60  # GROUPING gives a BIGINT


class _Names:
    """What the rows are called between the steps: keys, dimensions, and what the partial values are made of."""

    def __init__(self, grouping: Grouping, kinds: Sequence[Dimensions]) -> None:
        self.keys = {key: f"mere_k{number}" for number, key in enumerate(grouping.keys)}
        parts = dict.fromkeys(part for kind in kinds for part in kind)
        self.dimensions = {part: f"mere_d{number}" for number, part in enumerate(parts)}


def in_sets(
    builder: Builder,
    joined: Joined,
    grouping: Grouping,
    splits: Mapping[exp.Expression, Split],
    deduplicated: Mapping[exp.Expression, Dimensions],
) -> tuple[Joined, frozenset[exp.Expression]] | None:
    """The SELECT over merged groups, and its DISTINCT aggregates whose values lie together; None where it cannot be."""
    kinds: list[Dimensions] = [(), *dict.fromkeys(deduplicated.values())]
    names = _Names(grouping, kinds)
    if len({frozenset(members) for members in grouping.sets}) < len(grouping.sets):
        return None  # equal sets give their rows twice; GROUPING does not tell them apart
    if max(len(names.keys), len(names.dimensions)) > _BITS:
        return None
    rows = sum(
        min(joined.rows, combinations(joined, [*members, *kind]) * builder.facts.segments)
        for members in grouping.sets
        for kind in kinds
    )
    carried = Carried("mere_groups")
    partial = builder.local(_partial(joined, grouping, kinds, names, splits, carried), PARTITIONED, rows)
    moved = _moved(builder, joined, grouping, names, partial)
    masks = {kind: _mask(names, kind) for kind in kinds}
    own = masks[()] if len(kinds) > 1 else None
    finals = {
        node: made.merge([carried.reference(part) for part in made.partials], own) for node, made in splits.items()
    }
    apart = set()
    for node, kind in deduplicated.items():
        finals[node] = _once_each(node, names, masks[kind])
        apart.add(finals[node])
    outer = _outer(joined.select, moved, grouping, names, finals)
    origins = {name: key for key, name in [*names.keys.items(), *names.dimensions.items()]}
    groups = sum(combinations(joined, members) for members in grouping.sets)
    return raised(joined, outer, moved, carried, groups, origins), frozenset(apart)


def _partial(
    joined: Joined,
    grouping: Grouping,
    kinds: Sequence[Dimensions],
    names: _Names,
    splits: Mapping[exp.Expression, Split],
    carried: Carried,
) -> exp.Select:
    """The first step. A key must not be confused with the column as it was before sets made it NULL, so the rows are
    named once more below."""
    rows = Carried("mere_rows")
    named = {**{name: key for key, name in names.keys.items()}, **{name: key for key, name in names.dimensions.items()}}
    parts: list[tuple[exp.Expression, exp.Expression]] = []
    for node, made in splits.items():
        inputs = [part for part in (grouping.calls | grouping.subqueries)[node].parts() if part.find(exp.Column)]
        for part in inputs:
            rows.add(part, "mere_a")
        for partial in made.partials:
            carried.add(partial, "mere_p")
            parts.append((partial, rewritten(partial, rows.replace)))
    projections = [exp.Alias(this=node.copy(), alias=column(name).this) for name, node in named.items()]
    source = below(joined.select, [*projections, *rows.projections()])
    outputs: list[exp.Expression] = [_alias(column(name, rows.alias), name) for name in named]
    for name, members in ((SET, names.keys.values()), (KIND, names.dimensions.values())):
        if members:
            call = exp.Anonymous(this="grouping", expressions=[column(member, rows.alias) for member in members])
            outputs.append(_alias(call, name))
    outputs += [_alias(node, carried.name(partial)) for partial, node in dict(parts).items()]
    sets = [
        exp.Tuple(expressions=[column(name, rows.alias) for name in _set_names(names, members, kind)])
        for members in grouping.sets
        for kind in kinds
    ]
    return exp.Select(
        expressions=outputs,
        from_=exp.From(this=exp.Subquery(this=source, alias=exp.TableAlias(this=column(rows.alias).this))),
        group=exp.Group(expressions=[exp.GroupingSets(expressions=sets)]),
    )


def _set_names(names: _Names, members: Sequence[exp.Expression], kind: Dimensions) -> list[str]:
    return [names.keys[key] for key in members] + [names.dimensions[part] for part in kind]


def _moved(builder: Builder, joined: Joined, grouping: Grouping, names: _Names, partial: Local) -> Local:
    if few(partial.rows) or not (names.keys or names.dimensions):
        return builder.gather(partial)
    if not names.keys:
        return builder.redistribute(partial, [KIND, *names.dimensions.values()])
    common = [(key, names.keys[key]) for key in grouping.common()]
    chosen = spread_by(joined, common, builder.facts.segments)
    if len(chosen) != 1 or len(common) == 1 < len(names.keys):
        chosen = [SET, *names.keys.values()]
    return builder.redistribute(partial, chosen)


def _mask(names: _Names, kind: Dimensions) -> exp.Expression:
    """The rows of one kind, as GROUPING tells them: a bit for each dimension that they are not grouped by."""
    bits = "".join("0" if part in kind else "1" for part in names.dimensions)
    return exp.EQ(this=column(KIND, "mere_groups"), expression=exp.Literal.number(int(bits or "0", 2)))


def _once_each(node: exp.Expression, names: _Names, kind: exp.Expression) -> exp.Expression:
    """The DISTINCT aggregate over the rows that hold its values."""

    def dimension(part: exp.Expression) -> exp.Expression | None:
        return column(names.dimensions[part], "mere_groups") if part in names.dimensions else None

    made = rewritten(node, dimension)
    if isinstance(made, exp.Filter):
        return exp.Filter(
            this=made.this, expression=exp.Where(this=exp.And(this=kind, expression=made.expression.this))
        )
    return exp.Filter(this=made, expression=exp.Where(this=kind))


def _outer(
    select: exp.Select,
    moved: Local,
    grouping: Grouping,
    names: _Names,
    finals: Mapping[exp.Expression, exp.Expression],
) -> exp.Select:
    over_groups = grouping.replacing(lambda key: column(names.keys[key], "mere_groups"), finals)

    def replace(node: exp.Expression) -> exp.Expression | None:
        return _grouping_bits(node, names) if is_grouping(node) else over_groups(node)

    outer = above(select, source_of(moved, "mere_groups"), replace)
    keys = [SET, *names.keys.values()] if grouping.explicit and names.keys else list(names.keys.values())
    if keys:
        outer.set("group", exp.Group(expressions=[column(name, "mere_groups") for name in keys]))
    elif not grouping.calls and outer.args.get("having") is None:
        outer.set("having", exp.Having(this=exp.true()))
    return outer


def _grouping_bits(node: exp.Expression, names: _Names) -> exp.Expression:
    """GROUPING(a, b) from `mere_set`, which has a bit for every key, the first one highest."""
    order = list(names.keys)
    bits: list[exp.Expression] = []
    for place, key in enumerate(reversed(node.expressions)):
        power = 2 ** (len(order) - 1 - order.index(key))
        shifted = exp.Paren(this=exp.IntDiv(this=column(SET, "mere_groups"), expression=exp.Literal.number(power)))
        bit = exp.Paren(this=exp.Mod(this=shifted, expression=exp.Literal.number(2)))
        bits.append(exp.Mul(this=bit, expression=exp.Literal.number(2**place)))
    return exp.Paren(this=reduce(lambda one, other: exp.Add(this=one, expression=other), bits))


def _alias(node: exp.Expression, name: str) -> exp.Expression:
    return exp.Alias(this=node, alias=column(name).this)
