"""Random queries, seeded, on PostgreSQL 18 and on Mere. MERE_QUERY_SEEDS=4000-9000 runs other seeds."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from harness.client import Client, ConnectionLost, DeadlinePassed
from harness.postgres import Peer
from harness.workspace import Workspace

from .comparison import compare
from .random_queries import SETUP, Query, rows

FIRST, LAST = (int(seed) for seed in os.environ.get("MERE_QUERY_SEEDS", "1-150").split("-"))


@pytest.fixture
def both(peer: Peer, space: Workspace) -> Iterator[tuple[Client, Client]]:
    postgres, mere = Client(peer.conninfo), space.client()
    postgres.ok(f"CREATE SCHEMA {space.schema}")
    postgres.ok(f"SET search_path = {space.schema}")
    for sql in (*SETUP, *rows(1)):
        postgres.ok(sql)
        mere.ok(sql)
    yield postgres, mere
    postgres.simple(f"DROP SCHEMA {space.schema} CASCADE")
    postgres.close()


@pytest.mark.timeout(600)
def test_random_queries_answer_as_in_postgres(both: tuple[Client, Client], space: Workspace) -> None:
    postgres, mere = both
    problems = []
    for seed in range(FIRST, LAST + 1):
        sql = Query(seed).sql
        try:
            difference = compare(postgres.run(sql), mere.run(sql), ordered=False).difference
        except (ConnectionLost, DeadlinePassed) as error:
            difference = repr(error)
            mere = space.client()
        # PostgreSQL keeps a varchar's length over set operations that it then calls text; nobody relies on it.
        if difference is not None and not difference.startswith("type modifiers"):
            problems.append(f"seed {seed}: {difference}\n    {sql}")
    assert not problems, f"{len(problems)} differ\n" + "\n".join(problems)
