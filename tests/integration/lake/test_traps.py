"""Metadata that the extension trusts blindly: statistics, buckets, row ids. Rows must never vanish through it."""

from __future__ import annotations

import psycopg
import pytest
from integration.lake.lake_catalog import LakeCatalog, LakeSession

TYPES = {
    "int2": ("int2", "SMALLINT", "i::SMALLINT"),
    "int4": ("int4", "INTEGER", "i::INTEGER"),
    "int8": ("int8", "BIGINT", "i::BIGINT * 10000000000"),
    "float4": ("float4", "FLOAT", "i::FLOAT / 3"),
    "float8": ("float8", "DOUBLE", "i / 3.0::DOUBLE"),
    "numeric": ("numeric(20,3)", "DECIMAL(20,3)", "(i / 8)::DECIMAL(20,3)"),
    "text": ("text", "VARCHAR", "i::VARCHAR"),
    "date": ("date", "DATE", "DATE '1999-12-28' + i::INTEGER"),
    "timestamp": ("timestamp", "TIMESTAMP", "TIMESTAMP '1999-12-28 23:59:59.5' + to_days(i::INTEGER)"),
    "timestamptz": ("timestamptz", "TIMESTAMPTZ", "TIMESTAMPTZ '1999-12-28 23:59:59.5+00' + to_days(i::INTEGER)"),
    "time": ("time", "TIME", "TIME '00:00:00' + to_minutes(i + 10)"),
    "bool": ("bool", "BOOLEAN", "i % 2 = 0"),
    "uuid": ("uuid", "UUID", "md5(i::VARCHAR)::UUID"),
    "bytea": ("bytea", "BLOB", "encode(i::VARCHAR)"),
    "json": ("jsonb", "JSON", "i::VARCHAR::JSON"),
    "interval": ("interval", "INTERVAL", "to_days(i::INTEGER + 100)"),
}


def test_every_value_is_found(lake: LakeCatalog, session: LakeSession) -> None:
    """Loads that widen the statistics in both directions; every value is then looked up through the extension."""
    columns = ", ".join(f"c_{kind} {postgres}" for kind, (postgres, _, _) in TYPES.items())
    values = ", ".join(f"({value})::{duckdb_type} AS c_{kind}" for kind, (_, duckdb_type, value) in TYPES.items())
    nulls = ", ".join(f"NULL::{duckdb_type} AS c_{kind}" for kind, (_, duckdb_type, _) in TYPES.items())
    session.run(f"CREATE TABLE t (i int8, {columns}) USING lake")
    for first, last in ((5, 7), (9, 11), (-9, -7)):
        session.load("t", f"SELECT i, {values} FROM range({first}, {last}) r(i)")
    session.load("t", f"SELECT i, {nulls} FROM range(100, 102) r(i)")
    plain = lake.duckdb()

    def look_up_all() -> None:
        for kind, (_, duckdb_type, _) in TYPES.items():
            everything = plain.execute(
                f"SELECT i, c_{kind}::VARCHAR FROM l.public.t WHERE c_{kind} IS NOT NULL"
            ).fetchall()
            assert len(everything) == found
            for i, text in everything:
                same = plain.execute(f"SELECT i FROM l.public.t WHERE c_{kind} = '{text}'::{duckdb_type}").fetchall()
                assert (i,) in same, (kind, text)
            for operator in (">=", "<="):
                passed = plain.execute(
                    f"SELECT i FROM l.public.t WHERE c_{kind} {operator} '{text}'::{duckdb_type}"
                ).fetchall()
                assert (i,) in passed, (kind, operator, text)
            assert plain.execute(f"SELECT count(*) FROM l.public.t WHERE c_{kind} IS NULL").fetchone() == (2,)

    found = 6
    look_up_all()
    plain.execute(f"INSERT INTO l.public.t SELECT i, {values} FROM range(20, 21) r(i)")
    found = 7
    look_up_all()


AWKWARD = [
    "SELECT 'nan'::DOUBLE f, 'x' v",
    "SELECT 'infinity'::DOUBLE f, repeat('z', 100000) v",
    "SELECT '-infinity'::DOUBLE f, chr(0) || 'b' v",
    "SELECT NULL::DOUBLE f, NULL::VARCHAR v",
    "SELECT -0.0::DOUBLE f, '' v",
    "SELECT 1e300::DOUBLE f, '\U0001f600 \\u0000 \"quoted\" it''s' v",
]


@pytest.mark.parametrize("first", [True, False])
def test_awkward_bounds(lake: LakeCatalog, session: LakeSession, first: bool) -> None:
    ordinary = "SELECT i::DOUBLE f, 'v' || i v FROM range(10) r(i)"
    plain = lake.duckdb()
    for number, select in enumerate(AWKWARD):
        session.run(f"CREATE TABLE t{number} (f float8, v text) USING lake")
        for statement in (select, ordinary) if first else (ordinary, select):
            session.load(f"t{number}", statement)
        table = f"l.public.t{number}"
        plain.execute(f"INSERT INTO {table} VALUES (0.5, 'v55')")
        model = f"(SELECT * FROM ({select}) UNION ALL {ordinary} UNION ALL SELECT 0.5, 'v55')"
        for condition in (
            "f >= 5",
            "f <= 5",
            "f = 5",
            "v >= 'v5'",
            "v <= 'v5'",
            "v = 'v5'",
            "v IS NOT NULL",
            "f = 0.5",
        ):
            expected = plain.execute(f"SELECT count(*) FROM {model} WHERE {condition}").fetchone()
            found = plain.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()
            assert found == expected, (select, condition)
        extremes = "SELECT max(v), min(v), count(v) FROM"
        assert plain.execute(f"{extremes} {table}").fetchone() == plain.execute(f"{extremes} {model}").fetchone()


def test_far_dates(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (d date) USING lake")
    session.load("t", "SELECT DATE '2020-01-01' d")
    session.load("t", "SELECT DATE '20200-01-01' d")
    session.load("t", "SELECT DATE '0044-03-15 (BC)' d")
    plain = lake.duckdb()
    assert plain.execute("SELECT count(*) FROM l.public.t WHERE d > '2021-01-01'").fetchone() == (1,)
    assert plain.execute("SELECT count(*) FROM l.public.t WHERE d < '2019-01-01'").fetchone() == (1,)


KEYS = ("int2", "int4", "int8", "numeric", "text", "date", "timestamp", "timestamptz", "uuid", "bytea")


def test_point_lookups_in_buckets(lake: LakeCatalog, session: LakeSession) -> None:
    plain = lake.duckdb()
    for kind in KEYS:
        postgres, duckdb_type, value = TYPES[kind]
        distribution = f"SELECT mere.set_policy('t_{kind}', 'hash', '{{v}}', 4)"
        session.run(f"CREATE TABLE t_{kind} (i int8, v {postgres}) USING lake", distribution)
        session.load(f"t_{kind}", f"SELECT i, ({value})::{duckdb_type} v FROM range(12) r(i)")
        session.load(f"t_{kind}", f"SELECT 0::BIGINT i, NULL::{duckdb_type} v")
        table = f"l.public.t_{kind}"
        plain.execute(f"INSERT INTO {table} SELECT i, ({value})::{duckdb_type} v FROM range(12, 16) r(i)")
        for i, text in plain.execute(f"SELECT i, v::VARCHAR FROM {table} WHERE v IS NOT NULL").fetchall():
            found = plain.execute(f"SELECT i FROM {table} WHERE v = '{text}'::{duckdb_type}").fetchall()
            assert (i,) in found, (kind, text)
        plain.execute(f"DELETE FROM {table} WHERE v = (SELECT ({value})::{duckdb_type} FROM range(7, 8) r(i))")
        assert plain.execute(f"SELECT count(*) FROM {table} WHERE i = 7").fetchone() == (0,)
        assert plain.execute(f"SELECT count(*) FROM {table} WHERE v IS NULL").fetchone() == (1,)
    unbucketed = "SELECT count(*) FROM mere_lake.ducklake_data_file WHERE partition_id IS NULL"
    assert lake.one(unbucketed) == 0


def test_a_new_distribution_needs_new_files(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    session.load("t", "SELECT i k FROM range(100) r(i)")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        session.run("SELECT mere.set_policy('t', 'hash', '{k}', 4)", checked="t")
    old = [row[0] for row in lake.rows("SELECT data_file_id FROM mere_lake.ducklake_data_file")]
    session.begin()
    session.ddl("SELECT mere.set_policy('t', 'hash', '{k}', 4)", checked="t")
    files = session.write("t", "SELECT i k FROM range(100) r(i)")
    session.change("t", 2, files=files, removed_files=tuple(old))
    session.commit()
    plain = lake.duckdb()
    assert plain.execute("SELECT count(*) FROM l.public.t WHERE k = 42").fetchone() == (1,)
    plain.execute("DELETE FROM l.public.t WHERE k = 42")
    assert plain.execute("SELECT count(*) FROM l.public.t").fetchone() == (99,)
    assert plain.execute("SELECT count(*) FROM l.public.t AT (VERSION => 2) WHERE k = 42").fetchone() == (1,)
    plain.execute("CALL ducklake_merge_adjacent_files('l')")
    plain.execute("CALL ducklake_rewrite_data_files('l', delete_threshold => 0)")
    assert plain.execute("SELECT count(*) FROM l.public.t").fetchone() == (99,)


def test_a_file_without_its_bucket_is_refused(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    session.begin()
    session.insert("t", "SELECT 1::BIGINT k")
    session.ddl("SELECT mere.set_policy('t', 'hash', '{k}', 4)", checked="t")
    with pytest.raises(psycopg.errors.DataCorrupted):
        session.commit()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ALTER f TYPE float8",
        "ALTER TABLE t ALTER n TYPE numeric(14,4)",
        "ALTER TABLE t ALTER k TYPE text",
        "ALTER TABLE t ADD COLUMN l int[] DEFAULT '{1,2}'",
    ],
)
def test_types_that_do_not_widen(lake: LakeCatalog, session: LakeSession, change: str) -> None:
    """DuckDB casts a filter's constant down to the file's type: 0.1 would not be less than 0.1::float."""
    session.run("CREATE TABLE t (k int4, f float4, n numeric(10,2)) USING lake")
    session.load("t", "SELECT 1 k, 0.1::FLOAT f, 1.01::DECIMAL(10,2) n")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="new definition"):
        session.run(change, checked="t")


def test_columns_change_under_inlined_rows(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8, v text) USING lake")
    plain = lake.duckdb(inlining=10)
    plain.execute("INSERT INTO l.public.t VALUES (1, 'a')")
    session.run("ALTER TABLE t ADD COLUMN d date", "ALTER TABLE t ADD COLUMN l int[]")
    plain.execute("INSERT INTO l.public.t VALUES (2, 'b', '2020-01-01', [1, 2])")
    session.run("ALTER TABLE t DROP COLUMN v")
    plain.execute("INSERT INTO l.public.t VALUES (3, '2020-01-02', [3])")
    rows = plain.execute("SELECT k, d::VARCHAR, l FROM l.public.t ORDER BY k").fetchall()
    assert rows == [(1, None, None), (2, "2020-01-01", [1, 2]), (3, "2020-01-02", [3])]
