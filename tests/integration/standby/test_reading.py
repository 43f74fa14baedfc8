"""What a session on a hot standby reads, while the primary writes, defines, and maintains."""

from __future__ import annotations

import time

import psycopg
import pytest
from harness.client import Client, ConnectionLost
from harness.mere import MereProcess
from harness.standby import Standby

pytestmark = pytest.mark.timeout(180)


def test_tables_made_and_replaced_on_the_primary_are_read_by_sessions_that_are_open(
    standby: Standby, writer: Client, reader: Client
) -> None:
    reader.ok("SELECT count(*) FROM t")  # from here on the session knows the lake's names
    writer.ok("CREATE TABLE later (a int)")
    writer.ok("INSERT INTO later VALUES (7)")
    writer.ok("CREATE VIEW seen_later AS SELECT a + 1 AS a FROM later")
    standby.until_replayed()
    reader.ok("BEGIN")  # where PostgreSQL's refusal to read a shell would end the transaction
    assert reader.ok("SELECT a FROM later").value == "7"
    assert reader.ok("SELECT a FROM seen_later").value == "8"
    reader.ok("COMMIT")
    writer.ok("DROP TABLE later CASCADE")
    writer.ok("CREATE TABLE later (b text) USING heap")
    standby.until_replayed()
    assert reader.ok("SELECT count(*) FROM later").value == "0"
    writer.ok("DROP TABLE later")


def test_a_driver_that_prepares_reads_a_table_made_after_it_connected(standby: Standby, writer: Client) -> None:
    with psycopg.connect(standby.conninfo, autocommit=True, prepare_threshold=0) as connection:
        connection.execute("SELECT count(*) FROM t WHERE a < %s", [10])
        writer.ok("CREATE TABLE prepared_later (a int)")
        writer.ok("INSERT INTO prepared_later VALUES (7)")
        standby.until_replayed()
        assert connection.execute("SELECT a FROM prepared_later WHERE a > %s", [0]).fetchall() == [(7,)]
    writer.ok("DROP TABLE prepared_later")


def test_a_session_sees_every_commit_that_its_standby_has_and_repeatable_read_keeps_one(
    standby: Standby, writer: Client, reader: Client
) -> None:
    writer.ok("CREATE TABLE steps (a int)")
    standby.until_replayed()
    with standby.client() as other:
        other.ok("BEGIN ISOLATION LEVEL REPEATABLE READ")
        assert other.ok("SELECT count(*) FROM steps").value == "0"
        for step in range(1, 4):
            writer.ok("INSERT INTO steps VALUES (1)")
            standby.until_replayed()
            assert reader.ok("SELECT count(*) FROM steps").value == str(step)
        assert other.ok("SELECT count(*) FROM steps").value == "0"
        other.ok("COMMIT")
        assert other.ok("SELECT count(*) FROM steps").value == "3"
    writer.ok("DROP TABLE steps")


@pytest.mark.parametrize(
    ("statement", "sqlstate", "message"),
    [
        ("BEGIN ISOLATION LEVEL SERIALIZABLE", "0A000", "cannot use serializable mode in a hot standby"),
        ("BEGIN READ WRITE", "0A000", "cannot set transaction read-write mode during recovery"),
        ("CREATE INDEX ON t (a)", "25006", "cannot execute CREATE INDEX in a read-only transaction"),
        ("ANALYZE t", "25006", "cannot execute ANALYZE during recovery"),
        ("SELECT * FROM t FOR UPDATE", "25006", "cannot execute SELECT FOR UPDATE in a read-only transaction"),
        ("CREATE TEMP TABLE z (a int)", "25006", "cannot execute CREATE TABLE in a read-only transaction"),
        ("LISTEN x", "25006", "cannot execute LISTEN during recovery"),
        ("LOCK TABLE t", "25006", "cannot execute LOCK TABLE during recovery"),
        *(
            (statement, "25006", f"cannot execute {verb} in a read-only transaction")
            for statement, verb in (
                ("INSERT INTO t VALUES (1)", "INSERT"),
                ("UPDATE t SET a = 1", "UPDATE"),
                ("DELETE FROM t", "DELETE"),
                ("MERGE INTO t USING kept ON t.a = kept.a WHEN MATCHED THEN DELETE", "MERGE"),
                ("TRUNCATE t", "TRUNCATE TABLE"),
                ("CREATE TABLE z AS SELECT * FROM t", "CREATE TABLE AS"),
                ("ALTER TABLE t ADD z int", "ALTER TABLE"),
                ("DROP TABLE t", "DROP TABLE"),
                ("GRANT SELECT ON t TO PUBLIC", "GRANT"),
                ("CREATE DATABASE z", "CREATE DATABASE"),
                ("INSERT INTO kept VALUES (3)", "INSERT"),
            )
        ),
    ],
)
def test_what_postgresql_refuses_on_a_standby_is_refused(
    reader: Client, statement: str, sqlstate: str, message: str
) -> None:
    assert reader.fails(statement, sqlstate).message == message
    assert reader.transaction == "I"


def test_what_postgresql_allows_on_a_standby_is_done(reader: Client) -> None:
    reader.ok("DO $$ BEGIN PERFORM 1; END $$")
    reader.ok("BEGIN")
    reader.ok("DO $$ BEGIN PERFORM 1; END $$")
    reader.ok("LOCK TABLE t IN ACCESS SHARE MODE")
    reader.ok("DECLARE c CURSOR FOR SELECT a FROM t ORDER BY a")
    assert reader.ok("FETCH 2 FROM c").text == [("1",), ("2",)]
    reader.ok("SAVEPOINT s")
    reader.ok("SELECT count(*) FROM t")
    reader.ok("ROLLBACK TO s")
    reader.ok("COMMIT")
    assert reader.ok("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").tag == "SET"
    assert reader.ok("SELECT x FROM t JOIN kept USING (a)").value == "one"
    assert reader.ok("EXPLAIN INSERT INTO t VALUES (1, 'y')").rows


@pytest.mark.parametrize(
    ("wanted", "recovering"), [("read-write", "off"), ("standby", "on"), ("prefer-standby", "on"), ("read-only", "on")]
)
def test_libpq_finds_the_one_it_wants(standby: Standby, wanted: str, recovering: str) -> None:
    with psycopg.connect(standby.both(wanted)) as connection:
        assert connection.info.parameter_status("in_hot_standby") == recovering
        assert connection.info.parameter_status("default_transaction_read_only") == "off"


LONG = "SELECT sum(x.a * y.a) FROM t AS x, t AS y, t AS z, generate_series(1, 5000) AS g WHERE x.a + z.a <> g"
BUSY = "SELECT xact_start FROM pg_stat_activity WHERE wait_event = 'MereSegments' AND state = 'active' AND query = %s"


@pytest.mark.parametrize("within", ["", "BEGIN"])
def test_a_long_query_is_not_in_the_way_of_what_is_replayed(standby: Standby, reader: Client, within: str) -> None:
    """Neither is it cancelled, though rows are removed that its snapshot of the catalog would have seen."""
    with standby.primary_catalog() as primary, standby.catalog() as catalog:
        primary.execute("CREATE TABLE vacuumed USING heap AS SELECT 1 AS a")
        reader.run(within)
        reader.send(LONG)
        until = time.monotonic() + 30
        while catalog.execute(BUSY, [LONG]).fetchone() is None:
            assert time.monotonic() < until, "PostgreSQL does not know of the query"
            time.sleep(0.02)
        primary.execute("DELETE FROM vacuumed")
        primary.execute("VACUUM vacuumed")
        standby.until_replayed()
        primary.execute("DROP TABLE vacuumed")
        standby.until_replayed()
        assert catalog.execute(BUSY, [LONG]).fetchone() is not None
        reader.connection.get_cancel().cancel()
        (outcome,) = reader.results()
        assert (outcome.sqlstate, outcome.message) == ("57014", "canceling statement due to user request")
        assert reader.transaction == ("E" if within else "I")
        reader.run("ROLLBACK")
        assert reader.ok("SELECT count(*) FROM t").value == "100"


def test_a_transaction_that_holds_a_lock_in_the_way_is_ended_with_40001(
    standby: Standby, writer: Client, reader: Client
) -> None:
    writer.ok("CREATE TABLE held (a int)")
    standby.until_replayed()
    reader.ok("BEGIN")
    reader.ok("SELECT count(*) FROM held")
    writer.ok("DROP TABLE held")
    standby.until_replayed()
    with pytest.raises(ConnectionLost, match="terminating connection due to conflict with recovery"):
        reader.run("SELECT count(*) FROM t")


def test_a_file_that_maintenance_removed_meanwhile_is_a_40001_and_never_a_wrong_answer(
    standby: Standby, primary: MereProcess, writer: Client, reader: Client
) -> None:
    writer.ok("CREATE TABLE small (a int)")
    for _ in range(3):
        writer.ok("INSERT INTO small VALUES (1)")
    standby.until_replayed()
    reader.ok("BEGIN ISOLATION LEVEL REPEATABLE READ")
    assert reader.ok("SELECT sum(a) FROM small").value == "3"
    writer.ok("DELETE FROM small")
    primary.maintain("--retention", "0s")
    standby.until_replayed()
    failed = reader.run("SELECT sum(a) FROM small")
    assert failed.sqlstate == "40001", (failed.message, failed.rows)
    reader.ok("ROLLBACK")
    assert reader.ok("SELECT sum(a) FROM small").value is None
    writer.ok("DROP TABLE small")
