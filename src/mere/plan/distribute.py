"""From a bound query to slices and motions: the planner's entry. Pure functions in the coordinator process."""

from __future__ import annotations

from mere.plan.builder import SINGLE, Builder
from mere.plan.local import Facts
from mere.plan.nodes import DistributedPlan, MotionKind
from mere.sql.bind.bound import BoundSelect


def distribute(query: BoundSelect, facts: Facts) -> DistributedPlan:
    """The plan for `facts.segments`. What no rule covers runs whole on one segment, with the reason."""
    return whole(query, facts, "no rule")


def whole(query: BoundSelect, facts: Facts, reason: str) -> DistributedPlan:
    """The query undivided on one segment, its rows passed on."""
    from dataclasses import replace

    builder = Builder(facts)
    columns = builder.describe(query.tree)
    local = builder.local(query.tree, SINGLE, 1000.0, columns=columns)
    motion = builder.sent(local, MotionKind.GATHER)
    received = builder.received(motion, SINGLE, local.rows, local.width)
    return replace(builder.finish(received.tree, query, plain=True), whole=reason)
