"""Where the rows of a join lie, given where its operands' rows lie; None where the join would be wrong there.

This is the check on every other rule: whatever the planner chose, a join that has no place is not planned. It rests on
one argument: the union of the join over the shares must be the join of the unions. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mere.plan.columns import Ref
from mere.plan.local import Hash, Place, Spread

Pair = tuple[Ref, Ref]


def name(ref: Ref) -> str:
    return f"{ref[0]}.{ref[1]}"


def meet(left: Place, right: Place, pairs: Iterable[Pair]) -> bool:
    """Are both divided, and so that rows equal by all `pairs` (left column, right column) lie on one segment?"""
    if left.spread is not Spread.PARTITIONED or right.spread is not Spread.PARTITIONED:
        return False
    equal = {(name(ours), name(theirs)) for ours, theirs in pairs}
    for one in left.hashes:
        for other in right.hashes:
            if one.scheme != other.scheme or len(one.columns) != len(other.columns):
                continue
            if all(pair in equal for pair in zip(one.columns, other.columns, strict=True)):
                return True
    return False


def inner(left: Place, right: Place, pairs: Sequence[Pair]) -> Place | None:
    if right.spread is Spread.REPLICATED:
        return left
    if left.spread is Spread.REPLICATED:
        return right
    if left.spread is Spread.SINGLE and right.spread is Spread.SINGLE:
        return Place(Spread.SINGLE)
    if meet(left, right, pairs):
        return Place(Spread.PARTITIONED, left.hashes | right.hashes)
    return None


def left(preserved: Place, nullable: Place, pairs: Sequence[Pair]) -> Place | None:
    """`pairs` are the join's own equalities. Rows of the nullable side that match nothing vanish."""
    if nullable.spread is Spread.REPLICATED:
        return preserved
    if nullable.spread is Spread.SINGLE and preserved.spread is not Spread.PARTITIONED:
        return Place(Spread.SINGLE)
    if meet(preserved, nullable, pairs):
        return Place(Spread.PARTITIONED, preserved.hashes | _nullable(nullable.hashes))
    return None


def full(one: Place, other: Place, pairs: Sequence[Pair]) -> Place | None:
    if one.spread is Spread.REPLICATED and other.spread is Spread.REPLICATED:
        return one
    if Spread.PARTITIONED not in (one.spread, other.spread):
        return Place(Spread.SINGLE)
    if meet(one, other, pairs):
        return Place(Spread.PARTITIONED, _nullable(one.hashes) | _nullable(other.hashes))
    return None


def nested(outer: Place, queried: Place, pairs: Sequence[Pair]) -> Place | None:
    """A subquery in an expression: `pairs` are equalities (outer column, inner column) that each inner row passes."""
    if queried.spread is Spread.REPLICATED:
        return outer
    if queried.spread is Spread.SINGLE and outer.spread is not Spread.PARTITIONED:
        return Place(Spread.SINGLE)
    if meet(outer, queried, pairs):
        return outer
    return None


def _nullable(hashes: Iterable[Hash]) -> frozenset[Hash]:
    return frozenset(replace(one, everywhere_null=True) for one in hashes)
