"""Partitioned lake tables: PostgreSQL has the bounds, each partition is a lake table, the rows are always where they
belong."""

from __future__ import annotations

import pytest
from harness.client import Client
from harness.lakereader import attach, rows
from harness.workspace import Workspace

COUNT = "SELECT count(*), sum(n) FROM m"


@pytest.fixture
def months(client: Client) -> Client:
    client.ok("CREATE TABLE m (day date NOT NULL, n int) PARTITION BY RANGE (day)")
    client.ok("CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')")
    client.ok("CREATE TABLE m2 PARTITION OF m FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')")
    client.ok("INSERT INTO m SELECT date '2024-01-01' + g, g FROM generate_series(0, 59) g")
    return client


def test_only_files_of_the_partitions_that_matter_are_read(months: Client) -> None:
    lines = [row[0] or "" for row in months.ok("EXPLAIN SELECT sum(n) FROM m WHERE day = '2024-02-03'").text]
    scans = sorted(line.strip() for line in lines if "Lake Scan" in line)
    assert len(scans) == 2, lines
    assert ".m1  (files: 0 of 1," in scans[0]
    assert ".m2  (files: 1 of 1," in scans[1]
    assert months.ok("SELECT sum(n) FROM m WHERE day = '2024-02-03'").value == "33"


def test_all_partitions_are_written_in_one_commit(space: Workspace, months: Client) -> None:
    other = space.client()
    months.ok("BEGIN")
    months.ok("INSERT INTO m VALUES ('2024-01-05', 100), ('2024-02-05', 200)")
    assert other.ok(COUNT).text == [("60", "1770")]
    months.ok("COMMIT")
    assert other.ok(COUNT).text == [("62", "2070")]
    months.fails("INSERT INTO m VALUES ('2024-01-05', 1), ('2031-01-01', 2)", "23514")
    assert other.ok(COUNT).text == [("62", "2070")]


def test_a_plain_duckdb_reads_and_writes_the_partitions(space: Workspace, months: Client) -> None:
    with attach(space.server) as plain:
        assert rows(plain, f"SELECT count(*) FROM lake.{space.schema}.m1") == [(31,)]
        plain.execute(f"INSERT INTO lake.{space.schema}.m2 VALUES (date '2024-02-10', 1000)")
    assert months.ok(COUNT).text == [("61", "2770")]


def test_rows_that_bounds_would_contradict_are_seen(months: Client) -> None:
    months.ok("CREATE TABLE rest PARTITION OF m DEFAULT")
    months.ok("INSERT INTO m VALUES ('2024-03-05', 1)")
    march = "CREATE TABLE m3 PARTITION OF m FOR VALUES FROM ('2024-03-01') TO ('2024-04-01')"
    months.fails(march, "23514")
    months.fails(f"DO $$ BEGIN EXECUTE {_literal(march)}; END $$", "0A000")
    months.ok("DELETE FROM rest")
    months.ok(march)
    months.ok("INSERT INTO m VALUES ('2024-03-05', 1), ('2024-05-05', 2)")
    months.ok("DROP TABLE m3")
    months.ok("INSERT INTO m VALUES ('2024-03-06', 3)")
    months.fails(march, "23514")
    months.ok("CREATE TABLE loose (day date NOT NULL, n int)")
    months.ok("INSERT INTO loose VALUES ('2025-01-01', 9)")
    attach_it = "ALTER TABLE m ATTACH PARTITION loose FOR VALUES FROM ('2024-04-01') TO ('2024-05-01')"
    months.fails(f"DO $$ BEGIN EXECUTE {_literal(attach_it)}; END $$", "0A000")
    months.fails(attach_it, "23514")
    months.ok("UPDATE loose SET day = '2024-04-02'")
    months.ok(attach_it)
    months.ok("ALTER TABLE m DETACH PARTITION loose")
    months.ok("INSERT INTO loose VALUES ('2030-01-01', 10)")
    months.fails(attach_it, "23514")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@pytest.mark.parametrize(
    "text",
    [
        "DO $$ BEGIN PERFORM count(*) FROM m; END $$",
        "DO $$ BEGIN INSERT INTO m VALUES ('2024-01-01', 1); END $$",
        "DO $$ BEGIN DELETE FROM m WHERE n = 1; END $$",
        "CREATE TABLE heaped PARTITION OF m FOR VALUES FROM ('2024-03-01') TO ('2024-04-01') USING heap",
        "CREATE TABLE hashed (a int) PARTITION BY HASH (a)",
        "ALTER TABLE m ADD FOREIGN KEY (n) REFERENCES other (id)",
        "UPDATE m SET day = day + 31 WHERE n = 0",
        "MERGE INTO m USING m2 ON m.n = m2.n WHEN MATCHED THEN DELETE",
        "SELECT tableoid FROM m",
    ],
)
def test_what_is_not_supported_is_refused_and_changes_nothing(months: Client, text: str) -> None:
    months.ok("CREATE TABLE other (id int PRIMARY KEY) USING heap")
    assert months.run(text).sqlstate in ("0A000", "42P16"), text
    assert months.ok(COUNT).text == [("60", "1770")]


def test_partitions_are_distributed_as_their_table_says(client: Client) -> None:
    client.ok("CREATE TABLE d (a int, b text, c date) PARTITION BY LIST (b) DISTRIBUTED BY (a)")
    client.ok("CREATE TABLE d1 PARTITION OF d FOR VALUES IN ('x')")
    client.ok("CREATE TABLE d2 PARTITION OF d FOR VALUES IN ('y') DISTRIBUTED RANDOMLY")
    policy = (
        "SELECT relid::regclass::text, facts ->> 'policy', facts ->> 'keys'"
        " FROM mere.map_facts(ARRAY['d1'::regclass::oid, 'd2'::regclass::oid]) ORDER BY 1"
    )
    assert client.ok(policy).text == [("d1", "hash", "[1]"), ("d2", "random", "[]")]
    client.ok("ALTER TABLE d SET DISTRIBUTED BY (c)")
    assert client.ok(policy).text == [("d1", "hash", "[3]"), ("d2", "hash", "[3]")]
    client.ok("INSERT INTO d SELECT g, CASE WHEN g % 3 = 0 THEN 'y' ELSE 'x' END, NULL FROM generate_series(1, 99) g")
    assert client.ok("SELECT b, count(*) FROM d WHERE a IN (3, 4, 5) GROUP BY b ORDER BY b").text == [
        ("x", "2"),
        ("y", "1"),
    ]


def test_stored_rows_move_to_a_new_distribution(months: Client) -> None:
    months.ok("ALTER TABLE m SET DISTRIBUTED BY (n)")
    assert months.ok("SELECT day FROM m WHERE n = 42").value == "2024-02-12"
    assert months.ok(COUNT).text == [("60", "1770")]
    months.ok("CREATE TABLE m3 PARTITION OF m FOR VALUES FROM ('2024-03-01') TO ('2024-04-01')")
    months.ok("INSERT INTO m VALUES ('2024-03-05', 77)")
    assert months.ok("SELECT day FROM m3 WHERE n = 77").value == "2024-03-05"


def test_history_is_read_across_partitions(months: Client) -> None:
    before = months.ok("SELECT max(snapshot_id) FROM mere.snapshots").value
    months.ok("DELETE FROM m WHERE n < 40")
    assert months.ok(COUNT).text == [("20", "990")]
    assert months.ok(f"SELECT count(*) FROM m AT (VERSION => {before})").value == "60"


def test_copy_goes_to_the_partitions_and_comes_from_them(months: Client) -> None:
    months.ok("TRUNCATE m")
    assert months.ok("COPY m FROM STDIN", b"2024-01-05\t1\n2024-02-06\t2\n").tag == "COPY 2"
    assert months.ok("SELECT n FROM m2").value == "2"
    assert months.ok("COPY (SELECT n FROM m ORDER BY n) TO STDOUT").copied == b"1\n2\n"
