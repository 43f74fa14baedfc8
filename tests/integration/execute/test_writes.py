"""Statements that change tables on segments: what they leave is what PostgreSQL leaves of the same statements."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.client import Client
from harness.mere import MereProcess

pytestmark = pytest.mark.timeout(180)

COLUMNS = "k bigint NOT NULL, g int, s text DEFAULT 'none', n numeric(12,2) CHECK (n >= 0), d date DEFAULT '2024-02-29'"
LAYOUTS = ("DISTRIBUTED BY (k)", "DISTRIBUTED RANDOMLY", "DISTRIBUTED REPLICATED")
ROWS = "SELECT i, i % 97, 'x' || i, i / 4.0, date '2024-01-01' + (i % 300)::int FROM generate_series(1, 20000) AS i"


@pytest.fixture(scope="module", autouse=True)
def source(cluster: MereProcess) -> None:
    with cluster.client() as client:
        for kind in ("", "USING heap"):
            name = "w_heap" if kind else "w_source"
            client.ok(f"CREATE TABLE {name} ({COLUMNS}) {kind}")
            client.ok(f"INSERT INTO {name} {ROWS}")


@pytest.fixture(params=LAYOUTS, ids=["hash", "random", "replicated"])
def pair(request: pytest.FixtureRequest, cluster: MereProcess) -> Iterator[Client]:
    """A lake table `lake` and a table of PostgreSQL's own, `heap`, with the same rows."""
    with cluster.client() as client:
        client.ok(f"CREATE TABLE lake ({COLUMNS}) {request.param}")
        client.ok(f"CREATE TABLE heap ({COLUMNS}) USING heap")
        client.ok("INSERT INTO lake SELECT * FROM w_source")
        client.ok("INSERT INTO heap SELECT * FROM w_heap")
        yield client
        client.ok("DROP TABLE lake, heap")


def both(client: Client, statement: str) -> None:
    """The same statement over both tables; the same tag, the same rows after it."""
    tags = [client.ok(statement.format(table=name, source=f"w_{other}")).tag for name, other in SIDES]
    assert tags[0] == tags[1]
    alike(client)


SIDES = (("lake", "source"), ("heap", "heap"))


def alike(client: Client) -> None:
    rows = [client.ok(f"SELECT * FROM {name} ORDER BY k, g, s, n, d").text for name, _ in SIDES]
    assert rows[0] == rows[1]


def test_rows_are_written_where_they_are_read(pair: Client) -> None:
    alike(pair)
    both(pair, "INSERT INTO {table} (k, g, n) SELECT k + 100000, count(*), sum(n) FROM {source} GROUP BY k")
    both(pair, "INSERT INTO {table} SELECT a.k, b.g, a.s FROM {source} a JOIN {source} b ON a.k = b.g")
    both(pair, "INSERT INTO {table} SELECT * FROM {source} ORDER BY k DESC LIMIT 5")
    both(pair, "INSERT INTO {table} SELECT * FROM {table}")


def test_rows_are_changed_where_they_lie(pair: Client) -> None:
    both(pair, "UPDATE {table} SET n = n * 2, s = s || '!' WHERE g < 40")
    both(pair, "UPDATE {table} SET g = g + 1000, s = DEFAULT WHERE k % 3 = 0")
    both(pair, "UPDATE {table} SET n = x.n + 1 FROM {source} AS x WHERE x.k = {table}.k AND x.g = 5")
    both(pair, "DELETE FROM {table} WHERE g BETWEEN 10 AND 20")
    both(pair, "DELETE FROM {table} USING {source} AS x WHERE x.k = {table}.k AND x.s LIKE '%7'")
    both(pair, "UPDATE {table} SET k = k + 1")
    both(pair, "UPDATE {table} SET g = 1 WHERE false")
    both(pair, "DELETE FROM {table}")


def test_delete_files_are_written_where_the_positions_of_a_file_meet(pair: Client) -> None:
    """Rows of one file are found by both segments, after a join by another column, and again after a commit."""
    for modulo in (5, 3, 2):
        both(
            pair,
            "DELETE FROM {table} USING (SELECT g, max(k) AS k FROM {source} GROUP BY g) AS x"
            f" WHERE x.g = {{table}}.g AND {{table}}.k % {modulo} = 0 AND x.k > 100",
        )
        both(
            pair,
            f"UPDATE {{table}} SET n = 1 FROM {{source}} AS x WHERE x.g = {{table}}.g AND {{table}}.k % 77 < {modulo}",
        )


def test_explain_says_who_writes_delete_files(pair: Client) -> None:
    def explained(statement: str) -> str:
        return "\n".join(str(row[0]) for row in pair.ok(f"EXPLAIN {statement}").text)

    for statement in ("DELETE FROM lake WHERE g = 3", "UPDATE lake SET n = 0 FROM w_source AS x WHERE x.k = lake.k"):
        lines = explained(statement)
        assert "->  Delete Files\n" in lines and "Redistribute Motion" in lines and "Hash Key: file" in lines
    lines = explained("DELETE FROM lake WHERE g = 3 RETURNING k")
    assert "Delete Files by the coordinator  (RETURNING sends them to the client)" in lines


def test_rows_are_merged(pair: Client) -> None:
    both(
        pair,
        "MERGE INTO {table} AS t USING (SELECT k * 2 AS k, g, n FROM {source}) AS x ON t.k = x.k"
        " WHEN MATCHED AND x.g < 10 THEN DELETE"
        " WHEN MATCHED THEN UPDATE SET n = x.n, s = DEFAULT"
        " WHEN NOT MATCHED AND x.g > 50 THEN INSERT (k, g) VALUES (x.k, x.g)",
    )
    outcome = pair.fails(
        "MERGE INTO lake AS t USING (SELECT g AS k FROM w_source) AS x ON t.k = x.k WHEN MATCHED THEN DELETE", "21000"
    )
    assert outcome.message == "MERGE command cannot affect row a second time"
    alike(pair)


def test_a_row_that_breaks_a_constraint_leaves_nothing(pair: Client) -> None:
    pair.fails("INSERT INTO lake SELECT k, g, s, n - 4999 FROM w_source", "23514")
    pair.fails("INSERT INTO lake SELECT nullif(k, 15000), g FROM w_source", "23502")
    pair.fails("UPDATE lake SET n = n - 4999", "23514")
    pair.fails("INSERT INTO lake SELECT k, g, s, 1 / (k - 15000) FROM w_source", "22012")
    alike(pair)


def test_a_transaction_sees_its_own_rows_and_forgets_them(pair: Client) -> None:
    pair.ok("BEGIN")
    both(pair, "INSERT INTO {table} SELECT k + 50000, g FROM {source}")
    both(pair, "UPDATE {table} SET s = 'mine' WHERE k > 60000")
    pair.ok("SAVEPOINT a")
    both(pair, "DELETE FROM {table} WHERE k > 65000 OR k < 100")
    pair.ok("ROLLBACK TO a")
    alike(pair)
    pair.ok("ROLLBACK")
    alike(pair)


def test_returning_and_numbers_of_a_sequence(pair: Client) -> None:
    returned = [
        sorted(pair.ok(f"UPDATE {name} SET n = n + 1 WHERE g = 3 RETURNING k, n, old.n").text) for name, _ in SIDES
    ]
    assert returned[0] == returned[1]
    pair.ok("CREATE TABLE numbered (id serial, k bigint)")
    try:
        pair.ok("INSERT INTO numbered (k) SELECT k FROM w_source")
        assert pair.ok("SELECT count(*), count(DISTINCT id), min(id), max(id), sum(k) FROM numbered").text == [
            ("20000", "20000", "1", "20000", "200010000")
        ]
    finally:
        pair.ok("DROP TABLE numbered")


def test_create_table_as(cluster: MereProcess) -> None:
    with cluster.client() as client:
        client.ok(
            "CREATE TABLE made DISTRIBUTED BY (g) AS"
            " SELECT g, count(*) AS c, sum(n)::numeric(20,2) AS n FROM w_source GROUP BY g"
        )
        expected = client.ok("SELECT g, count(*), sum(n) FROM w_heap GROUP BY g ORDER BY g").text
        assert client.ok("SELECT * FROM made ORDER BY g").text == expected
        client.ok("DROP TABLE made")


def test_parquet_files_are_loaded_in_pieces(cluster: MereProcess, session_scratch: Path) -> None:
    directory = session_scratch / "loads"
    directory.mkdir(exist_ok=True)
    with cluster.client() as client:
        for number in range(3):
            file = directory / f"part-{number}.parquet"
            client.ok(f"COPY (SELECT * FROM w_source WHERE k % 3 = {number}) TO '{file}' (FORMAT parquet)")
        for layout in LAYOUTS:
            client.ok(f"CREATE TABLE loaded ({COLUMNS}) {layout}")
            assert client.ok(f"COPY loaded FROM '{directory}/part-*.parquet' (FORMAT parquet)").tag == "COPY 20000"
            expected = client.ok("SELECT * FROM w_heap ORDER BY k").text
            assert client.ok("SELECT * FROM loaded ORDER BY k").text == expected
            client.ok("DROP TABLE loaded")


@contextmanager
def killing(cluster: MereProcess) -> Iterator[None]:
    """A segment dies, three times over: a slice has four attempts."""
    done = threading.Event()

    def kill() -> None:
        with cluster.client() as other:
            for _ in range(3):
                if done.wait(0.4):
                    return
                killed = other.ok("SELECT pid FROM mere.segment_configuration WHERE status = 'up' ORDER BY id LIMIT 1")
                if killed.text:
                    os.kill(int(str(killed.text[0][0])), signal.SIGKILL)
                    done.wait(4)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        done.set()
        killer.join()


def test_a_write_outlives_its_segment_and_counts_once(cluster: MereProcess) -> None:
    with cluster.client(deadline=120) as client:
        client.ok(f"CREATE TABLE big ({COLUMNS}) DISTRIBUTED BY (g)")
        with killing(cluster):
            for _ in range(5):
                client.ok("INSERT INTO big SELECT a.k, b.g FROM w_source a JOIN w_source b ON a.g = b.g AND b.k < 2000")
        expected = client.ok(
            "SELECT 5 * count(*), 5 * sum(a.k) FROM w_heap a JOIN w_heap b ON a.g = b.g AND b.k < 2000"
        )
        assert client.ok("SELECT count(*), sum(k) FROM big").text == expected.text
        client.ok("DROP TABLE big")


def test_rows_are_removed_once_while_segments_die(cluster: MereProcess) -> None:
    with cluster.client(deadline=120) as client:
        for name, kind, rows in (("dying", "DISTRIBUTED BY (g)", "w_source"), ("living", "USING heap", "w_heap")):
            client.ok(f"CREATE TABLE {name} ({COLUMNS}) {kind}")
            client.ok(f"INSERT INTO {name} SELECT x.k + 20000 * i, x.g FROM {rows} x, generate_series(0, 9) AS i")
        statements = (
            "DELETE FROM {0} WHERE k % 7 = 0",
            "UPDATE {0} SET s = 'moved', g = g + 1 WHERE k % 5 = 0",
            "DELETE FROM {0} USING {1} AS x WHERE x.g = {0}.g AND x.k % 11 = 0 AND {0}.k % 3 = 0",
            "MERGE INTO {0} AS t USING (SELECT k * 3 AS k FROM {1}) AS x ON t.k = x.k WHEN MATCHED THEN DELETE"
            " WHEN NOT MATCHED THEN INSERT (k) VALUES (x.k + 1000000)",
        )
        with killing(cluster):
            tags = [client.ok(statement.format("dying", "w_source")).tag for statement in statements]
        assert tags == [client.ok(statement.format("living", "w_heap")).tag for statement in statements]
        asked = "SELECT count(*), count(DISTINCT k), sum(k), sum(g), count(*) FILTER (WHERE s = 'moved') FROM {0}"
        assert client.ok(asked.format("dying")).text == client.ok(asked.format("living")).text
        client.ok("DROP TABLE dying, living")
