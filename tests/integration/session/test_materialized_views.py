"""Materialized views over lake tables: PostgreSQL's catalog tells of them, the lake has their rows."""

from __future__ import annotations

import duckdb
import pytest
from harness.client import Client
from harness.lakereader import attach, rows
from harness.workspace import Workspace

TOTALS = "SELECT region, total::text FROM totals ORDER BY region"


@pytest.fixture
def sales(client: Client) -> Client:
    client.ok("CREATE TABLE sales (id int, region text, amount numeric(10,2))")
    client.ok("INSERT INTO sales VALUES (1, 'n', 10), (2, 'n', 20), (3, 's', 5)")
    client.ok(
        "CREATE MATERIALIZED VIEW totals AS SELECT region, sum(amount)::numeric(12,2) AS total FROM sales GROUP BY 1"
    )
    return client


def test_readers_see_the_old_rows_until_the_commit_and_never_wait(space: Workspace, sales: Client) -> None:
    other = space.client(deadline=10)
    old = [("n", "30.00"), ("s", "5.00")]
    sales.ok("INSERT INTO sales VALUES (4, 's', 1)")
    sales.ok("BEGIN")
    sales.ok("REFRESH MATERIALIZED VIEW totals")
    assert sales.ok(TOTALS).text == [("n", "30.00"), ("s", "6.00")]
    assert other.ok(TOTALS).text == old
    sales.ok("ROLLBACK")
    assert sales.ok(TOTALS).text == old
    sales.ok("REFRESH MATERIALIZED VIEW CONCURRENTLY totals")
    assert other.ok(TOTALS).text == [("n", "30.00"), ("s", "6.00")]


def test_one_refresh_waits_for_another(space: Workspace, sales: Client) -> None:
    other = space.client()
    sales.ok("BEGIN")
    sales.ok("REFRESH MATERIALIZED VIEW totals")
    other.ok("SET lock_timeout = '200ms'")
    other.fails("REFRESH MATERIALIZED VIEW totals", "55P03")
    other.fails("DROP MATERIALIZED VIEW totals", "55P03")
    sales.ok("COMMIT")
    other.ok("REFRESH MATERIALIZED VIEW totals")
    assert other.ok("SELECT count(*) FROM totals").value == "2"


def test_a_plain_duckdb_reads_the_rows_and_cannot_take_the_view_away(space: Workspace, sales: Client) -> None:
    with attach(space.server) as plain:
        name = f"lake.{space.schema}.totals"
        assert rows(plain, f"SELECT region, total::varchar FROM {name} ORDER BY 1") == [("n", "30.00"), ("s", "5.00")]
        for change in (f"DROP TABLE {name}", f"ALTER TABLE {name} DROP COLUMN total"):
            with pytest.raises(duckdb.Error):
                plain.execute(change)
        sales.ok("TRUNCATE sales")
        sales.ok("REFRESH MATERIALIZED VIEW totals")
        assert rows(plain, f"SELECT count(*), max(region) FROM {name}") == [(0, None)]


def test_it_is_distributed_like_a_table(sales: Client) -> None:
    sales.ok("CREATE MATERIALIZED VIEW by_id AS SELECT id, amount FROM sales DISTRIBUTED BY (id)")
    policy = "SELECT facts ->> 'policy', facts ->> 'keys' FROM mere.map_facts(ARRAY['by_id'::regclass::oid])"
    assert sales.ok(policy).text == [("hash", "[1]")]
    sales.ok("INSERT INTO sales SELECT g, 'g', g FROM generate_series(10, 99) g")
    sales.ok("REFRESH MATERIALIZED VIEW by_id")
    assert sales.ok("SELECT amount::text FROM by_id WHERE id = 42").value == "42.00"
    sales.ok("ALTER MATERIALIZED VIEW by_id SET DISTRIBUTED RANDOMLY")
    assert sales.ok(policy).text == [("random", "[]")]
    assert sales.ok("SELECT amount::text FROM by_id WHERE id = 42").value == "42.00"
    assert sales.ok("SELECT count(*), sum(id) FROM by_id").text == [("93", "4911")]
    sales.fails("CREATE MATERIALIZED VIEW none AS SELECT 1 AS a DISTRIBUTED BY (a)", "42809")


@pytest.mark.parametrize(
    "text",
    [
        "DO $$ BEGIN REFRESH MATERIALIZED VIEW totals; END $$",
        "DO $$ BEGIN PERFORM count(*) FROM totals; END $$",
        "DO $$ BEGIN CREATE MATERIALIZED VIEW inside AS SELECT * FROM sales; END $$",
        "CREATE MATERIALIZED VIEW heaped USING heap AS SELECT * FROM sales",
        "CREATE MATERIALIZED VIEW old AS SELECT * FROM sales AT (VERSION => 1)",
        "ALTER MATERIALIZED VIEW totals SET ACCESS METHOD heap",
        "CREATE MATERIALIZED VIEW of_type AS SELECT oid FROM pg_class, sales",
    ],
)
def test_what_postgresql_would_do_to_an_empty_shell_is_refused(sales: Client, text: str) -> None:
    sales.fails(text, "0A000")
    assert sales.ok("SELECT count(*) FROM totals").value == "2"


def test_one_that_a_block_makes_without_data_can_be_refreshed(sales: Client) -> None:
    sales.ok("DO $$ BEGIN CREATE MATERIALIZED VIEW later AS SELECT id FROM sales WITH NO DATA; END $$")
    sales.fails("SELECT * FROM later", "55000")
    sales.ok("REFRESH MATERIALIZED VIEW later")
    assert sales.ok("SELECT count(*) FROM later").value == "3"
    sales.ok("DO $$ BEGIN REFRESH MATERIALIZED VIEW later WITH NO DATA; END $$")
    sales.fails("SELECT * FROM later", "55000")


def test_numbers_without_precision_get_one(sales: Client) -> None:
    sales.ok("CREATE MATERIALIZED VIEW means AS SELECT avg(id) AS m, array_agg(amount) AS a FROM sales")
    assert sales.ok("SELECT m FROM means").value == "2.0000000000"
    types = (
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'means'::regclass AND attnum > 0"
    )
    assert sales.ok(types).text == [("numeric(38,10)",), ("numeric(38,10)[]",)]


def test_what_it_reads_is_read_with_its_owners_rights(space: Workspace, sales: Client) -> None:
    role = space.role("keeper")
    sales.ok(f"GRANT SELECT, MAINTAIN ON totals TO {role}")
    keeper = space.client(user=role)
    sales.ok("DELETE FROM sales WHERE region = 'n'")
    keeper.ok("REFRESH MATERIALIZED VIEW totals")
    assert keeper.ok(TOTALS).text == [("s", "5.00")]
    keeper.fails("SELECT * FROM sales", "42501")
    sales.ok(f"REVOKE MAINTAIN ON totals FROM {role}")
    keeper.fails("REFRESH MATERIALIZED VIEW totals", "42501")


def test_functions_in_sql_are_part_of_the_query(sales: Client) -> None:
    sales.ok("CREATE FUNCTION twice(n numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT n * 2'")
    sales.ok("CREATE MATERIALIZED VIEW doubled AS SELECT sum(twice(amount))::int AS d FROM sales")
    sales.ok("DELETE FROM sales WHERE region = 's'")
    sales.ok("REFRESH MATERIALIZED VIEW doubled")
    assert sales.ok("SELECT d FROM doubled").value == "60"


def test_rows_of_postgresql_tables_are_joined_and_views_are_expanded(sales: Client) -> None:
    sales.ok("CREATE TABLE names (region text, name text) USING heap")
    sales.ok("INSERT INTO names VALUES ('n', 'north'), ('s', 'south')")
    sales.ok("CREATE VIEW named AS SELECT name, amount FROM sales JOIN names USING (region)")
    sales.ok("CREATE MATERIALIZED VIEW best AS SELECT name, max(amount)::text AS m FROM named GROUP BY name")
    assert sales.ok("SELECT * FROM best ORDER BY name").text == [("north", "20.00"), ("south", "5.00")]


def test_nobody_lends_rights_to_the_owner_by_a_refresh(space: Workspace, sales: Client) -> None:
    thief, victim = space.role("thief"), space.role("victim")
    sales.ok(f"GRANT CREATE ON SCHEMA {space.schema} TO {thief}, {victim}")
    owner, other = space.client(user=thief), space.client(user=victim)
    other.ok("CREATE TABLE secret (v int)")
    other.ok("INSERT INTO secret VALUES (42)")
    owner.ok("CREATE TABLE base (x int)")
    owner.ok("INSERT INTO base VALUES (1)")
    owner.ok("CREATE FUNCTION found() RETURNS int LANGUAGE sql STABLE AS 'SELECT max(v) FROM secret'")
    grants = f"BEGIN EXECUTE 'GRANT SELECT ON secret TO {thief}'; RETURN 1; END"
    owner.ok(f"CREATE FUNCTION takes() RETURNS int LANGUAGE plpgsql AS $$ {grants} $$")
    owner.ok("CREATE FUNCTION hides() RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN takes(); END'")
    owner.ok("CREATE VIEW hidden AS SELECT hides() AS h")
    for value in ("found()", "hides()", "(SELECT h FROM hidden)", "current_user::text"):
        owner.ok(f"CREATE MATERIALIZED VIEW bait AS SELECT x, {value} AS s FROM base WITH NO DATA")
        owner.ok(f"GRANT MAINTAIN ON bait TO {victim}")
        other.fails("REFRESH MATERIALIZED VIEW bait", "0A000")
        owner.ok("DROP MATERIALIZED VIEW bait")
    owner.fails("SELECT * FROM secret", "42501")
