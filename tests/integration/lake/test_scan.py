"""Metadata and scan: what Mere reads is what the extension reads, whoever wrote it."""

from __future__ import annotations

from integration.lake.lake_catalog import LakeCatalog, LakeSession

from mere.lake.prune import Bound


async def test_evolution_of_columns(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int4 NOT NULL, v text, f numeric(10,2)) USING lake")
    session.load("t", "SELECT i::INT k, 'v'||i v, 0.1::DECIMAL(10,2) f FROM range(5) r(i)")
    session.run(
        "ALTER TABLE t ADD COLUMN z int DEFAULT 5",
        "ALTER TABLE t RENAME v TO w",
        "ALTER TABLE t ALTER k TYPE int8",
        "ALTER TABLE t ALTER f TYPE numeric(20,2)",
        "ALTER TABLE t ADD COLUMN l text[]",
        checked="t",
    )
    session.load("t", "SELECT 5000000000 k, 'x' w, 2::DECIMAL(20,2) f, NULL z, ['n'] l")
    session.run("ALTER TABLE t DROP COLUMN w", "ALTER TABLE t ADD COLUMN w date DEFAULT '2020-01-02'")
    table_id = lake.table_id("t")
    plain = lake.duckdb()
    async with lake.metadata() as metadata:
        for version in (None, 3, 2):
            at = "" if version is None else f"AT (VERSION => {version})"
            expected = plain.execute(f"SELECT * FROM l.public.t {at} ORDER BY k").fetchall()
            assert await lake.scan(metadata, table_id, version, suffix="ORDER BY k") == expected
        newest = await lake.scan(metadata, table_id, suffix="ORDER BY k")
        assert newest[0][2:4] == (5, None)
        assert newest[5][0] == 5000000000
    assert plain.execute("SELECT count(*) FROM l.public.t WHERE f > 0.09").fetchone() == (6,)


async def test_deletes_and_row_identity(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    session.load("t", "SELECT i k FROM range(10) r(i)")
    session.load("t", "SELECT i k FROM range(10, 20) r(i)")
    session.load("t", "SELECT i k FROM range(20, 30) r(i)")
    table_id = lake.table_id("t")
    paths = dict(lake.rows("SELECT data_file_id, path FROM mere_lake.ducklake_data_file"))
    first, _, third = sorted(paths)
    session.begin()
    session.delete_positions("t", 4, {first: (paths[first], [1, 2], None), third: (paths[third], [0], None)})
    assert session.commit() == 5
    old = dict(lake.rows("SELECT data_file_id, delete_file_id FROM mere_lake.ducklake_delete_file"))
    session.begin()
    session.delete_positions("t", 5, {first: (paths[first], [1, 2, 3], old[first])})
    assert session.commit() == 6
    plain = lake.duckdb()
    async with lake.metadata() as metadata:
        for version in range(2, 7):
            expected = plain.execute(f"SELECT * FROM l.public.t AT (VERSION => {version}) ORDER BY k").fetchall()
            assert await lake.scan(metadata, table_id, version, suffix="ORDER BY k") == expected
        rows = await lake.scan(metadata, table_id, suffix="ORDER BY k", row_identity=True)
    assert [row[0] for row in rows] == [0, *range(4, 20), *range(21, 30)]
    assert [row[2] for row in rows if row[0] in (0, 4, 10, 21)] == [0, 4, 0, 1]
    assert rows[0][1] == str(lake.data_path / session.shell("t")[0] / paths[first])


async def test_what_plain_duckdb_writes(lake: LakeCatalog, session: LakeSession) -> None:
    plain = lake.duckdb(inlining=10)
    plain.execute("CREATE TABLE l.main.p (k BIGINT, v VARCHAR, d DATE, s STRUCT(a INT), b BLOB)")
    plain.execute("INSERT INTO l.main.p SELECT i, 'v'||i, '2020-01-01', {'a': i}, 'x' FROM range(20) r(i)")
    plain.execute("INSERT INTO l.main.p VALUES (100, 'in''l', '2021-01-01', {'a': 1}, '\\x00'::BLOB)")
    plain.execute("INSERT INTO l.main.p VALUES (101, NULL, NULL, NULL, NULL)")
    plain.execute("DELETE FROM l.main.p WHERE k IN (3, 100)")
    plain.execute("ALTER TABLE l.main.p ADD COLUMN z INTEGER DEFAULT 7")
    plain.execute("INSERT INTO l.main.p VALUES (102, 'w', '2022-01-01', {'a': 2}, 'y', 8)")
    plain.execute("UPDATE l.main.p SET v = 'u' WHERE k IN (5, 101)")
    table_id = lake.one("SELECT max(table_id) FROM mere_lake.ducklake_table")
    async with lake.metadata() as metadata:
        newest = lake.one("SELECT max(snapshot_id) FROM mere_lake.ducklake_snapshot")
        for version in range(2, newest + 1):
            expected = plain.execute(f"SELECT * FROM l.main.p AT (VERSION => {version}) ORDER BY k").fetchall()
            assert await lake.scan(metadata, table_id, version, suffix="ORDER BY k") == expected
        assert len(await lake.scan(metadata, table_id)) == 21
        plain.execute("CALL ducklake_flush_inlined_data('l')")
        plain.execute("DELETE FROM l.main.p WHERE k = 102")
        newest = lake.one("SELECT max(snapshot_id) FROM mere_lake.ducklake_snapshot")
        for version in range(2, newest + 1):
            expected = plain.execute(f"SELECT * FROM l.main.p AT (VERSION => {version}) ORDER BY k").fetchall()
            assert await lake.scan(metadata, table_id, version, suffix="ORDER BY k") == expected
        plain.execute("CALL ducklake_merge_adjacent_files('l')")
        expected = plain.execute("SELECT * FROM l.main.p ORDER BY k").fetchall()
        assert await lake.scan(metadata, table_id, suffix="ORDER BY k") == expected


async def test_files_added_by_name(lake: LakeCatalog) -> None:
    plain = lake.duckdb()
    plain.execute("CREATE TABLE l.main.p (k BIGINT, v VARCHAR, year INTEGER)")
    folder = lake.data_path / "elsewhere" / "year=2020"
    folder.mkdir(parents=True)
    plain.execute(f"COPY (SELECT i AS k, 'v'||i AS v FROM range(5) r(i)) TO '{folder}/a.parquet'")
    plain.execute(f"CALL ducklake_add_data_files('l', 'p', '{folder}/a.parquet', hive_partitioning => true)")
    plain.execute("ALTER TABLE l.main.p ADD COLUMN z INTEGER DEFAULT 3")
    table_id = lake.one("SELECT max(table_id) FROM mere_lake.ducklake_table")
    expected = plain.execute("SELECT * FROM l.main.p ORDER BY k").fetchall()
    async with lake.metadata() as metadata:
        assert await lake.scan(metadata, table_id, suffix="ORDER BY k") == expected


async def test_pruning(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8, v text, d date, n numeric(10,2)) USING lake")
    for start in range(0, 50, 10):
        session.load(
            "t",
            f"SELECT i k, 'v'||(i//10) v, DATE '2020-01-01' + i::INT d, (i/10)::DECIMAL(10,2) n"
            f" FROM range({start}, {start + 10}) r(i)",
        )
    session.load("t", "SELECT NULL::BIGINT k, NULL::VARCHAR v, NULL::DATE d, NULL::DECIMAL(10,2) n")
    table_id = lake.table_id("t")
    ids = {row[0]: row[1] for row in lake.rows("SELECT column_name, column_id FROM mere_lake.ducklake_column")}
    async with lake.metadata() as metadata:

        async def count(*bounds: Bound) -> int:
            snapshot = await metadata.snapshot()
            return len((await metadata.table_files(table_id, snapshot.id, bounds)).files)

        assert await count() == 6
        assert await count(Bound(ids["k"], "int64", "=", ("25",))) == 1
        assert await count(Bound(ids["k"], "int64", "<", ("20",))) == 2
        assert await count(Bound(ids["k"], "int64", ">=", ("19",))) == 4
        assert await count(Bound(ids["k"], "int64", "is null")) == 1
        assert await count(Bound(ids["k"], "int64", "is not null")) == 5
        assert await count(Bound(ids["v"], "varchar", "in", ("v1", "v4"))) == 2
        assert await count(Bound(ids["d"], "date", "<=", ("2020-01-10",))) == 1
        assert await count(Bound(ids["n"], "decimal(10,2)", "=", ("1.00",))) == 1
        session.load("t", "SELECT 25 k, 'v9' v, NULL d, NULL n")
        assert await count(Bound(ids["k"], "int64", "=", ("25",))) == 2
