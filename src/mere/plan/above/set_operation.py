"""UNION, INTERSECT and EXCEPT over members that are local queries already.

UNION ALL needs no motion: a member that every segment has whole is counted once. The others need equal rows together,
so the members are cast to common types and hashed on all columns, where a place does not do it already. Coordinator
process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from sqlglot import exp

from mere.plan.above.carry import aliased, column, source_of
from mere.plan.above.estimates import FEW, few
from mere.plan.above.order import limited, take_ending
from mere.plan.builder import REPLICATED, SINGLE, Builder
from mere.plan.local import Hash, Local, Place, Spread
from mere.plan.nodes import MotionColumn

Operation = exp.Union | exp.Intersect | exp.Except
_ALIAS = "mere_member"


def plan_set_operation(builder: Builder, node: exp.SetOperation, branches: Sequence[Local]) -> Local:
    """`branches` are the members: two or more of one UNION [ALL], two of the others. `node` may have a LIMIT."""
    assert isinstance(node, Operation)
    bare, ending = take_ending(node)
    assert isinstance(bare, Operation)
    columns = builder.describe(_operation(bare, [branch.tree for branch in branches]))
    members = [_as(branch, columns) for branch in branches]
    if isinstance(bare, exp.Union):
        made = _union(builder, bare, members, columns)
    else:
        made = _two_sided(builder, bare, members, columns)
    return limited(builder, made, ending)


def _operation(node: Operation, trees: Sequence[exp.Expression]) -> exp.Expression:
    def combine(one: exp.Expression, other: exp.Expression) -> exp.Expression:
        return type(node)(this=one, expression=other, distinct=bool(node.args.get("distinct")))

    members: list[exp.Expression] = [exp.Subquery(this=tree.copy()) for tree in trees]
    return reduce(combine, members)


def _as(member: Local, columns: tuple[MotionColumn, ...]) -> Local:
    """The member with the names and types of the whole."""
    if member.columns == columns:
        return replace(member, order=())
    items: list[exp.Expression] = []
    names: dict[str, str] = {}
    for own, wanted in zip(member.columns, columns, strict=True):
        value: exp.Expression = column(own.name, _ALIAS)
        if own.duckdb_type != wanted.duckdb_type:
            value = exp.Cast(this=value, to=exp.DataType.build(wanted.duckdb_type, dialect="duckdb"))
        else:
            names[own.name] = wanted.name
        items.append(aliased(value, wanted.name))
    hashes = frozenset(
        Hash(tuple(names[name] for name in hash_.columns), hash_.scheme, hash_.everywhere_null)
        for hash_ in member.place.hashes
        if all(name in names for name in hash_.columns)
    )
    tree = exp.Select(expressions=items, from_=source_of(member, _ALIAS))
    return Local(tree, Place(member.place.spread, hashes), columns, member.rows)


# UNION


def _union(builder: Builder, node: Operation, members: Sequence[Local], columns: tuple[MotionColumn, ...]) -> Local:
    distinct = bool(node.args.get("distinct"))
    rows = sum(member.rows for member in members)
    spreads = {member.place.spread for member in members}
    if Spread.PARTITIONED not in spreads:
        if Spread.SINGLE not in spreads:
            return Local(_operation(node, _trees(members)), REPLICATED, columns, rows)
        return Local(_operation(node, _trees(members)), SINGLE, columns, rows)
    if distinct:
        members = [_distinct(member) for member in members]
    counted = [builder.once(member) for member in members]
    hashes = frozenset[Hash].intersection(*(member.place.hashes for member in counted))
    everything = Local(_all(_trees(counted)), Place(Spread.PARTITIONED, hashes), columns, rows)
    if not distinct:
        return everything
    if not _together(hashes):
        moved = builder.gather(everything) if few(rows) else builder.redistribute(everything, _keys(columns))
        everything = replace(everything, place=moved.place, tree=moved.tree)
    return _distinct(everything)


def _all(trees: Sequence[exp.Expression]) -> exp.Expression:
    return _operation(exp.Union(this=exp.Select(), expression=exp.Select(), distinct=False), trees)


def _distinct(local: Local) -> Local:
    items: list[exp.Expression] = [aliased(column(name, _ALIAS), name) for name in local.names]
    tree = exp.Select(expressions=items, from_=source_of(local, _ALIAS), distinct=exp.Distinct())
    return replace(local, tree=tree, order=())


# INTERSECT and EXCEPT


def _two_sided(builder: Builder, node: Operation, members: Sequence[Local], columns: tuple[MotionColumn, ...]) -> Local:
    left, right = members
    rows = min(left.rows, right.rows) if isinstance(node, exp.Intersect) else left.rows
    spreads = {left.place.spread, right.place.spread}
    if spreads == {Spread.REPLICATED}:
        return Local(_operation(node, _trees(members)), REPLICATED, columns, rows)
    if spreads <= {Spread.REPLICATED, Spread.SINGLE}:
        return Local(_operation(node, _trees(members)), SINGLE, columns, rows)
    if left.rows + right.rows <= FEW:
        single = [builder.gather(member) for member in members]
        return Local(_operation(node, _trees(single)), SINGLE, columns, rows)
    left, right = _met(builder, node, left, right, columns)
    place = left.place if left.place.spread is Spread.PARTITIONED else right.place
    return Local(_operation(node, _trees([left, right])), place, columns, rows)


def _met(
    builder: Builder, node: Operation, left: Local, right: Local, columns: tuple[MotionColumn, ...]
) -> tuple[Local, Local]:
    """Both sides with equal rows on one segment, or the side that only answers whole on each."""
    common = left.place.hashes & right.place.hashes
    if _together(common):
        return _only(left, common), _only(right, common)
    if right.place.spread is Spread.REPLICATED and _together(left.place.hashes):
        return left, right
    if left.place.spread is Spread.REPLICATED and isinstance(node, exp.Intersect) and _together(right.place.hashes):
        return left, right
    for hashes, other in ((left.place.hashes, right), (right.place.hashes, left)):
        for hash_ in sorted(hashes, key=str):
            if not hash_.everywhere_null:
                moved = builder.redistribute(other, hash_.columns, hash_.scheme)
                return (left, moved) if other is right else (moved, right)
    keys = _keys(columns)
    return builder.redistribute(left, keys), builder.redistribute(right, keys)


def _only(local: Local, hashes: frozenset[Hash]) -> Local:
    return replace(local, place=Place(local.place.spread, hashes))


def _together(hashes: frozenset[Hash]) -> bool:
    """Rows that are equal in all columns lie together: any hash that knows where its NULLs are will do."""
    return any(not hash_.everywhere_null for hash_ in hashes)


def _keys(columns: tuple[MotionColumn, ...]) -> list[str]:
    return [item.name for item in columns]


def _trees(members: Sequence[Local]) -> list[exp.Expression]:
    return [member.tree for member in members]
