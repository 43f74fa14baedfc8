"""Old snapshots can be read by version and by time, with the columns that they had, and snapshots can be listed."""

from __future__ import annotations

from harness.client import Client
from harness.workspace import Workspace


def version(client: Client) -> str:
    value = client.ok("SELECT max(snapshot_id) FROM mere.snapshots").value
    assert value is not None
    return value


def test_every_version_of_a_history_reads_as_it_was(client: Client) -> None:
    client.ok("CREATE TABLE t (a int, b text)")
    expected: list[tuple[str, list[tuple[str | None, ...]]]] = []
    for sql in (
        "INSERT INTO t VALUES (1, 'one'), (2, 'two')",
        "UPDATE t SET b = b || '!' WHERE a = 1",
        "DELETE FROM t WHERE a = 2",
        "INSERT INTO t SELECT g, 'g' FROM generate_series(10, 15) g",
        "MERGE INTO t USING (SELECT 10 AS a) s ON s.a = t.a WHEN MATCHED THEN UPDATE SET b = 'merged'",
        "TRUNCATE t",
        "INSERT INTO t VALUES (7, 'last')",
    ):
        client.ok(sql)
        expected.append((version(client), client.ok("SELECT a, b FROM t ORDER BY a").text))
    for snapshot, rows in expected:
        assert client.ok(f"SELECT a, b FROM t AT (VERSION => {snapshot}) ORDER BY a").text == rows


def test_old_rows_are_read_under_todays_columns(client: Client) -> None:
    """The shell has one set of columns: today's. What was dropped is not shown, what was added has its default."""
    client.ok("CREATE TABLE t (a int, b text)")
    client.ok("INSERT INTO t VALUES (1, 'x')")
    before = version(client)
    client.ok("ALTER TABLE t DROP COLUMN b")
    client.ok("ALTER TABLE t ADD COLUMN c int DEFAULT 3")
    client.ok("ALTER TABLE t RENAME COLUMN a TO z")
    assert client.ok("SELECT * FROM t").text == [("1", "3")]
    old = client.run(f"SELECT * FROM t AT (VERSION => {before})")
    assert (old.names, old.text) == (["z", "c"], [("1", "3")])


def test_time_travel_joins_filters_and_views(client: Client) -> None:
    client.ok("CREATE TABLE t (a int, v int)")
    client.ok("INSERT INTO t VALUES (1, 10), (2, 20)")
    before = version(client)
    client.ok("UPDATE t SET v = v + 1")
    changed = client.ok(
        f"SELECT n.a, o.v, n.v FROM t n JOIN t AT (VERSION => {before}) o USING (a) WHERE n.v <> o.v ORDER BY 1"
    )
    assert changed.text == [("1", "10", "11"), ("2", "20", "21")]
    moment = client.ok(f"SELECT snapshot_time FROM mere.snapshots WHERE snapshot_id = {before}").value
    assert client.ok(f"SELECT sum(v) FROM t AT (TIMESTAMP => '{moment}')").value == "30"
    assert client.ok("SELECT sum(v) FROM t AT (TIMESTAMP => now())").value == "32"


def test_a_version_comes_as_a_parameter(client: Client) -> None:
    client.ok("CREATE TABLE t (a int)")
    client.ok("INSERT INTO t VALUES (1)")
    first = version(client)
    client.ok("INSERT INTO t VALUES (2)")
    query = "SELECT sum(a) FROM t AT (VERSION => $1) WHERE a < $2"
    for at, total in ((first, "1"), (version(client), "3"), (first, "1")):
        assert client.extended(query, [str(at), "9"]).value == total
    assert client.extended("SELECT sum(a) FROM t AT (TIMESTAMP => $1)", ["2999-01-01"]).value == "3"


def test_time_before_the_table_and_versions_that_are_not_are_errors(client: Client) -> None:
    before = version(client)
    client.ok("CREATE TABLE t (a int)")
    for at in (f"VERSION => {before}", "TIMESTAMP => '2001-01-01'", "VERSION => 123456789", "VERSION => -1"):
        outcome = client.run(f"SELECT * FROM t AT ({at})")
        assert outcome.sqlstate in ("22023", "42P01", "0A000"), (at, outcome)


def test_writes_at_an_old_version_are_refused(client: Client) -> None:
    client.ok("CREATE TABLE t (a int)")
    for sql in ("DELETE FROM t AT (VERSION => 1)", "INSERT INTO t AT (VERSION => 1) VALUES (1)"):
        assert client.run(sql).sqlstate in ("42601", "0A000")


def test_snapshots_tell_author_time_and_kind(space: Workspace, client: Client) -> None:
    role = space.role("writer")
    client.ok("CREATE TABLE t (a int)")
    client.ok(f"GRANT INSERT, SELECT ON t TO {role}")
    writer = space.client(user=role)
    writer.ok("INSERT INTO t VALUES (1)")
    newest = client.ok(
        "SELECT author, snapshot_time BETWEEN now() - interval '1 hour' AND now() + interval '1 minute', kind"
        " FROM mere.snapshots ORDER BY snapshot_id DESC LIMIT 1"
    ).text[0]
    assert newest[:2] == (role, "t")
    assert newest[2]
