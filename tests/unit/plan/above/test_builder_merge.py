"""A few gathered rows that all segments want are merged by each of them, where that gives one answer."""

from __future__ import annotations

from harness.plan_simulator import simulate
from harness.plan_warehouse import Warehouse
from harness.same_rows import difference

from mere.plan.distribute import distribute
from mere.plan.nodes import DistributedPlan


def _plan(tables: Warehouse, statement: str) -> DistributedPlan:
    stated = tables.distributed("random", dict.fromkeys(tables.tables, 3e6))
    bound = stated.bind(statement)
    plan = distribute(bound, stated.facts(bound, 3))
    assert difference(stated.answer(bound), simulate(stated, bound, plan).rows) is None
    return plan


def test_an_exact_total_is_merged_by_every_segment(tables: Warehouse) -> None:
    plan = _plan(tables, "select count(*) from t where c > (select avg(c) from u)")
    assert [motion.kind.value for motion in plan.motions] == ["Broadcast", "Gather"]


def test_a_sum_of_floats_is_merged_once_for_all(tables: Warehouse) -> None:
    """Parts come in any order, and each order has its own last digit."""
    plan = _plan(tables, "select count(*) from t where e > (select avg(e) from u)")
    assert [motion.kind.value for motion in plan.motions] == ["Gather", "Broadcast", "Gather"]


def test_a_choice_of_rows_is_made_once_for_all(tables: Warehouse) -> None:
    plan = _plan(tables, "select count(*) from t where c in (select c from u order by c limit 3)")
    assert "Broadcast" in [motion.kind.value for motion in plan.motions]
    assert sum(slice_.where.value == "one" for slice_ in plan.slices) == 1
