"""Trap 10: databases never share files, and nobody sees half of one."""

from __future__ import annotations

import asyncpg
import pytest
from harness.catalog import PASSWORD, LakeDatabase

from mere.catalog.databases import bootstrap_all, create_database, drop_database, open_database
from mere.catalog.server import PostgresServer
from mere.errors import FeatureNotSupported, InsufficientPrivilege, MereError


async def connect(server: PostgresServer, name: str) -> asyncpg.Connection:
    return await asyncpg.connect(host=str(server.socket_directory), user="mere", password=PASSWORD, database=name)


async def test_a_new_database_works_and_has_files_of_its_own(catalog: PostgresServer) -> None:
    first = await create_database(catalog, "mere", 'a "quoted" one', "s3://bucket/root")
    second = await create_database(catalog, "mere", "second", "s3://bucket/root/")
    try:
        assert first.data_url.startswith("s3://bucket/root/a_quoted_one-")
        assert first.data_url.endswith("/")
        assert first.data_url != second.data_url
        assert (await open_database(catalog, "second")).data_url == second.data_url
        connection = await connect(catalog, 'a "quoted" one')
        assert await connection.fetchval("SHOW default_table_access_method") == "lake"
        assert (
            await connection.fetchval("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'second'")
            == "mere"
        )
        await connection.close()
        with pytest.raises(MereError) as taken:
            await create_database(catalog, "mere", "second", "s3://bucket/root")
        assert taken.value.sqlstate == "42P04"
    finally:
        await drop_database(catalog, "mere", 'a "quoted" one')
        dropped = await drop_database(catalog, "mere", "second", force=True)
    assert dropped == second
    assert await drop_database(catalog, "mere", "second", if_exists=True) is None
    with pytest.raises(MereError) as missing:
        await drop_database(catalog, "mere", "second")
    assert missing.value.sqlstate == "3D000"


async def test_a_lake_database_is_no_template(lake: LakeDatabase) -> None:
    with pytest.raises(FeatureNotSupported, match="share its files"):
        await create_database(lake.server, "mere", "copy", "s3://b", template=lake.name)
    for template in ("template0", "template1"):
        await create_database(lake.server, "mere", "fresh", "s3://b", template=template)
        await drop_database(lake.server, "mere", "fresh")


async def test_postgresqls_rules_on_who_may(lake: LakeDatabase) -> None:
    server = lake.server
    await lake.run("CREATE ROLE plain", "CREATE ROLE maker CREATEDB")
    try:
        with pytest.raises(InsufficientPrivilege, match="permission denied to create database"):
            await create_database(server, "plain", "x", "s3://b")
        with pytest.raises(InsufficientPrivilege, match="must be able to SET ROLE"):
            await create_database(server, "maker", "x", "s3://b", owner="mere")
        with pytest.raises(MereError) as unknown:
            await create_database(server, "mere", "x", "s3://b", owner="nobody_at_all")
        assert unknown.value.sqlstate == "42704"
        await create_database(server, "maker", "x", "s3://b")
        with pytest.raises(InsufficientPrivilege, match="must be owner"):
            await drop_database(server, "plain", "x")
        await drop_database(server, "maker", "x")
        with pytest.raises(InsufficientPrivilege):
            await drop_database(server, "mere", "postgres")
    finally:
        await lake.run("DROP ROLE plain", "DROP ROLE maker")


async def test_a_half_made_database_is_removed_at_start(catalog: PostgresServer) -> None:
    keeper = await catalog.connect()
    try:
        await keeper.execute("CREATE DATABASE mere_new_killed TEMPLATE mere_template")
        await bootstrap_all(catalog)
        found = await keeper.fetchval("SELECT count(*) FROM pg_database WHERE starts_with(datname, 'mere_new_')")
        assert found == 0
    finally:
        await keeper.close()


async def test_installing_again_changes_nothing_and_new_text_is_applied(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE t (a int)")
    await lake.root.execute("UPDATE mere.installed SET digest = 'older'")
    await lake.root.execute("DROP FUNCTION mere.lake_names()")
    await open_database(lake.server, lake.name)
    assert await lake.user.fetchval("SELECT mere.lake_names()") == ["t"]
    await lake.fails("0A000", "SELECT * FROM t")
    await lake.run("DROP TABLE t")
