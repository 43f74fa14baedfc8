"""Groups over rows that were brought together: for aggregates that do not split, and where partial values save nothing.

Coordinator process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.plan.above.carry import Carried, above, below, rewritten, source_of
from mere.plan.above.estimates import combinations, few, spread_by
from mere.plan.above.grouping import Grouping
from mere.plan.above.stage import placed, raised
from mere.plan.builder import Builder
from mere.plan.local import Joined


def over_moved_rows(builder: Builder, joined: Joined, grouping: Grouping) -> Joined:
    """The rows move by keys that are in every grouping set, else to one segment; they carry keys and arguments only."""
    carried = Carried("mere_rows")
    for key in grouping.keys:
        carried.add(key, "mere_k")
    for call in (grouping.calls | grouping.subqueries).values():
        for part in call.parts():
            if part.find(exp.Column, exp.Select) is not None:
                carried.add(part, "mere_a")
    inner = below(joined.select, carried.projections())
    local = builder.local(inner, placed(joined.place, carried.items), joined.rows)
    common = [(key, carried.name(key)) for key in grouping.common()]
    if few(joined.rows) or not common:
        moved = builder.gather(local)
    else:
        moved = builder.redistribute(local, spread_by(joined, common, builder.facts.segments))
    finals = {node: rewritten(node, carried.replace) for node in grouping.calls}
    for node in grouping.subqueries:
        finals[node] = exp.Anonymous(this="any_value", expressions=[carried.reference(node)])
    replace = grouping.replacing(carried.reference, finals)
    outer = above(joined.select, source_of(moved, carried.alias), replace)
    group = joined.select.args.get("group")
    if group is not None:
        outer.set("group", rewritten(group, replace))
    groups = sum(combinations(joined, members) for members in grouping.sets)
    return raised(joined, outer, moved, carried, min(groups, joined.rows * len(grouping.sets)))
