"""The planner's golden cases: the text of each plan, and its answer wherever the rows may lie."""

from __future__ import annotations

import pytest
from harness.plan_proof import expected, prove
from harness.plan_warehouse import Warehouse

from golden.plan_cases import DIRECTORY, Case, Setting, cases, output, spread, warehouse

CASES = [
    pytest.param(case, id=f"{file.stem}: {case.statement[:70]}")
    for file in sorted(DIRECTORY.glob("*.sql"))
    for case in cases(file)
]


@pytest.fixture(scope="module")
def tables() -> Warehouse:
    return warehouse()


@pytest.mark.parametrize("case", CASES)
def test_slices_and_motions(tables: Warehouse, case: Case) -> None:
    assert output(tables, case) == case.output


@pytest.mark.parametrize("policy", ["hash", "random", "replicated"])
@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_that_of_the_whole(tables: Warehouse, case: Case, policy: str) -> None:
    small = dict.fromkeys(case.setting.stated, 50.0)
    for segments, stated in ((1, small), (2, case.setting.stated), (3, case.setting.stated), (5, small)):
        placed = spread(tables, Setting(policy, segments, stated))
        bound = placed.bind(case.statement)
        proof = prove(placed, bound, expected(placed, bound), segments, seed=segments)
        assert proof.wrong is None, f"{policy}, {segments} segments: {proof.wrong}"
