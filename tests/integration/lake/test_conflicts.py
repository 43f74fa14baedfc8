"""First committer wins where two transactions touch the same files; appends meet nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import psycopg
import pytest
from integration.lake.lake_catalog import LakeCatalog, LakeSession

Conflict = psycopg.errors.SerializationFailure


@pytest.fixture
def table(lake: LakeCatalog, session: LakeSession) -> tuple[int, str]:
    """A table of ten rows in one file: its id and path."""
    session.run("CREATE TABLE t (k int8) USING lake")
    session.load("t", "SELECT i k FROM range(10) r(i)")
    row = lake.rows("SELECT data_file_id, path FROM mere_lake.ducklake_data_file")[0]
    return row[0], row[1]


def delete_row(position: int) -> Callable[[LakeSession, tuple[int, str]], None]:
    def change(session: LakeSession, table: tuple[int, str]) -> None:
        session.delete_positions("t", 2, {table[0]: (table[1], [position], None)})

    return change


def remove_file(session: LakeSession, table: tuple[int, str]) -> None:
    session.change("t", 2, removed_files=(table[0],))


def truncate(session: LakeSession, table: tuple[int, str]) -> None:
    session.change("t", 2, truncated=True)


def append(session: LakeSession, table: tuple[int, str]) -> None:
    session.insert("t", "SELECT 77::BIGINT k", 2)


@pytest.mark.parametrize("first", [delete_row(1), remove_file, truncate])
@pytest.mark.parametrize("second", [delete_row(2), remove_file])
def test_same_file(
    lake: LakeCatalog,
    session: LakeSession,
    table: tuple[int, str],
    first: Callable[[LakeSession, tuple[int, str]], None],
    second: Callable[[LakeSession, tuple[int, str]], None],
) -> None:
    session.begin()
    second(session, table)
    other = lake.session()
    other.begin()
    first(other, table)
    other.commit()
    before = lake.duckdb().execute("SELECT count(*) FROM l.public.t").fetchone()
    with pytest.raises(Conflict, match='table "t"'):
        session.commit()
    assert lake.duckdb().execute("SELECT count(*) FROM l.public.t").fetchone() == before
    other.close()


@pytest.mark.parametrize("change", [delete_row(1), remove_file, truncate, append])
def test_appends_meet_nobody(
    lake: LakeCatalog,
    session: LakeSession,
    table: tuple[int, str],
    change: Callable[[LakeSession, tuple[int, str]], None],
) -> None:
    session.begin()
    change(session, table)
    other = lake.session()
    other.begin()
    append(other, table)
    other.commit()
    session.commit()
    other.close()


@pytest.mark.parametrize(
    ("statement", "change"),
    [
        ("DELETE FROM l.public.t WHERE k = 1", delete_row(2)),
        ("DELETE FROM l.public.t WHERE k = 1", remove_file),
        ("ALTER TABLE l.public.t ADD COLUMN z INTEGER", append),
        ("DROP TABLE l.public.t", append),
        ("CALL ducklake_rewrite_data_files('l')", delete_row(3)),
    ],
)
@pytest.mark.parametrize("inlining", [0, 10])
def test_against_plain_duckdb(
    lake: LakeCatalog,
    session: LakeSession,
    table: tuple[int, str],
    statement: str,
    change: Callable[[LakeSession, tuple[int, str]], None],
    inlining: int,
) -> None:
    plain = lake.duckdb(inlining)
    if "rewrite" in statement:
        plain.execute("DELETE FROM l.public.t WHERE k < 9")
    session.begin()
    change(session, table)
    plain.execute(statement)
    with pytest.raises(Conflict):
        session.commit()


def test_concurrent_committers(lake: LakeCatalog, session: LakeSession) -> None:
    """Sixteen threads over one lock, a plain DuckDB among them: no commit fails, no id is given twice."""
    session.run("CREATE TABLE t (k int8) USING lake")
    failures: list[BaseException] = []
    barrier = threading.Barrier(5)

    def work(number: int) -> None:
        own = lake.session()
        barrier.wait()
        for i in range(10):
            own.load("t", f"SELECT {number * 1000 + i}::BIGINT k")
        own.close()

    def plain() -> None:
        connection = lake.duckdb()
        connection.execute("SET ducklake_max_retry_count = 1000")
        barrier.wait()
        for i in range(5):
            connection.execute(f"INSERT INTO l.public.t VALUES ({900_000 + i})")

    with ThreadPoolExecutor(5) as pool:
        futures = [pool.submit(work, number) for number in range(4)] + [pool.submit(plain)]
        failures = [error for future in futures if (error := future.exception()) is not None]
    assert not failures
    assert lake.duckdb().execute("SELECT count(*), count(DISTINCT k) FROM l.public.t").fetchone() == (45, 45)
    assert lake.rows("SELECT count(*), max(snapshot_id) FROM mere_lake.ducklake_snapshot") == [(47, 46)]
    ranges = lake.rows("SELECT row_id_start, row_id_start + record_count FROM mere_lake.ducklake_data_file ORDER BY 1")
    assert all(end <= start for (_, end), (start, _) in pairwise(ranges))
