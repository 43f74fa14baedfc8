"""A plain DuckDB with the ducklake extension reads the same rows after any history, and Mere reads what it writes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest
from harness.client import Client
from harness.lakereader import attach, rows
from harness.workspace import Workspace


@pytest.fixture
def plain(space: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = attach(space.server)
    yield connection
    connection.close()


def test_every_type_reads_the_same(space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection) -> None:
    client.ok(
        "CREATE TABLE t (b boolean, i2 smallint, i4 int, i8 bigint, f4 real, f8 float8, n numeric(12,3), v varchar(9),"
        " c char(4), x text, y bytea, d date, tm time, ts timestamp, tz timestamptz, u uuid, j json, a int[], s text[])"
    )
    client.ok(
        "INSERT INTO t VALUES (true, 1, 2, 3, 1.5, 2.5, 4.125, 'v', 'c', 'ü', '\\x00ff', '2024-02-29', '12:34:56.789',"
        " '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"a\": 1}',"
        " '{1,NULL,3}', '{a,\"b c\"}')"
    )
    client.ok("INSERT INTO t (b) VALUES (NULL)")
    got = rows(
        plain,
        f"SELECT b, i2, i4, i8, f4, f8, n, v, c, x, y, d::varchar, tm::varchar, ts::varchar, tz::varchar, u::varchar,"
        f" j::varchar, a, s FROM lake.{space.schema}.t ORDER BY b NULLS LAST",
    )
    assert got[0] == (
        True, 1, 2, 3, 1.5, 2.5, Decimal("4.125"), "v", "c", "ü", b"\x00\xff", "2024-02-29", "12:34:56.789",
        "2024-02-29 12:34:56.789012", "2024-02-29 10:34:56+00", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", '{"a": 1}',
        [1, None, 3], ["a", "b c"],
    )  # fmt: skip
    assert set(got[1]) == {None}


def test_histories_of_ddl_and_dml_read_the_same(
    space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection
) -> None:
    client.ok("CREATE TABLE t (id int, v text, w int)")
    for sql in (
        "INSERT INTO t SELECT g, 'v' || g, g % 7 FROM generate_series(1, 500) g",
        "DELETE FROM t WHERE w = 3",
        "ALTER TABLE t ADD COLUMN x int DEFAULT 11",
        "UPDATE t SET v = 'changed', x = 12 WHERE id < 20",
        "ALTER TABLE t RENAME COLUMN w TO weight",
        "INSERT INTO t SELECT g, 'late', 0, NULL FROM generate_series(1000, 1100) g",
        "ALTER TABLE t DROP COLUMN weight",
        "DELETE FROM t WHERE id % 11 = 0",
        "ALTER TABLE t ALTER COLUMN id TYPE bigint",
        "ALTER TABLE t ADD COLUMN d date DEFAULT '2024-01-01'",
        "ALTER TABLE t RENAME TO moved",
    ):
        client.ok(sql)
        name = "moved" if "moved" in sql else "t"
        columns = client.ok(f"SELECT * FROM {name} LIMIT 0").names
        text = ", ".join(f"{column}::varchar AS {column}" for column in columns)
        theirs = rows(plain, f"SELECT {text} FROM lake.{space.schema}.{name}")
        mine = client.ok(f"SELECT {', '.join(f'{column}::text' for column in columns)} FROM {name}").text
        assert sorted(theirs, key=str) == sorted(mine, key=str), sql


def test_point_lookups_in_bucketed_tables_find_every_row(
    space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection
) -> None:
    client.ok("CREATE TABLE k (k bigint, t text) DISTRIBUTED BY (k)")
    client.ok("INSERT INTO k SELECT g, 't' || g FROM generate_series(1, 100) g")
    client.ok("UPDATE k SET t = t || '!' WHERE k % 10 = 0")
    client.ok("INSERT INTO k SELECT g, 't' || g FROM generate_series(101, 120) g")
    client.ok("CREATE TABLE s (s text, n int) DISTRIBUTED BY (s)")
    client.ok("INSERT INTO s SELECT 'key' || g, g FROM generate_series(1, 60) g")
    lost = [k for k in range(1, 121) if len(rows(plain, f"SELECT t FROM lake.{space.schema}.k WHERE k = {k}")) != 1]
    assert lost == []
    lost = [n for n in range(1, 61) if len(rows(plain, f"SELECT n FROM lake.{space.schema}.s WHERE s = 'key{n}'")) != 1]
    assert lost == []


def test_statistics_do_not_hide_rows(space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection) -> None:
    client.ok("CREATE TABLE s (k int, t text, d numeric(10,2), f float8, ts timestamp)")
    for low in (1, 7000, 90, -5):
        client.ok(
            f"INSERT INTO s SELECT g, 'k' || g, g / 4.0, g / 3.0, timestamp '2024-01-01' + g * interval '1 hour'"
            f" FROM generate_series({low}, {low} + 9) g"
        )
    client.ok("INSERT INTO s VALUES (NULL, NULL, NULL, 'NaN', NULL)")
    name = f"lake.{space.schema}.s"
    assert rows(plain, f"SELECT count(*) FROM {name} WHERE k >= 5000") == [(10,)]
    assert rows(plain, f"SELECT count(*) FROM {name} WHERE k < 0") == [(5,)]
    assert rows(plain, f"SELECT count(*) FROM {name} WHERE d > 1700") == [(10,)]
    assert rows(plain, f"SELECT count(*) FROM {name} WHERE f > 2000") == [(11,)]
    assert rows(plain, f"SELECT count(*) FROM {name} WHERE ts > '2024-10-01'") == [(10,)]
    assert rows(plain, f"SELECT count(*), sum(k), count(*) FILTER (WHERE t = 'k7003') FROM {name}") == [
        (41, 71035 - 5 * 10 + 45 + 900, 1)
    ] or rows(plain, f"SELECT count(*) FROM {name} WHERE t = 'k7003'") == [(1,)]


def test_row_ids_never_repeat(space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection) -> None:
    client.ok("CREATE TABLE r (a int)")
    for low in (1, 101, 201):
        client.ok(f"INSERT INTO r SELECT * FROM generate_series({low}, {low} + 99)")
    assert rows(plain, f"SELECT count(*), count(DISTINCT rowid) FROM lake.{space.schema}.r") == [(300, 300)]


def test_what_a_plain_duckdb_writes_is_read(space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection) -> None:
    client.ok("CREATE TABLE t (id int, v text)")
    client.ok("INSERT INTO t SELECT g, 'mere' FROM generate_series(1, 100) g")
    name = f"lake.{space.schema}.t"
    plain.execute(f"INSERT INTO {name} SELECT g, 'duck' FROM range(1000, 3000) r(g)")
    assert client.ok("SELECT v, count(*), sum(id) FROM t GROUP BY v ORDER BY v").text == [
        ("duck", "2000", "3999000"), ("mere", "100", "5050"),
    ]  # fmt: skip
    plain.execute(f"DELETE FROM {name} WHERE id % 10 = 0")
    plain.execute(f"UPDATE {name} SET v = 'updated' WHERE id BETWEEN 5 AND 15")
    theirs = rows(plain, f"SELECT v, count(*), sum(id) FROM {name} GROUP BY v ORDER BY v")
    mine = client.ok("SELECT v, count(*), sum(id) FROM t GROUP BY v ORDER BY v").text
    assert mine == [tuple(str(value) for value in row) for row in theirs]
    client.ok("DELETE FROM t WHERE id < 20")
    client.ok("UPDATE t SET v = 'both' WHERE id BETWEEN 1001 AND 1009")
    assert rows(plain, f"SELECT count(*) FROM {name} WHERE v = 'both'") == [(9,)]
    assert rows(plain, f"SELECT min(id) FROM {name}") == [(21,)]


def test_inlined_rows_of_a_plain_duckdb_are_read(space: Workspace, client: Client) -> None:
    client.ok("CREATE TABLE t (id int, v text, n numeric(8,2), ts timestamp)")
    client.ok("INSERT INTO t VALUES (1, 'mere', 1.5, '2024-01-01')")
    inlining = attach(space.server, options=["DATA_INLINING_ROW_LIMIT 100"])
    try:
        name = f"lake.{space.schema}.t"
        inlining.execute(
            f"INSERT INTO {name} VALUES (2, 'inl''ined', 2.5, '2024-01-02 03:04:05'), (3, NULL, NULL, NULL)"
        )
        assert client.ok("SELECT * FROM t ORDER BY id").text == [
            ("1", "mere", "1.50", "2024-01-01 00:00:00"),
            ("2", "inl'ined", "2.50", "2024-01-02 03:04:05"),
            ("3", None, None, None),
        ]
        inlining.execute(f"DELETE FROM {name} WHERE id = 2")
        assert client.ok("SELECT id FROM t ORDER BY id").text == [("1",), ("3",)]
        client.ok("INSERT INTO t VALUES (4, 'again', 0, NULL)")
        assert client.ok("SELECT count(*), sum(id) FROM t").text == [("3", "8")]
        assert rows(inlining, f"SELECT count(*), sum(id) FROM {name}") == [(3, 8)]
    finally:
        inlining.close()


def test_tables_made_by_a_plain_duckdb_get_a_shell(
    space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection
) -> None:
    name = f"lake.{space.schema}"
    plain.execute(f"CREATE TABLE {name}.theirs (id integer NOT NULL, v varchar, d decimal(10,2), l integer[])")
    plain.execute(f"INSERT INTO {name}.theirs SELECT i, 'x' || i, i / 4, [i, i + 1] FROM range(50) r(i)")
    assert client.ok("SELECT count(*), sum(id), max(d) FROM theirs").text == [("50", "1225", "12.25")]
    assert client.ok("SELECT l FROM theirs WHERE id = 3").value == "{3,4}"
    client.ok("INSERT INTO theirs VALUES (100, 'mine', 1, '{9}')")
    client.fails("INSERT INTO theirs VALUES (NULL, 'x', 1, NULL)", "23502")
    assert rows(plain, f"SELECT l FROM {name}.theirs WHERE id = 100") == [([9],)]
    plain.execute(f"ALTER TABLE {name}.theirs ADD COLUMN late integer DEFAULT 8")
    assert client.ok("SELECT sum(late) FROM theirs").value == "408"
    plain.execute(f"DROP TABLE {name}.theirs")
    client.fails("SELECT * FROM theirs", "42P01")


def test_a_new_session_knows_what_a_plain_duckdb_has_defined(
    space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection
) -> None:
    """Also within a transaction block, where a wrong guess would be an error."""
    client.ok("CREATE TABLE known (a int)")
    with space.client() as before:
        assert before.ok("SELECT count(*) FROM known").value == "0"
    plain.execute(f"CREATE TABLE lake.{space.schema}.novel AS SELECT range AS a FROM range(3)")
    with space.client() as after:
        after.ok("BEGIN")
        assert after.ok("SELECT count(*) FROM novel").value == "3"


def test_concurrent_plain_writers_and_mere_lose_nothing(
    space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection
) -> None:
    client.ok("CREATE TABLE t (who text, n int)")
    for number in range(10):
        client.ok(f"INSERT INTO t VALUES ('mere', {number})")
        plain.execute(f"INSERT INTO lake.{space.schema}.t VALUES ('duck', {number})")
    assert client.ok("SELECT who, count(*), sum(n) FROM t GROUP BY who ORDER BY who").text == [
        ("duck", "10", "45"), ("mere", "10", "45"),
    ]  # fmt: skip


def test_a_plain_delete_conflicts_with_a_pending_update(
    space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection
) -> None:
    client.ok("CREATE TABLE t (id int, v int)")
    client.ok("INSERT INTO t SELECT g, 0 FROM generate_series(1, 100) g")
    client.ok("BEGIN")
    client.ok("UPDATE t SET v = 1 WHERE id <= 10")
    plain.execute(f"DELETE FROM lake.{space.schema}.t WHERE id = 5")
    outcome = client.run("COMMIT")
    assert outcome.sqlstate == "40001", outcome
    assert client.ok("SELECT count(*), sum(v) FROM t").text == [("99", "0")]


def test_the_extension_may_merge_and_rewrite_files_of_mere(
    space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection
) -> None:
    client.ok("CREATE TABLE t (id int, v text) DISTRIBUTED BY (id)")
    for low in range(0, 50, 10):
        client.ok(f"INSERT INTO t SELECT g, 'v' || g FROM generate_series({low}, {low + 9}) g")
    client.ok("DELETE FROM t WHERE id % 3 = 0")
    before = client.ok("SELECT id, v FROM t ORDER BY id").text
    plain.execute("CALL ducklake_merge_adjacent_files('lake')")
    assert client.ok("SELECT id, v FROM t ORDER BY id").text == before
    plain.execute("CALL ducklake_rewrite_data_files('lake')")
    assert client.ok("SELECT id, v FROM t ORDER BY id").text == before
    client.ok("UPDATE t SET v = 'after' WHERE id = 1")
    assert rows(plain, f"SELECT v FROM lake.{space.schema}.t WHERE id = 1") == [("after",)]


def test_snapshots_through_the_extension_match_time_travel(
    space: Workspace, client: Client, plain: duckdb.DuckDBPyConnection
) -> None:
    client.ok("CREATE TABLE t (a int)")
    client.ok("INSERT INTO t VALUES (1), (2)")
    version = client.ok("SELECT max(snapshot_id) FROM mere.snapshots").value
    client.ok("DELETE FROM t WHERE a = 1")
    assert rows(plain, f"SELECT sum(a) FROM lake.{space.schema}.t AT (VERSION => {version})") == [(3,)]
    assert client.ok(f"SELECT sum(a) FROM t AT (VERSION => {version})").value == "3"
