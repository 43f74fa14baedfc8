"""The end of a plan: what comes to the coordinator, and the query that it runs over that.

Rows of all segments meet by a Gather; an order is decided once more there, after each segment has sent no more than the
first rows. Where the rows already met on one segment, the coordinator does that segment's last step itself if it needs
nothing but what was gathered. Coordinator process.
"""

from __future__ import annotations

from mere.plan.above.order import Ending, first_rows, with_ending
from mere.plan.builder import Builder, motions_in
from mere.plan.local import Local, Spread
from mere.plan.nodes import DistributedPlan, MotionKind
from mere.sql.bind.bound import BoundSelect

_AT_HOME = 200_000  # the coordinator takes the last step over no more rows than these


def finish_root(builder: Builder, local: Local, query: BoundSelect, ending: Ending) -> DistributedPlan:
    if local.place.spread is not Spread.PARTITIONED and _needs_no_segment(builder, local):
        return builder.finish(with_ending(local, ending), query)
    first = first_rows(builder, local, ending)
    motion = builder.sent(first, MotionKind.GATHER)
    received = builder.received(motion, local.place, first.rows)
    plain = not ending.order and not ending.limited and not ending.hidden
    return builder.finish(with_ending(received, ending), query, plain=plain)


def _needs_no_segment(builder: Builder, local: Local) -> bool:
    """Whether the rows of a tree are all in gathers and broadcasts."""
    if builder.scans_in(local.tree):
        return False
    motions = [builder.motions[number - 1] for number in motions_in(local.tree)]
    if any(motion.kind is MotionKind.REDISTRIBUTE for motion in motions):
        return False
    return sum(builder.slices[motion.sender - 1].rows for motion in motions) <= _AT_HOME
