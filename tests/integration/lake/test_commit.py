"""mere.commit(): what it writes is a DuckLake that a plain DuckDB reads."""

from __future__ import annotations

import psycopg
import pytest
from integration.lake.lake_catalog import LakeCatalog, LakeSession


def test_create_and_insert(lake: LakeCatalog, session: LakeSession) -> None:
    session.begin()
    session.ddl("CREATE TABLE t (k int8 NOT NULL DEFAULT 7, v text, d numeric(10,2), l int[]) USING lake")
    session.insert("t", "SELECT i::BIGINT k, 'v'||i v, (i*1.1)::DECIMAL(10,2) d, [i::INT, NULL] l FROM range(10) r(i)")
    assert session.commit() == 1
    plain = lake.duckdb()
    assert plain.execute("SELECT count(*), sum(k), max(d)::VARCHAR, sum(l[1]) FROM l.public.t").fetchone() == (
        10,
        45,
        "9.90",
        45,
    )
    assert session.load("t", "SELECT i::BIGINT k, NULL v, 1 d, [] l FROM range(10, 20) r(i)") == 2
    assert plain.execute("SELECT count(*), sum(k), count(v) FROM l.public.t").fetchone() == (20, 190, 10)
    assert plain.execute("SELECT count(*) FROM l.public.t AT (VERSION => 1)").fetchone() == (10,)
    assert lake.rows("SELECT changes_made, author FROM mere_lake.ducklake_snapshot_changes WHERE snapshot_id = 2") == [
        (f"inserted_into_table:{lake.table_id('t')}", "tester")
    ]
    assert lake.rows("SELECT row_id_start FROM mere_lake.ducklake_data_file ORDER BY 1") == [(0,), (10,)]
    stats = (
        "SELECT column_id, contains_null, min_value, max_value FROM mere_lake.ducklake_table_column_stats ORDER BY 1"
    )
    assert lake.rows(stats) == [
        (1, False, "0", "19"),
        (2, True, "v0", "v9"),
        (3, False, "0.00", "9.90"),
        (5, True, "0", "9"),
    ]
    plain.execute("INSERT INTO l.public.t (v) VALUES ('default')")
    assert plain.execute("SELECT k FROM l.public.t WHERE v = 'default'").fetchone() == (7,)
    assert lake.rows("SELECT count(*), count(DISTINCT row_id_start) FROM mere_lake.ducklake_data_file") == [(3, 3)]


def test_ddl_of_every_kind(lake: LakeCatalog, session: LakeSession) -> None:
    session.run(
        'CREATE SCHEMA "s, ""1"', 'CREATE TABLE "s, ""1"."a:b,c" (k int8, v varchar(3) DEFAULT \'it\'\'s\') USING lake'
    )
    plain = lake.duckdb()
    plain.execute('INSERT INTO l."s, ""1"."a:b,c" (k) VALUES (1)')
    session.run('ALTER TABLE "s, ""1"."a:b,c" RENAME TO b', 'ALTER TABLE "s, ""1".b RENAME v TO w')
    session.run('ALTER TABLE "s, ""1".b SET SCHEMA public', "ALTER TABLE b ADD COLUMN x date DEFAULT '2020-02-29'")
    assert plain.execute("SELECT k, w, x::VARCHAR FROM l.public.b").fetchall() == [(1, "it's", "2020-02-29")]
    session.load("b", "SELECT 2::BIGINT k, 'z' w, NULL::DATE x")
    session.run("ALTER TABLE b ALTER k SET NOT NULL", "ALTER TABLE b ALTER w DROP DEFAULT", checked="b")
    plain.execute("INSERT INTO l.public.b VALUES (3, DEFAULT, NULL)")
    assert plain.execute("SELECT k, w FROM l.public.b ORDER BY k").fetchall() == [(1, "it's"), (2, "z"), (3, None)]
    with pytest.raises(Exception, match="NOT NULL"):
        plain.execute("INSERT INTO l.public.b VALUES (NULL, 'y', NULL)")
    session.run(
        'DROP SCHEMA "s, ""1"', "ALTER SCHEMA public RENAME TO other", "CREATE TABLE other.n (i int) USING lake"
    )
    assert plain.execute("SELECT count(*) FROM l.other.b").fetchone() == (3,)
    session.run("DROP TABLE other.b")
    names = plain.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'l'").fetchall()
    assert names == [("other", "n")]
    assert plain.execute('SELECT k FROM l."s, ""1"."a:b,c" AT (VERSION => 2)').fetchall() == [(1,)]
    assert not lake.rows("SELECT FROM mere.shell WHERE table_name = 'b'")


def test_one_transaction_over_everything(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE a (k int8) USING lake", "CREATE TABLE b (k int8) USING lake")
    session.begin()
    session.insert("a", "SELECT 1::BIGINT k")
    session.connection.execute("SAVEPOINT s")
    session.ddl("CREATE TABLE c (k int8) USING lake")
    session.connection.execute("ROLLBACK TO s")
    session.ddl("CREATE TABLE d (k int8) USING lake")
    session.insert("d", "SELECT 2::BIGINT k")
    session.insert("b", "SELECT 3::BIGINT k")
    session.ddl("CREATE TABLE gone (k int8) USING lake")
    session.ddl("DROP TABLE gone")
    assert session.commit() == 2
    plain = lake.duckdb()
    rows = plain.execute("FROM l.public.a UNION ALL FROM l.public.b UNION ALL FROM l.public.d ORDER BY 1").fetchall()
    assert rows == [(1,), (2,), (3,)]
    names = plain.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'l' ORDER BY 1").fetchall()
    assert names == [("a",), ("b",), ("d",)]


def test_truncate_and_removed_files(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    session.load("t", "SELECT i k FROM range(10) r(i)")
    session.load("t", "SELECT i k FROM range(10, 20) r(i)")
    plain = lake.duckdb(inlining=10)
    plain.execute("INSERT INTO l.public.t VALUES (100)")
    first = lake.one("SELECT min(data_file_id) FROM mere_lake.ducklake_data_file")
    session.begin()
    session.change("t", 4, removed_files=(first,))
    assert session.commit() == 5
    assert plain.execute("SELECT count(*), min(k) FROM l.public.t").fetchone() == (11, 10)
    session.begin()
    session.change("t", 5, truncated=True, files=session.write("t", "SELECT 7::BIGINT k"))
    assert session.commit() == 6
    assert plain.execute("FROM l.public.t").fetchall() == [(7,)]
    assert plain.execute("SELECT count(*) FROM l.public.t AT (VERSION => 4)").fetchone() == (21,)
    assert plain.execute("SELECT k FROM l.public.t WHERE k > 5").fetchall() == [(7,)]


def test_deletes_from_an_own_new_file(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    session.begin()
    files = session.write("t", "SELECT i k FROM range(5) r(i)")
    delete = session.write_delete(session.shell("t")[0], None, files[0].path, [0, 4], None)
    session.change("t", 1, files=files, deletes=(delete,))
    session.commit()
    assert lake.duckdb().execute("SELECT k FROM l.public.t ORDER BY k").fetchall() == [(1,), (2,), (3,)]


def test_a_commit_without_changes_makes_no_snapshot(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    session.begin()
    assert session.commit() is None
    assert session.run("COMMENT ON TABLE t IS 'x'") is None
    assert lake.one("SELECT count(*) FROM mere_lake.ducklake_snapshot") == 2


def test_only_the_gateway_commits(lake: LakeCatalog, session: LakeSession) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.connection.execute("SELECT mere.commit()")
    session.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        session.connection.execute("SELECT mere.commit()")
    session.rollback()
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        session.connection.execute("CREATE TABLE sneaky (k int8) USING lake")


def test_token_and_synchronous_commit(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    session.connection.execute("SET synchronous_commit = local")
    session.begin()
    session.insert("t", "SELECT 1::BIGINT k")
    session.give_ticket("token-1")
    session.connection.execute("SELECT mere.commit()")
    shown = session.connection.execute("SHOW synchronous_commit").fetchone()
    assert shown == ("on",)
    assert lake.one("SELECT mere.token_committed('token-1')") is None
    session.connection.execute("COMMIT")
    assert lake.one("SELECT mere.token_committed('token-1')") == 2
