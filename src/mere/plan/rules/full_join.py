"""FULL JOIN: both sides by equal columns, or both on every segment, or both on one. Coordinator process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from mere.plan import sides
from mere.plan.block import FullJoin
from mere.plan.columns import Ref, conjunction, queries_in, ref_of, refs, substitute
from mere.plan.group import Group, Item, closed, nested, opened, plain
from mere.plan.local import Local, Spread
from mere.plan.planning import Planning
from mere.plan.schemes import common, hash_scheme, meets, scheme_types
from mere.plan.sides import Pair
from mere.plan.undivided import Undivided


def full_join(planning: Planning, join: FullJoin, outside: Iterable[Ref]) -> Group:
    """The join as one member."""
    from mere.plan.arrange import Arrangement

    if any(True for condition in join.on for _ in queries_in(condition)):
        raise Undivided("a subquery in the condition of an outer join")
    read = dict.fromkeys(outside) | refs(*join.on)
    one = Arrangement(planning, join.left, read).arranged()
    other = Arrangement(planning, join.right, read).arranged()
    pairs = _pairs(planning, join.on, one, other)
    place = sides.full(one.place, other.place, pairs)
    if place is None:
        one, other = _met(planning, one, other, pairs, list(read))
        place = sides.full(one.place, other.place, pairs)
    if place is None:
        raise Undivided("rows that belong together are apart")
    one, other = (_operand(planning, side, list(read)) for side in (one, other))
    location = one.location | other.location
    ours, our_names = nested(one.items, one.mapping())
    theirs, their_names = nested(other.items, other.mapping())
    mapping = one.mapping() | other.mapping()
    on = conjunction([substitute(condition, mapping) for condition in join.on]) or exp.true()
    ours.set("joins", [*(ours.args.get("joins") or []), exp.Join(this=theirs, side="FULL", on=on)])
    item = Item(exp.Subquery(this=ours), our_names | their_names)
    rows = max(one.rows, other.rows)
    return Group([item], place, rows, one.aliases | other.aliases, location=location)


def _pairs(planning: Planning, on: Sequence[exp.Expression], one: Group, other: Group) -> list[Pair]:
    found = []
    for condition in on:
        if not isinstance(condition, exp.EQ):
            continue
        left, right = ref_of(condition.this), ref_of(condition.expression)
        if left is None or right is None:
            continue
        if right[0] in one.aliases:
            left, right = right, left
        types = [planning.known.types.get(left, "?"), planning.known.types.get(right, "??")]
        if left[0] in one.aliases and right[0] in other.aliases and common(types) is not None:
            found.append((left, right))
    return found


def _met(
    planning: Planning, one: Group, other: Group, pairs: Sequence[Pair], read: Sequence[Ref]
) -> tuple[Group, Group]:
    """Both sides with rows that may match on one segment."""
    builder = planning.builder
    ours, our_names = closed(one, _own(one, read), planning.known, builder)
    theirs, their_names = closed(other, _own(other, read), planning.known, builder)
    if not pairs:
        ours, theirs = builder.gather(ours), builder.gather(theirs)
    else:
        ours, theirs = _by_pairs(planning, ours, our_names, theirs, their_names, pairs)
    return opened(one, ours, our_names, planning.known), opened(other, theirs, their_names, planning.known)


def _by_pairs(
    planning: Planning,
    ours: Local,
    our_names: dict[Ref, str],
    theirs: Local,
    their_names: dict[Ref, str],
    pairs: Sequence[Pair],
) -> tuple[Local, Local]:
    builder, known = planning.builder, planning.known
    for left, right in pairs:
        for one in ours.place.hashes if ours.place.spread is Spread.PARTITIONED else ():
            if one.columns == (our_names[left],) and meets(known.types[right], scheme_types(one.scheme)[0]):
                return ours, builder.redistribute(theirs, [their_names[right]], one.scheme)
        for one in theirs.place.hashes if theirs.place.spread is Spread.PARTITIONED else ():
            if one.columns == (their_names[right],) and meets(known.types[left], scheme_types(one.scheme)[0]):
                return builder.redistribute(ours, [our_names[left]], one.scheme), theirs
    left, right = pairs[0]
    wanted = common([known.types[left], known.types[right]])
    assert wanted is not None
    scheme = hash_scheme([wanted])
    return (
        builder.redistribute(ours, [our_names[left]], scheme),
        builder.redistribute(theirs, [their_names[right]], scheme),
    )


def _operand(planning: Planning, side: Group, read: Sequence[Ref]) -> Group:
    if plain(side) and not side.conditions:
        return side
    local, names = closed(side, _own(side, read), planning.known, planning.builder)
    return opened(side, local, names, planning.known)


def _own(group: Group, read: Sequence[Ref]) -> list[Ref]:
    return [ref for ref in read if ref[0] in group.aliases]
