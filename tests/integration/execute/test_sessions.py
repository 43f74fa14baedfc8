"""What a session sees of segments: the same answers, plans to read, and statements that stop when they are told to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from harness.client import Client, ConnectionLost
from harness.lakereader import attach
from harness.mere import MereProcess

pytestmark = pytest.mark.timeout(120)

ENDLESS = "SELECT count(*) FROM t AS a, t AS b, t AS c WHERE a.k * b.k % 7 = c.k % 5"
TABLES = (
    "CREATE TABLE t (k bigint, g int, s text, n numeric(12,2)) DISTRIBUTED BY (k)",
    "CREATE TABLE u (k bigint, v int) DISTRIBUTED RANDOMLY",
    "CREATE TABLE small (g int, name text) USING heap",
    "INSERT INTO t SELECT i, i % 97, 'x' || i, i / 4.0 FROM generate_series(1, 20000) AS i",
    "INSERT INTO u SELECT i, i % 7 FROM generate_series(1, 5000) AS i",
    "INSERT INTO small SELECT i, 'n' || i FROM generate_series(0, 9) AS i",
)


@pytest.fixture(scope="module", autouse=True)
def tables(cluster: MereProcess) -> None:
    with cluster.client() as client:
        for statement in TABLES:
            client.ok(statement)


@pytest.fixture
def client(cluster: MereProcess) -> Iterator[Client]:
    with cluster.client() as session:
        yield session


def plan(client: Client, query: str, options: str = "") -> str:
    return "\n".join(str(row[0]) for row in client.ok(f"EXPLAIN {options} {query}").text)


def rows(client: Client, query: str) -> list[tuple[str | None, ...]]:
    return client.ok(query).text


def test_the_answers_of_one_engine(client: Client) -> None:
    assert rows(client, "SELECT count(*), sum(k), min(s), avg(n) FROM t") == [
        ("20000", "200010000", "x1", "2500.1250000000000000")
    ]
    assert rows(client, "SELECT g, count(*) FROM t GROUP BY g ORDER BY g LIMIT 2") == [("0", "206"), ("1", "207")]
    joined = "SELECT v, count(*), max(s) FROM t JOIN u USING (k) GROUP BY v ORDER BY 2 DESC, 1 LIMIT 2"
    assert rows(client, joined) == [("1", "715", "x995"), ("2", "715", "x996")]
    assert rows(client, "SELECT k, n FROM t ORDER BY k DESC LIMIT 2") == [("20000", "5000.00"), ("19999", "4999.75")]
    assert len(rows(client, "SELECT * FROM t")) == 20000
    assert rows(client, "SELECT k FROM t WHERE false") == []


def test_binary_results_and_parameters(client: Client) -> None:
    outcome = client.extended("SELECT k, g FROM t WHERE k = $1", ["17"], binary=True)
    assert [[int.from_bytes(value or b"") for value in row] for row in outcome.rows] == [[17, 17]]


def test_a_prepared_statement_with_other_values_each_time(client: Client) -> None:
    for value in ("17", "18", "-1", "20000", "18"):
        found = client.extended("SELECT k, s FROM t WHERE k = $1", [value]).text
        assert found == ([] if value == "-1" else [(value, f"x{value}")])
        counted = client.extended("SELECT count(*), min(k) FROM t JOIN u USING (k) WHERE s <= $1", [f"x{value}"]).text
        assert counted == rows(client, f"SELECT count(*), min(k) FROM t JOIN u USING (k) WHERE s <= 'x{value}'")


def test_tables_that_postgresql_keeps(client: Client) -> None:
    query = "SELECT name, count(*) FROM t JOIN small USING (g) GROUP BY name ORDER BY name LIMIT 2"
    assert rows(client, query) == [("n0", "206"), ("n1", "207")]
    client.ok("CREATE TEMPORARY TABLE mine AS SELECT 5 AS g")
    assert rows(client, "SELECT count(*) FROM t JOIN mine USING (g)") == [("207",)]


def test_a_transactions_own_changes(client: Client) -> None:
    client.ok("BEGIN")
    client.ok("INSERT INTO t VALUES (-1, 500, 'mine', 0)")
    client.ok("DELETE FROM t WHERE k > 10")
    assert rows(client, "SELECT count(*), min(k), max(k) FROM t") == [("11", "-1", "10")]
    client.ok("ROLLBACK")
    assert rows(client, "SELECT count(*) FROM t") == [("20000",)]


def test_cursors_and_portals(client: Client) -> None:
    client.ok("BEGIN")
    client.ok("DECLARE c CURSOR FOR SELECT k FROM t ORDER BY k")
    assert rows(client, "FETCH 2 FROM c") == [("1",), ("2",)]
    client.ok("MOVE 100 FROM c")
    assert rows(client, "FETCH 1 FROM c") == [("103",)]
    client.ok("COMMIT")


def test_products_that_need_more_digits(client: Client) -> None:
    """Decimals overflow on a segment: the statement is run again with wider ones."""
    assert rows(client, "SELECT max(n * n * n * n) FROM t") == [("625000000000000.00000000",)]


def test_an_error_of_a_segment_is_the_statements(client: Client) -> None:
    client.fails("SELECT sum(k / (k - 17)) FROM t", "22012")
    client.fails("SELECT k::text::date FROM t", "22007")
    assert rows(client, "SELECT count(*) FROM t") == [("20000",)]


def test_explain(client: Client) -> None:
    text = plan(client, "SELECT count(*) FROM t")
    assert "Gather Motion" in text and "(slice1; segments:" in text
    assert "Lake Scan on public.t" in text and "Optimizer: Mere" in text
    analyzed = plan(client, "SELECT count(*) FROM t", "ANALYZE")
    assert "actual rows=" in analyzed and "Slice statistics:" in analyzed and "Execution Time:" in analyzed
    shown = json.loads(plan(client, "SELECT count(*) FROM t", "(ANALYZE, FORMAT JSON)"))[0]
    assert shown["Optimizer"] == "Mere" and shown["Slice Statistics"][0]["Slice"] == 1
    assert "Gather Motion" in json.dumps(shown["Plan"])
    inserted = plan(client, "INSERT INTO u SELECT k, g FROM t")
    assert inserted.startswith("Insert on u") and "Lake Scan on public.t" in inserted and "segments: 2" in inserted
    assert "Run by the coordinator: a volatile function" in plan(client, "SELECT random() FROM t")


def test_volatile_queries_run_once_in_one_place(client: Client) -> None:
    assert "Optimizer: Mere" not in plan(client, "SELECT k, random() FROM t")
    assert len(rows(client, "SELECT k, random() FROM t")) == 20000


def test_cancel_stops_within_a_second(cluster: MereProcess, client: Client) -> None:
    client.send(ENDLESS)
    time.sleep(0.5)
    started = time.monotonic()
    client.cancel()
    assert [outcome.sqlstate for outcome in client.results()] == ["57014"]
    assert time.monotonic() - started < 2
    assert rows(client, "SELECT count(*) FROM t") == [("20000",)]


def until_seen(client: Client, backend: str | None) -> None:
    """Others see what it runs."""
    until = time.monotonic() + 10
    sql = f"SELECT state, query, wait_event FROM pg_stat_activity WHERE pid = {backend}"
    while (seen := rows(client, sql)) != [("active", ENDLESS, "MereSegments")]:
        assert time.monotonic() < until, seen
        time.sleep(0.05)


def test_another_session_sees_and_cancels_it(cluster: MereProcess, client: Client) -> None:
    with cluster.client() as victim:
        backend = victim.ok("SELECT pg_backend_pid()").value
        victim.send(ENDLESS)
        until_seen(client, backend)
        started = time.monotonic()
        assert rows(client, f"SELECT pg_cancel_backend({backend})") == [("t",)]
        assert [outcome.sqlstate for outcome in victim.results()] == ["57014"]
        assert time.monotonic() - started < 2
        assert rows(victim, "SELECT count(*) FROM t") == [("20000",)]


def test_another_session_ends_it(cluster: MereProcess, client: Client) -> None:
    with cluster.client() as victim:
        backend = victim.ok("SELECT pg_backend_pid()").value
        victim.send(ENDLESS)
        until_seen(client, backend)
        started = time.monotonic()
        assert rows(client, f"SELECT pg_terminate_backend({backend})") == [("t",)]
        with pytest.raises(ConnectionLost, match="terminating connection due to administrator command"):
            victim.results()
        assert time.monotonic() - started < 2


def test_statement_timeout(client: Client) -> None:
    client.ok("SET statement_timeout = '500ms'")
    started = time.monotonic()
    client.fails(ENDLESS, "57014")
    assert time.monotonic() - started < 3


def test_copy_of_a_query_and_rows_for_a_table_of_postgresql(client: Client) -> None:
    copied = client.run("COPY (SELECT g, count(*) FROM t GROUP BY g ORDER BY g LIMIT 2) TO STDOUT")
    assert copied.copied == b"0\t206\n1\t207\n"
    client.ok("CREATE TEMPORARY TABLE counted (g int, n bigint)")
    client.ok("INSERT INTO counted SELECT g, count(*) FROM t GROUP BY g")
    assert rows(client, "SELECT count(*), sum(n) FROM counted") == [("97", "20000")]


@pytest.mark.parametrize("policy", ["DISTRIBUTED BY (k)", "DISTRIBUTED RANDOMLY", "DISTRIBUTED REPLICATED"])
def test_a_history_in_files_deletes_and_rows_that_a_plain_duckdb_left(
    cluster: MereProcess, client: Client, policy: str
) -> None:
    """The same rows once each, now and AT an older version, however they are spread and whoever wrote them."""
    client.ok("DROP TABLE IF EXISTS h")
    client.ok(f"CREATE TABLE h (k bigint, v text) {policy}")
    client.ok("INSERT INTO h SELECT i, 'first' FROM generate_series(1, 3000) AS i")
    client.ok("INSERT INTO h VALUES (NULL, 'none'), (NULL, NULL)")
    version = client.ok("SELECT id FROM mere.newest_snapshot()").value
    client.ok("DELETE FROM h WHERE k % 3 = 0")
    client.ok("UPDATE h SET v = 'second' WHERE k % 5 = 0")
    plain = attach(cluster, options=["DATA_INLINING_ROW_LIMIT 10"])
    plain.execute("INSERT INTO lake.public.h VALUES (5000, 'inlined'), (5001, NULL)")
    plain.execute("DELETE FROM lake.public.h WHERE k = 1")
    plain.close()
    query = "SELECT count(*), count(k), sum(k), count(DISTINCT k), count(v) FROM h"
    assert rows(client, query) == [("2003", "2001", "3010000", "2001", "2001")]
    grouped = "SELECT v, count(*) FROM h GROUP BY v ORDER BY v"
    assert rows(client, grouped) == [
        ("first", "1599"), ("inlined", "1"), ("none", "1"), ("second", "400"), (None, "2")
    ]  # fmt: skip
    past = f"SELECT count(*), count(k), sum(k) FROM h AT (VERSION => {version})"
    assert rows(client, past) == [("3002", "3000", "4501500")]
    joined = "SELECT count(*) FROM h JOIN t USING (k) WHERE h.v = 'second'"
    assert rows(client, joined) == [("400",)]
    client.ok("BEGIN")
    client.ok("DELETE FROM h WHERE k >= 5000")
    assert rows(client, query) == [("2001", "1999", "2999999", "1999", "2000")]
    client.ok("ROLLBACK")
    assert rows(client, query) == [("2003", "2001", "3010000", "2001", "2001")]
