"""SELECT DISTINCT and DISTINCT ON: each segment leaves out what it can, then the rows meet by what must be distinct.

Coordinator process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.plan.above.calls import bare
from mere.plan.above.carry import Carried, aliased, column, source_of
from mere.plan.above.estimates import combinations, few, spread_by, together
from mere.plan.above.grouping import plain_columns
from mere.plan.above.stage import placed, raised
from mere.plan.builder import Builder
from mere.plan.local import Joined, Spread

_ALIAS = "mere_distinct"


def complete_distinct(builder: Builder, joined: Joined) -> Joined:
    """The same SELECT with DISTINCT complete on each segment, or on one. Groups and windows are complete already."""
    distinct = joined.select.args.get("distinct")
    if distinct is None or joined.place.spread is not Spread.PARTITIONED:
        return joined
    on = distinct.args.get("on")
    keys = [item.this for item in joined.select.expressions if isinstance(item, exp.Alias)]
    if on is not None:
        keys = list(on.expressions) if isinstance(on, exp.Tuple) else [on]
    if together(joined.place, plain_columns(keys)):
        return joined
    if on is not None:
        return _distinct_on(builder, joined, keys)
    items = [(item.this, item.alias) for item in joined.select.expressions]
    groups = combinations(joined, keys)
    rows = min(joined.rows, groups * builder.facts.segments)
    local = builder.local(joined.select, placed(joined.place, items), rows)
    if few(rows):
        moved = builder.gather(local)
    else:
        moved = builder.redistribute(local, spread_by(joined, items, builder.facts.segments))
    outer = exp.Select(
        expressions=[aliased(column(name, _ALIAS), name) for _, name in items],
        from_=source_of(moved, _ALIAS),
        distinct=exp.Distinct(),
    )
    return raised(joined, outer, moved, Carried(_ALIAS), groups, {name: key for key, name in items})


def _distinct_on(builder: Builder, joined: Joined, keys: list[exp.Expression]) -> Joined:
    """What it goes by, and its order, become columns; both steps have the same order."""
    select = joined.select
    items = [(item.this, str(item.alias)) for item in select.expressions]
    listed = len(items)
    items += [(key, f"mere_on_{number}") for number, key in enumerate(keys)]
    order = select.args.get("order")
    sorts: list[exp.Ordered] = []
    for number, item in enumerate(order.expressions if order is not None else []):
        name = f"mere_by_{number}"
        if isinstance(item.this, exp.Literal) and not item.this.is_string:
            name = items[int(item.this.this) - 1][1]
        else:
            items.append((item.this, name))
        key = column(name, _ALIAS)
        sorts.append(exp.Ordered(this=key, desc=item.args.get("desc"), nulls_first=item.args.get("nulls_first")))
    inner = select.copy()
    inner.set("expressions", [aliased(bare(node), name) for node, name in items])
    groups = combinations(joined, keys)
    rows = min(joined.rows, groups * builder.facts.segments)
    local = builder.local(inner, placed(joined.place, items), rows)
    if few(rows):
        moved = builder.gather(local)
    else:
        named = [(key, f"mere_on_{number}") for number, key in enumerate(keys)]
        moved = builder.redistribute(local, spread_by(joined, named, builder.facts.segments))
    on = exp.Tuple(expressions=[column(f"mere_on_{number}", _ALIAS) for number in range(len(keys))])
    outer = exp.Select(
        expressions=[aliased(column(name, _ALIAS), name) for _, name in items[:listed]],
        from_=source_of(moved, _ALIAS),
        distinct=exp.Distinct(on=on),
    )
    if sorts:
        outer.set("order", exp.Order(expressions=sorts))
    return raised(joined, outer, moved, Carried(_ALIAS), groups, {name: key for key, name in items})
