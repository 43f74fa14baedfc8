"""What a client of the standby may do: read whatever the primary has acknowledged, write nothing, and stay when the
standby is promoted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from harness.pair import Pair
from harness.pair_node import Node

pytestmark = pytest.mark.timeout(120)

MADE: tuple[LiteralString, ...] = (
    "CREATE TABLE t (a int, b text, c numeric(10,2)) DISTRIBUTED BY (a)",
    "INSERT INTO t SELECT g, 'x' || g, g / 4.0 FROM generate_series(1, 1000) AS g",
    "DELETE FROM t WHERE a % 10 = 0",
    "CREATE VIEW v AS SELECT a % 3 AS k, sum(c) AS s FROM t GROUP BY 1",
    "CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM t",
    "CREATE TABLE heap_table (a int, x text) USING heap",
    "INSERT INTO heap_table VALUES (1, 'one'), (2, 'two')",
    "CREATE TABLE parts (k int, d date) PARTITION BY RANGE (d)",
    "CREATE TABLE parts_2020 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
    "INSERT INTO parts VALUES (1, '2020-05-05')",
    "CREATE SEQUENCE numbers",
)
READS: tuple[LiteralString, ...] = (
    "SELECT count(*), sum(c) FROM t",
    "SELECT * FROM v ORDER BY 1",
    "SELECT * FROM m",
    "SELECT t.a, x FROM t JOIN heap_table USING (a) ORDER BY 1",
    "SELECT * FROM parts",
    "SELECT count(*) FROM t AT (VERSION => 2)",
    "WITH w AS (SELECT a FROM t WHERE a < 10) SELECT sum(a) FROM w",
    "SELECT count(*) FROM mere.snapshots",
)
WRITES: tuple[tuple[LiteralString, str], ...] = (
    ("INSERT INTO t VALUES (1)", "INSERT"),
    ("UPDATE t SET a = 1", "UPDATE"),
    ("DELETE FROM t", "DELETE"),
    ("MERGE INTO t USING heap_table AS h ON t.a = h.a WHEN MATCHED THEN DELETE", "MERGE"),
    ("TRUNCATE t", "TRUNCATE TABLE"),
    ("CREATE TABLE z (a int)", "CREATE TABLE"),
    ("CREATE TABLE z AS SELECT * FROM t", "CREATE TABLE AS"),
    ("ALTER TABLE t ADD z int", "ALTER TABLE"),
    ("DROP TABLE t", "DROP TABLE"),
    ("REFRESH MATERIALIZED VIEW m", "REFRESH MATERIALIZED VIEW"),
    ("GRANT SELECT ON t TO PUBLIC", "GRANT"),
    ("CREATE DATABASE z", "CREATE DATABASE"),
    ("SELECT nextval('numbers')", "nextval()"),
    ("INSERT INTO heap_table VALUES (3)", "INSERT"),
)


@pytest.fixture(scope="module")
def pair(session_scratch: Path) -> Iterator[Pair]:
    with Pair(session_scratch / "readers", {"MERE_LEADER_LEASE": "8s"}) as found:
        found.start()
        primary, standby = found.roles()
        with psycopg.connect(primary.conninfo(), autocommit=True) as connection:
            for statement in MADE:
                connection.execute(statement)
        until_replayed(primary, standby)
        yield found


@pytest.fixture
def reader(pair: Pair) -> Iterator[psycopg.Connection]:
    _, standby = pair.roles()
    with psycopg.connect(standby.conninfo(), autocommit=True) as connection:
        yield connection


def until_replayed(primary: Node, standby: Node) -> None:
    with primary.catalog() as catalog:
        position = catalog.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
    with standby.catalog() as catalog:
        deadline = time.monotonic() + 20
        while catalog.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", position).fetchone() != (True,):
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize("query", READS)
def test_it_answers_as_the_primary_does(pair: Pair, reader: psycopg.Connection, query: LiteralString) -> None:
    primary, _ = pair.roles()
    with psycopg.connect(primary.conninfo(), autocommit=True) as writer:
        assert reader.execute(query).fetchall() == writer.execute(query).fetchall()


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_transaction_of_reads_with_a_savepoint_and_a_cursor_commits(
    reader: psycopg.Connection, isolation: LiteralString
) -> None:
    reader.execute(f"BEGIN ISOLATION LEVEL {isolation}")
    reader.execute("DECLARE c CURSOR FOR SELECT a FROM t ORDER BY a")
    assert reader.execute("FETCH 2 FROM c").fetchall() == [(1,), (2,)]
    reader.execute("SAVEPOINT s")
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (900,)
    reader.execute("ROLLBACK TO s")
    assert reader.execute("COMMIT").statusmessage == "COMMIT"


def test_rows_are_copied_out(reader: psycopg.Connection) -> None:
    with reader.cursor().copy("COPY (SELECT a FROM t WHERE a < 4 ORDER BY a) TO STDOUT") as copy:
        assert b"".join(bytes(piece) for piece in copy) == b"1\n2\n3\n"


@pytest.mark.parametrize(("statement", "verb"), WRITES)
def test_a_write_is_refused_as_postgresql_refuses_it(
    reader: psycopg.Connection, statement: LiteralString, verb: str
) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as refused:
        reader.execute(statement)
    assert refused.value.diag.message_primary == f"cannot execute {verb} in a read-only transaction"


def test_rows_copied_in_are_refused(reader: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), reader.cursor().copy("COPY t FROM STDIN") as copy:
        copy.write(b"1\tx\t1\n")


@pytest.mark.parametrize(
    ("wanted", "recovering"),
    [("read-write", False), ("primary", False), ("read-only", True), ("standby", True), ("prefer-standby", True)],
)
def test_a_client_that_names_both_finds_the_one_it_wants(pair: Pair, wanted: str, recovering: bool) -> None:
    with psycopg.connect(f"{pair.any_conninfo} target_session_attrs={wanted}", autocommit=True) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (recovering,)
        assert connection.info.parameter_status("in_hot_standby") == ("on" if recovering else "off")


def test_a_reader_stays_when_its_standby_is_promoted_and_may_write_then(pair: Pair, reader: psycopg.Connection) -> None:
    old, new = pair.roles()
    with psycopg.connect(old.conninfo(), autocommit=True) as stranded:
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (900,)
        old.kill()
        deadline = time.monotonic() + 60
        while reader.info.parameter_status("in_hot_standby") != "off":
            assert time.monotonic() < deadline
            time.sleep(0.1)
            assert reader.execute("SELECT count(*) FROM t").fetchone() == (900,)
        reader.execute("INSERT INTO t VALUES (10000)")
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (901,)
        with pytest.raises(psycopg.OperationalError):
            stranded.execute("SELECT count(*) FROM t")
    pair.until_whole()
    assert pair.roles()[0].name == new.name


def test_a_session_of_a_primary_that_steps_down_ends_and_the_next_one_reads(pair: Pair) -> None:
    pair.until_whole()
    old, _ = pair.roles()
    with psycopg.connect(old.conninfo(), autocommit=True) as session:
        session.execute("SELECT count(*) FROM t")
        assert old.command("switchover").returncode == 0
        with pytest.raises(psycopg.OperationalError):
            for _ in range(200):
                session.execute("SELECT count(*) FROM t")
                time.sleep(0.1)
    deadline = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(old.conninfo(), autocommit=True) as again:
                assert again.execute("SELECT count(*) FROM m").fetchone() == (1,)
                assert again.info.parameter_status("in_hot_standby") == "on"
            return
        except psycopg.OperationalError as error:
            assert error.sqlstate in (None, "57P03"), error
            assert time.monotonic() < deadline, error
            time.sleep(0.1)
