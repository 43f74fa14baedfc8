"""Every way out of the engine that DuckDB has: closed, also without the guard that stands before it."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from mere.demo.seaweed import SeaweedFS
from mere.errors import MereError
from mere.segment.engine import Engine, EngineSettings
from mere.segment.locations import parse_location

ESCAPES = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_duckdb('/etc/x.db')",
    "SELECT * FROM '{outside}/x.parquet'",
    "SELECT * FROM 'file://{outside}/x.parquet'",
    "SELECT * FROM '{lake}../outside/x.parquet'",
    "SELECT * FROM read_parquet(['{lake}../outside/x.parquet'])",
    "SELECT * FROM parquet_metadata('{outside}/x.parquet')",
    "SELECT * FROM '{lake_sibling}/x.parquet'",
    "COPY (SELECT 1) TO '{outside}/y.csv'",
    "COPY (SELECT 1) TO '{lake}../outside/y.csv'",
    "COPY x FROM '/etc/passwd'",
    "EXPORT DATABASE '{outside}/db'",
    "IMPORT DATABASE '{outside}/db'",
    "ATTACH '{outside}/x.db' AS x",
    "ATTACH 'http://127.0.0.1:1/x.db' AS x",
    "SELECT * FROM 'http://127.0.0.1:1/x.parquet'",
    "SELECT * FROM 's3://elsewhere/x.parquet'",
    "INSTALL spatial",
    "INSTALL '{outside}/x.duckdb_extension'",
    "LOAD '{outside}/x.duckdb_extension'",
    "LOAD postgres",
    "SET threads = 1",
    "SET GLOBAL memory_limit = '1TB'",
    "SET SESSION TimeZone = 'Asia/Tokyo'",
    "SET allowed_directories = ['/']",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET file_search_path = '/etc'",
    "SET python_enable_replacements = true",
    "PRAGMA threads = 4",
    "PRAGMA temp_directory = '/tmp'",
    "SELECT getenv('MERE_TEST_SECRET')",
    "SELECT * FROM secret_table_in_python",
    "CREATE PERSISTENT SECRET s (TYPE s3)",
]


@pytest.fixture
def places(lake_directory: Path) -> dict[str, str]:
    outside = lake_directory.parent / "outside"
    sibling = Path(f"{str(lake_directory).rstrip('/')}-2")
    for directory in (outside, sibling):
        directory.mkdir(exist_ok=True)
        duckdb.sql(f"COPY (SELECT 1 AS a) TO '{directory}/x.parquet'")
    return {"outside": str(outside), "lake": f"{lake_directory}/", "lake_sibling": str(sibling)}


@pytest.mark.parametrize("escape", ESCAPES)
async def test_escapes(local_engine: Engine, places: dict[str, str], escape: str) -> None:
    secret_table_in_python = duckdb.sql("SELECT 1 AS a").to_arrow_table()
    assert secret_table_in_python.num_rows == 1
    os.environ["MERE_TEST_SECRET"] = "x"
    before = sorted(Path(places["outside"]).iterdir())
    async with local_engine.workspace() as workspace:
        with pytest.raises((duckdb.Error, MereError)):  # no guard here: DuckDB itself refuses
            await workspace.call(lambda: workspace._connection.execute(escape.format(**places)).fetchall())
    assert sorted(Path(places["outside"]).iterdir()) == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM which_secret('s3://x', 's3')",
        "SELECT * FROM glob('{lake}*')",
        "SELECT * FROM read_text('{lake}*')",
        "ATTACH ':memory:' AS x",
        "ATTACH '{lake}x.db' AS x",
        "ATTACH 'ducklake:{lake}x.db' AS x",
        "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
        "COPY (SELECT 1) TO '{lake}y.csv'",
        "CREATE MACRO m() AS 1",
        "SET VARIABLE x = 1",
        "CALL enable_logging()",
    ],
)
async def test_the_guard_closes_what_is_left(local_engine: Engine, places: dict[str, str], sql: str) -> None:
    with pytest.raises(MereError):
        await local_engine.run(sql.format(**places))
    assert not (Path(places["lake"]) / "x.db").exists()


@pytest.fixture
def neighbour(object_store: SeaweedFS) -> str:
    return f"{object_store.url}/neighbour"


async def test_other_prefixes_and_buckets(object_store: SeaweedFS, neighbour: str, tmp_path: Path) -> None:
    writer = Engine(
        EngineSettings(tmp_path / "w", (parse_location(neighbour),), 1, environment=object_store.environment)
    )
    await writer.start()
    async with writer.workspace() as workspace:
        await workspace.execute(f"COPY (SELECT 42 AS a) TO '{neighbour}/x.parquet'")
    own = parse_location(f"{object_store.url}/own")
    engine = Engine(EngineSettings(tmp_path / "e", (own,), 1, environment=object_store.environment))
    await engine.start()
    async with engine.workspace() as workspace:
        for url in (
            f"{neighbour}/x.parquet",
            f"{own.url}../neighbour/x.parquet",
            f"{object_store.url}/*/x.parquet",
            "s3://other-bucket/x.parquet",
            f"{object_store.endpoint}/{object_store.bucket}/neighbour/x.parquet",
        ):
            with pytest.raises(MereError):
                await workspace.rows(f"SELECT * FROM read_parquet('{url}')")
        with pytest.raises(MereError):
            await workspace.execute(f"COPY (SELECT 1 AS a) TO '{neighbour}/y.parquet'")
    # A COPY may be let in; the engine beside it stays closed.
    async with engine.external([parse_location(neighbour)]) as other, other.workspace() as workspace:
        assert await workspace.rows(f"SELECT * FROM read_parquet('{neighbour}/*.parquet')") == [(42,)]
    with pytest.raises(MereError):
        await engine.run(f"SELECT * FROM read_parquet('{neighbour}/x.parquet')")
    await engine.close()
    await writer.close()


async def test_keys_are_not_in_messages(object_store: SeaweedFS, tmp_path: Path) -> None:
    environment = {**object_store.environment, "AWS_SECRET_ACCESS_KEY": "sesame-sesame"}
    engine = Engine(EngineSettings(tmp_path, (parse_location(object_store.url),), 1, environment=environment))
    assert "sesame" not in repr(engine.settings)
    await engine.start()
    with pytest.raises(MereError) as error:
        await engine.run(f"SELECT * FROM read_parquet('{object_store.url}/x.parquet')")
    assert "sesame" not in f"{error.value.message} {error.value.detail} {error.value.hint}"
    await engine.close()
