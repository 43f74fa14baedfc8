"""Random queries, seeded, planned for several segments and run there; DuckDB's answer on the whole is the right one.

MERE_PLAN_SEEDS=1000-9000 runs other seeds. A failure by its seed: `python -m differential.distributed_failure 1234`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from harness.plan_proof import Expected, Proof, Refused, expected, prove
from harness.plan_warehouse import Warehouse

from mere.errors import MereError
from mere.sql.bind import BoundSelect

from .distributed_queries import QueryMaker
from .distributed_tables import KEYS, warehouse

FIRST, LAST = (int(seed) for seed in os.environ.get("MERE_PLAN_SEEDS", "1-60").split("-"))


@dataclass(frozen=True, slots=True)
class Cluster:
    """How the tables of one random query are spread, and what the planner believes of their sizes."""

    segments: int
    policies: Mapping[str, str]
    stated_rows: Mapping[str, float]
    read_everywhere_rows: float
    keys: Mapping[str, str]
    buckets: Mapping[str, int]

    @classmethod
    def random(cls, seed: int) -> Cluster:
        dice = random.Random(seed)
        kinds = dice.choice((("hash",), ("random",), ("hash", "random"), ("hash", "hash", "random", "replicated")))
        names = ("t0", "t1", "t2", "u", "e", "r")
        return cls(
            dice.choice((1, 2, 2, 3, 3, 3, 5)),
            {name: dice.choice(kinds) for name in names if name != "r"},
            {name: 10 ** dice.uniform(1, 8) for name in names if name != "r"},
            dice.choice((0, 0, 1000)),
            {name: dice.choice(KEYS[name] * 4 + "vwsnd") for name in names},
            {name: dice.choice((16, 16, 16, 7)) for name in names},
        )

    def spread(self, rows: Warehouse) -> Warehouse:
        return rows.distributed(self.policies, self.stated_rows, self.keys, self.buckets)


def bind_and_answer(tables: Warehouse, sql: str) -> tuple[BoundSelect, Expected] | None:
    """None where the binder or DuckDB refuses the query as a whole."""
    try:
        bound = tables.bind(sql)
        return bound, expected(tables, bound, seconds=5)
    except (MereError, Refused):
        return None


def proof(rows: Warehouse, sql: str, seed: int) -> Proof | None:
    cluster = Cluster.random(seed)
    tables = cluster.spread(rows)
    known = bind_and_answer(tables, sql)
    if known is None:
        return None
    bound, wanted = known
    return prove(tables, bound, wanted, cluster.segments, read_everywhere_rows=cluster.read_everywhere_rows, seed=seed)


@pytest.mark.timeout(600)
def test_random_queries_answer_as_on_the_whole() -> None:
    rows = warehouse()
    wrong, ran, whole = [], 0, 0
    for seed in range(FIRST, LAST + 1):
        sql = QueryMaker(seed).query()
        found = proof(rows, sql, seed)
        if found is None:
            continue
        ran += 1
        if found.plan is not None and found.plan.whole is not None and found.plan.segments > 1:
            whole += 1
        if found.wrong is not None:
            wrong.append(f"seed {seed}: {found.wrong}\n    {sql}")
    print(f"{ran} of {LAST - FIRST + 1} queries ran, {whole} of them whole on one segment, {len(wrong)} wrong")
    assert not wrong, f"{len(wrong)} differ\n" + "\n".join(wrong)
    assert ran > 0.85 * (LAST - FIRST + 1)
