"""Many clients at once, each with a connection of its own: they ask the queries of TPC-H at random, by a fixed seed."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from mere.demo.answers import Rows, first_difference, open_reference
from mere.demo.tpch import TABLES, queries


@dataclass(frozen=True, slots=True)
class Asked:
    """`wrong` says how the answer differs from the right one."""

    client: int
    query: str
    seconds: float
    wrong: str | None


def right_answers(files: Path) -> dict[str, Rows]:
    """DuckDB's own, over the files that were loaded."""
    with open_reference(files, [table.name for table in TABLES]) as reference:
        return {name: reference.execute(sql).fetchall() for name, sql in queries().items()}


async def crowd(conninfo: str, clients: int, rounds: int, seed: int, answers: Mapping[str, Rows]) -> list[Asked]:
    """All connect first; then each asks as many queries as there are rounds. Returns when the last has its answer."""
    connections = [await psycopg.AsyncConnection.connect(conninfo, autocommit=True) for _ in range(clients)]
    try:
        asking = (_ask(number, connection, rounds, seed, answers) for number, connection in enumerate(connections))
        return [asked for each in await asyncio.gather(*asking) for asked in each]
    finally:
        for connection in connections:
            await connection.close()


async def _ask(
    client: int, connection: psycopg.AsyncConnection, rounds: int, seed: int, answers: Mapping[str, Rows]
) -> list[Asked]:
    texts = queries()
    asked = []
    for name in random.Random(seed * 1000 + client).choices(list(texts), k=rounds):
        started = time.monotonic()
        cursor = await connection.execute(texts[name].encode())
        found = await cursor.fetchall()
        seconds = time.monotonic() - started
        asked.append(Asked(client, name, seconds, first_difference(found, answers[name])))
    return asked
