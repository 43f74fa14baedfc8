"""The 99 queries of TPC-DS: all are divided. Their answers are compared with DuckDB's by hand, since it takes long:
MERE_TPCDS_SCALE=1 runs them over data, slice by slice on three segments.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from harness.plan_benchmarks import TPCDS_ROWS, tpcds_warehouse
from harness.plan_proof import expected, prove
from harness.plan_warehouse import Warehouse

SCALE = int(os.environ.get("MERE_TPCDS_SCALE", "0"))


@dataclass(frozen=True, slots=True)
class Benchmark:
    tables: Warehouse
    queries: Mapping[int, str]


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    pytest.importorskip("duckdb_extension_tpcds", reason="its generator is the package duckdb-extension-tpcds")
    return Benchmark(*tpcds_warehouse(SCALE))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("policy", ["hash", "random"])
@pytest.mark.parametrize("number", range(1, 100))
def test_a_query_of_tpcds_is_divided_and_right(benchmark: Benchmark, number: int, policy: str) -> None:
    placed = benchmark.tables.distributed(policy, {} if SCALE else TPCDS_ROWS)
    bound = placed.bind(benchmark.queries[number])
    proof = prove(placed, bound, expected(placed, bound), 3, read_everywhere_rows=50_000)
    assert proof.wrong is None
    assert proof.plan is not None and proof.plan.whole is None
