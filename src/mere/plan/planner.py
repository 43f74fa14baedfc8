"""From a bound query to slices. Pure functions in the coordinator process.

With one segment there are no motions: the plan is the query, and DuckDB optimises it whole.
"""

from __future__ import annotations

from mere.plan.nodes import Plan, Slice
from mere.sql.bind.bound import BoundSelect


def plan(query: BoundSelect) -> Plan:
    slice_ = Slice(1, query.tree, query.columns, query.scans, query.constants)
    return Plan((slice_,), whole="one segment")
