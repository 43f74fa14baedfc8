"""The 22 queries of TPC-H, planned for three segments and run there slice by slice: all are divided, all are right."""

from __future__ import annotations

import pytest
from harness.plan_benchmarks import tpch_warehouse
from harness.plan_proof import expected, prove
from harness.plan_warehouse import Warehouse

from mere.demo.tpch import queries

QUERIES = queries()
STATED = {"supplier": 1e4, "part": 2e5, "partsupp": 8e5, "customer": 1.5e5, "orders": 1.5e6, "lineitem": 6e6}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return tpch_warehouse(tmp_path_factory.mktemp("tpch"), 0.01)


@pytest.mark.parametrize("policy", ["hash", "random"])
@pytest.mark.parametrize("name", QUERIES)
def test_a_query_of_tpch_is_divided_and_right(tables: Warehouse, name: str, policy: str) -> None:
    policies = {name: table.policy if table.policy == "replicated" else policy for name, table in tables.tables.items()}
    placed = tables.distributed(policies, STATED)  # planned as at scale factor 1
    bound = placed.bind(QUERIES[name].strip().rstrip(";"))
    proof = prove(placed, bound, expected(placed, bound), 3, read_everywhere_rows=50_000)
    assert proof.wrong is None
    assert proof.plan is not None and proof.plan.whole is None
