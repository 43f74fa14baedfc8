"""From a bound query to slices and motions: the planner's entry. Pure functions in the coordinator process."""

from __future__ import annotations

from dataclasses import replace

from mere.plan.above.order import take_ending
from mere.plan.above.root import finish_root
from mere.plan.builder import SINGLE, Builder
from mere.plan.local import Facts
from mere.plan.nodes import DistributedPlan, MotionKind
from mere.plan.planning import Planning
from mere.plan.query import plan_query
from mere.plan.rules.common_tables import leave_out_unread, take_out
from mere.plan.rules.derived import rename_columns, without_lists
from mere.plan.rules.shared_conditions import narrow
from mere.plan.undivided import Undivided
from mere.sql.bind.bound import BoundSelect

_ROWS = 1000.0  # of a query that is not looked into


def distribute(query: BoundSelect, facts: Facts) -> DistributedPlan:
    """The plan for `facts.segments`. What no rule covers runs whole on one segment, with the reason."""
    if facts.segments == 1:
        return whole(query, facts, "one segment")
    if query.volatile:
        return whole(query, facts, "a volatile function gives another answer each time")
    try:
        return _divided(query, facts)
    except Undivided as reason:
        return whole(query, facts, reason.reason)


def _divided(query: BoundSelect, facts: Facts) -> DistributedPlan:
    tree = query.tree.copy()
    common = take_out(tree)
    for each in (tree, *(table.query for table in common.shared.values())):
        rename_columns(each)
        without_lists(each)
    leave_out_unread(tree, common)
    narrow(tree, common)
    tree, ending = take_ending(tree)
    planning = Planning(facts, Builder(facts), common)
    return finish_root(planning.builder, plan_query(planning, tree).local, query, ending)


def whole(query: BoundSelect, facts: Facts, reason: str) -> DistributedPlan:
    """The query undivided on one segment; the coordinator keeps its order."""
    builder = Builder(facts)
    try:
        tree, ending = take_ending(query.tree)
        plan = finish_root(builder, builder.local(tree, SINGLE, _ROWS), query, ending)
    except Undivided:
        plan = _verbatim(query, facts)
    return replace(plan, whole=reason)


def _verbatim(query: BoundSelect, facts: Facts) -> DistributedPlan:
    """An ending that cannot be taken off stays where it is; its rows come in order from one sender."""
    builder = Builder(facts)
    motion = builder.sent(builder.local(query.tree, SINGLE, _ROWS), MotionKind.GATHER)
    return builder.finish(builder.received(motion, SINGLE, _ROWS).tree, query)
