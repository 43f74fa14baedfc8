"""ALTER TABLE where there are rows: PostgreSQL sees an empty shell, so the gateway checks and writes them again."""

from __future__ import annotations

import pytest
from harness.client import Client


@pytest.fixture(params=["", " DISTRIBUTED BY (id)"], ids=["random", "hash"])
def table(request: pytest.FixtureRequest, client: Client) -> Client:
    client.ok(f"CREATE TABLE t (id int, a int, s text){request.param}")
    client.ok("INSERT INTO t VALUES (1, 10, '7'), (2, 20, '8'), (3, NULL, NULL)")
    client.ok("DELETE FROM t WHERE id = 2")
    client.ok("INSERT INTO t VALUES (2, 20, '8')")
    return client


@pytest.mark.parametrize(
    ("change", "sqlstate"),
    [
        ("ALTER a SET NOT NULL", "23502"),
        ("ADD CHECK (a > 15)", "23514"),
        ("ADD CONSTRAINT c CHECK (length(s) > 1)", "23514"),
        ("ADD COLUMN n int NOT NULL", "23502"),
        ("ADD PRIMARY KEY (a)", "23502"),
        ("ALTER s TYPE int", "42804"),
        ("ALTER s TYPE int USING (s || 'x')::int", "22P02"),
        ("ALTER a TYPE smallint USING a * 10000", "22003"),
    ],
)
def test_what_the_rows_contradict_changes_nothing(table: Client, change: str, sqlstate: str) -> None:
    before = table.ok("SELECT * FROM t ORDER BY id").text
    table.fails(f"ALTER TABLE t {change}", sqlstate)
    assert table.ok("SELECT * FROM t ORDER BY id").text == before
    table.ok("INSERT INTO t VALUES (4, NULL, NULL)")


@pytest.mark.parametrize(
    ("change", "query", "rows"),
    [
        ("ALTER id SET NOT NULL", "SELECT count(*) FROM t", [("3",)]),
        ("ADD CHECK (a > 5)", "SELECT count(*) FROM t", [("3",)]),
        ("ALTER a TYPE bigint", "SELECT sum(a), pg_typeof(sum(a)) FROM t", [("30", "numeric")]),
        ("ALTER a TYPE text", "SELECT a FROM t ORDER BY id", [("10",), ("20",), (None,)]),
        ("ALTER s TYPE int USING s::int + a", "SELECT s FROM t ORDER BY id", [("17",), ("28",), (None,)]),
        ("ADD COLUMN n int DEFAULT 4 NOT NULL", "SELECT n FROM t ORDER BY id", [("4",)] * 3),
        ("ADD COLUMN n int[] DEFAULT '{1,2}'", "SELECT n FROM t ORDER BY id", [("{1,2}",)] * 3),
        ("ADD COLUMN n serial", "SELECT count(DISTINCT n), min(n), max(n) FROM t", [("3", "1", "3")]),
        ("ADD COLUMN n uuid DEFAULT gen_random_uuid()", "SELECT count(DISTINCT n) FROM t", [("3",)]),
        ("DROP COLUMN a, ADD COLUMN a text DEFAULT 'new'", "SELECT a FROM t ORDER BY id", [("new",)] * 3),
        ("SET DISTRIBUTED BY (s)", "SELECT a FROM t WHERE s = '8'", [("20",)]),
        ("SET DISTRIBUTED RANDOMLY", "SELECT a FROM t WHERE id = 2", [("20",)]),
        ("SET DISTRIBUTED REPLICATED", "SELECT a FROM t WHERE id = 2", [("20",)]),
    ],
)
def test_what_the_rows_allow(table: Client, change: str, query: str, rows: list[tuple[str | None]]) -> None:
    table.ok("BEGIN")
    table.ok(f"ALTER TABLE t {change}")
    assert table.ok(query).text == rows, "within the transaction"
    table.ok("ROLLBACK")
    assert table.ok("SELECT id, a, s FROM t ORDER BY id").text == [
        ("1", "10", "7"),
        ("2", "20", "8"),
        ("3", None, None),
    ]
    table.ok(f"ALTER TABLE t {change}")
    assert table.ok(query).text == rows


def test_rows_of_the_same_transaction_count_too(table: Client) -> None:
    table.ok("BEGIN")
    table.ok("INSERT INTO t VALUES (NULL, 1, 'x')")
    table.fails("ALTER TABLE t ALTER id SET NOT NULL", "23502")
    table.ok("ROLLBACK")
    table.ok("BEGIN")
    table.ok("UPDATE t SET a = 0 WHERE a IS NULL")
    table.ok("ALTER TABLE t ALTER a SET NOT NULL")
    table.ok("ALTER TABLE t ALTER a TYPE text USING 'v' || a")
    table.ok("UPDATE t SET a = a || '!' WHERE id = 3")
    table.ok("COMMIT")
    assert table.ok("SELECT a FROM t ORDER BY id").text == [("v10",), ("v20",), ("v0!",)]
    outcome = table.fails("INSERT INTO t VALUES (9, NULL, NULL)", "23502")
    assert 'null value in column "a"' in outcome.message


def test_a_renamed_column_keeps_its_rows_when_another_is_rewritten(table: Client) -> None:
    table.ok("ALTER TABLE t RENAME a TO b")
    table.ok("ALTER TABLE t ALTER s TYPE int USING s::int, ADD COLUMN c timestamptz DEFAULT clock_timestamp()")
    assert table.ok("SELECT b, s, c IS NOT NULL FROM t ORDER BY id").text == [
        ("10", "7", "t"),
        ("20", "8", "t"),
        (None, None, "t"),
    ]


@pytest.mark.parametrize(
    ("change", "sqlstate"),
    [("ALTER s SET NOT NULL", "23502"), ("ADD CHECK (a > 15)", "23514"), ("ALTER s TYPE int USING s::int", None)],
)
def test_every_change_of_a_transaction_is_checked(table: Client, change: str, sqlstate: str | None) -> None:
    """The first change makes the gateway answer for the table; that must not let a second one through unseen."""
    table.ok("BEGIN")
    table.ok("ALTER TABLE t ALTER id SET NOT NULL")
    if sqlstate is not None:
        table.fails(f"ALTER TABLE t {change}", sqlstate)
        table.ok("ROLLBACK")
        return
    table.ok(f"ALTER TABLE t {change}")
    table.ok("COMMENT ON TABLE t IS 'changed twice'")
    table.ok("COMMIT")
    assert table.ok("SELECT sum(s) FROM t").value == "15"


def test_a_block_after_a_change_gets_no_free_pass(table: Client) -> None:
    table.ok("BEGIN")
    table.ok("ALTER TABLE t ALTER id SET NOT NULL")
    table.fails("DO $$ BEGIN ALTER TABLE t ALTER s SET NOT NULL; END $$", "0A000")
    table.ok("ROLLBACK")
