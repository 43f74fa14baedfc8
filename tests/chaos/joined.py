"""Two tables whose join moves rows between segments and takes a second or two, and what it must answer."""

from __future__ import annotations

import psycopg

ROWS, GROUPS, FEW = 20_000, 200, 4
MOVED = "SELECT a.g, count(*), sum(b.k) FROM t AS a JOIN u AS b ON a.g = b.g GROUP BY a.g ORDER BY a.g"
SLOW = MOVED.replace(".g", ".h")
ENDLESS = "SELECT count(*) FROM t AS a, t AS b, t AS c WHERE a.k + b.k + c.k = 0"


def fill(connection: psycopg.Connection) -> None:
    connection.execute("CREATE TABLE t (k bigint, g int, h int) DISTRIBUTED BY (k)")
    connection.execute("CREATE TABLE u (k bigint, g int, h int) DISTRIBUTED RANDOMLY")
    made = f"SELECT i, i % {GROUPS}, i % {FEW} FROM generate_series(1, {ROWS}) AS i"
    connection.execute(f"INSERT INTO t {made}")
    connection.execute(f"INSERT INTO u {made}")


def expected() -> list[tuple[int, int, int]]:
    return _expected(GROUPS)


def expected_slow() -> list[tuple[int, int, int]]:
    return _expected(FEW)


def _expected(groups: int) -> list[tuple[int, int, int]]:
    each = ROWS // groups
    return [(g, each * each, each * sum(range(g or groups, ROWS + 1, groups))) for g in range(groups)]
