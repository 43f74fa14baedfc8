"""mere.commit(): what it writes is a DuckLake that a plain DuckDB reads."""

from __future__ import annotations

from lake_catalog import LakeCatalog, LakeSession


def test_create_and_insert(lake: LakeCatalog, session: LakeSession) -> None:
    session.begin()
    session.ddl("CREATE TABLE t (k int8 NOT NULL DEFAULT 7, v text, d numeric(10,2), l int[]) USING lake")
    session.insert("t", "SELECT i::BIGINT k, 'v'||i v, (i*1.1)::DECIMAL(10,2) d, [i::INT, NULL] l FROM range(10) r(i)")
    first = session.commit()
    assert first == 1
    plain = lake.duckdb()
    assert plain.execute("SELECT count(*), sum(k), min(v), max(d), sum(l[1]) FROM l.public.t").fetchone() is not None
    second = session.load("t", "SELECT i::BIGINT k, NULL v, 1 d, [] l FROM range(10, 20) r(i)")
    assert second == 2
    assert plain.execute("SELECT count(*), sum(k), count(v) FROM l.public.t").fetchone() == (20, 190, 10)
    assert plain.execute("SELECT count(*) FROM l.public.t AT (VERSION => 1)").fetchone() == (10,)
