"""What becomes a lake table, what one may have, and what its columns are called in the lake."""

from __future__ import annotations

import pytest
from harness.catalog import LakeDatabase

REFUSED = [
    "CREATE UNLOGGED TABLE t (a int)",
    "CREATE TABLE t (a int) PARTITION BY HASH (a)",
    "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE h PARTITION OF t FOR VALUES IN (1) USING heap",
    "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2))",
    "CREATE TABLE t (a int, EXCLUDE USING btree (a WITH =))",
    "CREATE TABLE t AS SELECT 1 AS a",
    "SELECT 1 AS a INTO t",
    "CREATE TABLE t (a xml)",
    "CREATE TABLE t (a money)",
    "CREATE TABLE t (a point)",
    "CREATE TABLE t (a int4range)",
    "CREATE TABLE t (a int[][])",
    "CREATE TABLE t (a numeric(39,0))",
    "CREATE TABLE t (a numeric(5,-2))",
    "CREATE TABLE t (a numeric(2,5))",
    "CREATE TABLE k (a int); CREATE TABLE t () INHERITS (k)",
    "CREATE DOMAIN d AS int; CREATE TABLE t (a d)",
    "CREATE TYPE e AS ENUM ('x'); CREATE TABLE t (a e)",
    "CREATE TYPE c AS (a int); CREATE TABLE t OF c",
    "CREATE TYPE c AS (a int); CREATE TABLE t (a c)",
    "CREATE TABLE t (a int); ALTER TABLE t SET UNLOGGED",
    "CREATE TABLE t (a int); ALTER TABLE t SET ACCESS METHOD heap",
    "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "CREATE TABLE t (a int); CREATE POLICY p ON t USING (true)",
    "CREATE TABLE t (a int); CREATE RULE r AS ON INSERT TO t DO NOTHING",
    "CREATE TABLE t (a int); CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE TABLE t (a int); ALTER TABLE t ADD COLUMN b xml",
    "CREATE TABLE t (a int); ALTER TABLE t ALTER a TYPE money",
    "CREATE TABLE p (a int) PARTITION BY LIST (a) USING heap; CREATE TABLE t (a int);"
    " ALTER TABLE p ATTACH PARTITION t FOR VALUES IN (1)",
    "CREATE TABLE h (a int) USING heap; INSERT INTO h VALUES (1); ALTER TABLE h SET ACCESS METHOD lake",
]


@pytest.mark.parametrize("statements", REFUSED)
async def test_what_a_lake_cannot_have_is_refused_by_name(shared_lake: LakeDatabase, statements: str) -> None:
    message = await shared_lake.fails(
        "0A000", "CREATE SCHEMA own", "SET LOCAL search_path = own", *statements.split(";")
    )
    assert "lake table" in message
    assert await shared_lake.root.fetchval("SELECT count(*) FROM mere.shell") == 3


TYPES = """boolean smallint integer bigint real double_precision numeric(12,2) numeric(38,10) text varchar varchar(5)
    char(3) name bytea date time timetz timestamp timestamptz interval uuid json jsonb int[] text[] numeric(9,3)[]"""


async def test_every_supported_type_gets_an_id_and_lists_two(lake: LakeDatabase) -> None:
    types = [word.replace("_", " ") for word in TYPES.split()]
    columns = ", ".join(f"c{number} {type_}" for number, type_ in enumerate(types))
    await lake.run(f"CREATE TABLE t ({columns})")
    rows = await lake.root.fetch("SELECT column_id, element_id FROM mere.shell_column ORDER BY attnum")
    assert len(rows) == len(types)
    given = [number for row in rows for number in (row[0], row[1]) if number is not None]
    assert given == list(range(1, len(types) + 3 + 1))
    assert await lake.root.fetchval("SELECT column_ids FROM mere.shell") == len(types) + 3


async def test_ids_are_never_given_twice(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE t (a int, b int)")
    await lake.run("ALTER TABLE t DROP COLUMN b")
    await lake.run("ALTER TABLE t ADD COLUMN b int", "ALTER TABLE t ADD COLUMN c int[]")
    rows = await lake.root.fetch("SELECT name, column_id, element_id FROM mere.shell_column ORDER BY attnum")
    assert [tuple(row) for row in rows] == [("a", 1, None), ("b", 3, None), ("c", 4, 5)]


async def test_numeric_gets_a_precision(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE t (a numeric, b numeric[])", "ALTER TABLE t ADD COLUMN c numeric")
    rows = await lake.user.fetch(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0"
    )
    assert [row[0] for row in rows] == ["numeric(38,10)", "numeric(38,10)[]", "numeric(38,10)"]
    assert len([notice for notice in lake.notices if "numeric(38,10)" in notice]) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TEMP TABLE t (a xml)",
        "CREATE MATERIALIZED VIEW t AS SELECT 1 AS a",
        "CREATE TABLE t (a xml) USING heap",
        "CREATE TABLE t USING heap AS SELECT 1 AS a",
    ],
)
async def test_other_relations_stay_postgresqls(lake: LakeDatabase, statement: str) -> None:
    await lake.user.execute(statement)
    assert await lake.user.fetchval("SELECT count(*) FROM t") in (0, 1)
    assert await lake.user.fetchval("SELECT mere.lake_names()") == []


async def test_partitioned_heap_tables_work(lake: LakeDatabase) -> None:
    await lake.user.execute("CREATE TABLE p (a int) PARTITION BY LIST (a) USING heap")
    await lake.user.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
    await lake.user.execute("INSERT INTO p VALUES (1)")
    assert await lake.user.fetchval("SELECT count(*) FROM p") == 1


async def test_an_extensions_tables_are_ordinary(lake: LakeDatabase) -> None:
    await lake.user.execute("CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm")
    assert await lake.user.fetchval("SELECT 'a=>1'::hstore -> 'a'") == "1"


async def test_keys_are_informational_and_say_so(lake: LakeDatabase) -> None:
    await lake.run(
        "CREATE TABLE p (id serial PRIMARY KEY, u int UNIQUE)",
        "CREATE TABLE c (p int REFERENCES p DEFERRABLE, self int)",
        "CREATE TABLE h (p int REFERENCES p (id)) USING heap",
        "ALTER TABLE c ADD PRIMARY KEY (self)",
    )
    enforced = "SELECT bool_or(conenforced) FROM pg_constraint WHERE contype = 'f'"
    assert await lake.user.fetchval(enforced) is False
    assert len([notice for notice in lake.notices if "informational" in notice]) == 5
    await lake.user.execute("INSERT INTO h VALUES (404)")
    lake.notices.clear()
    await lake.run("ALTER TABLE c ADD COLUMN more int")
    assert lake.notices == []


async def test_like_including_all_is_a_table_of_its_own(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE a (x int PRIMARY KEY)", "CREATE TABLE b (LIKE a INCLUDING ALL)")
    await lake.run("DROP TABLE a")
    message = await lake.fails("0A000", "SELECT * FROM b")
    assert "public.b" in message
    names = await lake.root.fetch("SELECT stxname FROM pg_statistic_ext")
    assert [row[0] for row in names] == [f"lake_{await lake.root.fetchval('SELECT relid FROM mere.shell')}"]


async def test_a_rolled_back_savepoint_leaves_no_trace(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE a (x int)", "SAVEPOINT s", "CREATE TABLE b (x int)", "ROLLBACK TO s")
    assert await lake.root.fetchval("SELECT array_agg(table_name) FROM mere.shell") == ["a"]


async def test_a_table_made_and_dropped_in_one_transaction(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE a (x int)", "DROP TABLE a")
    assert await lake.root.fetchval("SELECT count(*) FROM mere.shell") == 0
    assert await lake.root.fetchval("SELECT count(*) FROM mere.shell_column") == 0
    assert await lake.root.fetchval("SELECT count(*) FROM mere_lake.ducklake_table") == 0


async def test_names_of_every_kind(lake: LakeDatabase) -> None:
    await lake.run("""CREATE TABLE "Weird näme; "" q" ("A b" int, "c""d" text DEFAULT 'it''s')""")
    row = await lake.root.fetchrow("SELECT table_name, path FROM mere.shell")
    assert row["table_name"] == 'Weird näme; " q'
    assert row["path"].startswith("weird_n_me_q-")


BEARS_OUT = [
    ("ALTER TABLE {t} ALTER b SET NOT NULL", "0A000"),
    ("ALTER TABLE {t} ADD PRIMARY KEY (b)", "0A000"),
    ("ALTER TABLE {t} ADD CONSTRAINT k CHECK (b > 0)", "0A000"),
    ("ALTER TABLE {t} ADD COLUMN n int NOT NULL", "23502"),
    ("ALTER TABLE {t} ADD COLUMN n float DEFAULT random()", "0A000"),
    ("ALTER TABLE {t} ADD COLUMN n serial", "0A000"),
    ("ALTER TABLE {t} ALTER b TYPE bigint", "0A000"),
    ("ALTER TABLE {t} ALTER b TYPE text USING 'x'", "0A000"),
    ("ALTER TABLE {t} ALTER v TYPE varchar(3)", "0A000"),
    ("ALTER TABLE {t} ALTER d TYPE timestamptz", "0A000"),
    ("SELECT mere.set_policy('{t}', 'hash', ARRAY['b'], 8)", "0A000"),
]


@pytest.mark.parametrize(("statement", "sqlstate"), BEARS_OUT)
async def test_what_rows_must_bear_out_needs_the_gateways_word(
    shared_lake: LakeDatabase, statement: str, sqlstate: str
) -> None:
    on_filled, user = statement.format(t="filled"), shared_lake.user
    await user.execute(f"BEGIN; {statement.format(t='empty')}; ROLLBACK")
    await shared_lake.fails(sqlstate, on_filled)
    await shared_lake.fails(sqlstate, f"DO $do$ BEGIN {on_filled.replace('SELECT', 'PERFORM')}; END $do$")

    await user.execute("BEGIN")
    await shared_lake.vouch("filled")
    await user.execute(on_filled)
    await user.execute("ROLLBACK")
    await shared_lake.fails(sqlstate, on_filled)  # the word was for that transaction


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE {t} ADD COLUMN n int",
        "ALTER TABLE {t} ADD COLUMN n int NOT NULL DEFAULT 7",
        "ALTER TABLE {t} ADD COLUMN n timestamptz DEFAULT now()",
        "ALTER TABLE {t} DROP COLUMN b",
        "ALTER TABLE {t} RENAME COLUMN b TO z",
        "ALTER TABLE {t} ALTER b SET DEFAULT 4",
        "ALTER TABLE {t} ALTER v TYPE text",
        "ALTER TABLE {t} ALTER v TYPE varchar(20)",
        "ALTER TABLE {t} ADD CONSTRAINT k CHECK (b > 0) NOT VALID",
        "ALTER TABLE {t} ADD UNIQUE (b)",
        "ALTER TABLE {t} RENAME TO u",
    ],
)
async def test_what_holds_for_any_rows_needs_nobodys(shared_lake: LakeDatabase, statement: str) -> None:
    await shared_lake.user.execute(f"BEGIN; {statement.format(t='filled')}; ROLLBACK")


async def test_a_validated_check_stays_validated(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE t (a int CHECK (a > 0))")
    await lake.pretend_rows("t")
    await lake.run("ALTER TABLE t ADD COLUMN b int")
    await lake.fails(
        "0A000", "ALTER TABLE t ADD CHECK (b > 0) NOT VALID", "ALTER TABLE t VALIDATE CONSTRAINT t_b_check"
    )


async def test_uncommitted_rows_count_when_the_gateway_says_so(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE t (a int)")
    await lake.user.execute("BEGIN")
    xid = await lake.user.fetchval("SELECT pg_current_xact_id()::text")
    await lake.gateway.execute("INSERT INTO mere.written VALUES ($1::text::xid8, 'public.t'::regclass)", xid)
    try:
        await lake.user.execute("ALTER TABLE t ALTER a SET NOT NULL")
        raise AssertionError("succeeded")
    except Exception as error:
        assert getattr(error, "sqlstate", "") == "0A000", error
    finally:
        await lake.user.execute("ROLLBACK")


async def test_what_old_rows_have_of_a_new_column(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE t (a int)")
    await lake.user.execute("SET datestyle = 'German'; SET bytea_output = 'escape'; SET timezone = 'Asia/Tokyo'")
    await lake.run(
        "ALTER TABLE t ADD COLUMN i int DEFAULT 7, ADD COLUMN s text DEFAULT 'it''s', ADD COLUMN b bool DEFAULT true,"
        " ADD COLUMN d date DEFAULT '2024-02-29', ADD COLUMN y bytea DEFAULT '\\x00ff',"
        " ADD COLUMN n numeric(5,2) DEFAULT 1"
    )
    rows = await lake.root.fetch(
        "SELECT name, initial_default FROM mere.shell_column WHERE name <> 'a' ORDER BY attnum"
    )
    assert {row[0]: row[1] for row in rows} == {
        "i": "7",
        "s": "it's",
        "b": "true",
        "d": "2024-02-29",
        "y": "\\x00\\xff",
        "n": "1.00",
    }


async def test_policies(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE t (a int, b text, f float)", "SELECT mere.set_policy('t', 'hash', '{b,a}', 4)")
    row = await lake.root.fetchrow("SELECT policy, keys, buckets FROM mere.shell")
    assert tuple(row) == ("hash", [2, 1], 4)
    await lake.fails("0A000", "ALTER TABLE t DROP COLUMN a")
    await lake.fails("0A000", "ALTER TABLE t ALTER b TYPE interval USING NULL")
    await lake.fails("0A000", "SELECT mere.set_policy('t', 'hash', '{f}', 4)")
    await lake.fails("42703", "SELECT mere.set_policy('t', 'hash', '{nope}', 4)")
    await lake.fails("42701", "SELECT mere.set_policy('t', 'hash', '{a,a}', 4)")
    await lake.fails("22023", "SELECT mere.set_policy('t', 'hash', '{}', 4)")
    await lake.fails("22023", "SELECT mere.set_policy('t', 'sideways', '{}', 0)")
    await lake.fails("42809", "CREATE TEMP TABLE h (a int)", "SELECT mere.set_policy('h', 'hash', '{a}', 4)")
    await lake.run("SELECT mere.set_policy('t', 'replicated', '{}', 0)", "ALTER TABLE t DROP COLUMN a")
