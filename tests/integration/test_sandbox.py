"""User SQL reaches only what its role may read: every escape that issue and design name ends in a clean error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.client import Client, ConnectionLost
from harness.mere import MereProcess
from harness.workspace import Workspace, workspace


@pytest.fixture(scope="module")
def space(mere: MereProcess) -> Iterator[Workspace]:
    """One schema for all attempts: none of them may change anything in it."""
    with workspace(mere) as shared:
        shared.client().ok("CREATE TABLE t (a int, b text)")
        shared.clients[0].ok("INSERT INTO t VALUES (1, 'x')")
        yield shared


@pytest.fixture
def lake(space: Workspace) -> Client:
    """The owner's session; a new one when an attempt has ended the last."""
    try:
        space.clients[0].simple("ROLLBACK")
    except ConnectionLost:
        space.clients[0] = space.client()
    return space.clients[0]


@pytest.fixture(scope="module")
def stranger(space: Workspace) -> Client:
    """A role that may use the schema, and nothing in it."""
    return space.client(user=space.role("stranger"))


# What reads or writes files, other buckets, or the engine's own names, in every place where a relation may stand.
ENGINE_FUNCTIONS = [
    "read_csv('/etc/passwd')",
    "read_csv_auto('/etc/passwd')",
    "read_text('/etc/passwd')",
    "read_blob('/etc/passwd')",
    "read_json('/etc/passwd')",
    "read_json_auto('/etc/passwd')",
    "read_parquet('/tmp/x.parquet')",
    "read_parquet('s3://other-bucket/x.parquet')",
    "read_csv('https://example.com/x.csv')",
    "parquet_metadata('/tmp/x.parquet')",
    "parquet_scan('/tmp/x.parquet')",
    "glob('/etc/*')",
    "sniff_csv('/etc/passwd')",
    "duckdb_settings()",
    "duckdb_secrets()",
    "duckdb_tables()",
    "duckdb_functions()",
    "duckdb_extensions()",
    "duckdb_temporary_files()",
    "pragma_version()",
    "pragma_database_list()",
    "ducklake_snapshots('lake')",
    "postgres_query('x', 'select 1')",
    "query('select 1')",
    "query_table('t')",
    "sql_auto_complete('sel')",
    "which_secret('x', 's3')",
    "getvariable('x')",
    "which('x')",
    "mere_scan_0()",
    "checkpoint()",
    "force_checkpoint()",
    "repeat_row(1, num_rows => 3)",
    "test_all_types()",
    "seq_scan('t')",
]


@pytest.mark.parametrize("call", ENGINE_FUNCTIONS)
def test_table_functions_of_the_engine_are_not_reachable(lake: Client, call: str) -> None:
    for sql in (
        f"SELECT * FROM t, {call} AS f",
        f"SELECT * FROM {call} AS f",
        f"SELECT a, (SELECT count(*) FROM {call} AS f) FROM t",
    ):
        outcome = lake.run(sql)
        assert outcome.sqlstate in ("42883", "0A000", "42601", "42501", "42P01", "42703"), (sql, outcome)
        assert not outcome.rows


SCALAR_FUNCTIONS = [
    "getenv('HOME')",
    "current_setting('s3_secret_access_key')",
    "getvariable('x')",
    "current_database_oid()",
    "read_text(b)",
    "write_log(b)",
    "nextval_engine('x')",
    "current_schemas_engine(true)",
    "in_search_path('x', 'y')",
    "error(b)",
    "add_parquet_key('k', 'v')",
    "mere_raise('22012', b)",
    "enum_range(b)",
    "struct_pack(x := a)",
    "list_transform([a], x -> x)",
    "json_execute_serialized_sql(b)",
    "json_serialize_sql(b)",
    "file_exists(b)",
    "parse_path(b)",
    "version_engine()",
    "alias(a)",
    "hash(a)",
    "stats(a)",
    "vector_type(a)",
    "txid_current_engine()",
]


@pytest.mark.parametrize("call", SCALAR_FUNCTIONS)
def test_scalar_functions_of_the_engine_are_not_reachable(lake: Client, call: str) -> None:
    outcome = lake.run(f"SELECT {call} FROM t")
    assert outcome.sqlstate in ("42883", "0A000", "42601", "42501", "42704", "42703"), (call, outcome)


RELATIONS = [
    "'/etc/passwd'",
    '"/etc/passwd"',
    '"/etc/passwd.csv"',
    '"s3://other/x.parquet"',
    '"file.parquet"',
    "duckdb_tables",
    "sqlite_master",
    "pragma_database_list",
    "memory.main.t",
    "system.information_schema.tables",
    "temp.t",
    "mere_scan_0",
    "__ducklake_metadata_lake.ducklake_table",
]


@pytest.mark.parametrize("name", RELATIONS)
def test_names_of_the_engine_do_not_resolve(lake: Client, name: str) -> None:
    for sql in (
        f"SELECT * FROM {name}",
        f"SELECT * FROM t, {name} AS other",
        f"INSERT INTO t SELECT 1, 'x' FROM {name}",
    ):
        outcome = lake.run(sql)
        assert outcome.sqlstate in ("42P01", "42601", "0A000", "3F000"), (sql, outcome)


STATEMENTS = [
    "ATTACH '/tmp/x.db' AS x",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "PRAGMA table_info('t')",
    "USE memory",
    "EXPORT DATABASE '/tmp/x'",
    "IMPORT DATABASE '/tmp/x'",
    "CREATE SECRET s (TYPE s3)",
    "DROP SECRET s",
    "CREATE MACRO m(x) AS x + 1",
    "SUMMARIZE t",
    "DESCRIBE t",
    "FROM t",
    "FROM '/etc/passwd'",
    "PIVOT t ON a USING sum(a)",
    "SELECT * EXCLUDE (a) FROM t",
    "SELECT COLUMNS('a') FROM t",
    "SELECT * FROM t QUALIFY row_number() OVER () = 1",
    "SELECT a FROM t GROUP BY ALL",
    "SELECT * FROM t ASOF JOIN t u ON t.a >= u.a",
    "SELECT {'a': a} FROM t",
    "SELECT [x FOR x IN [a]] FROM t",
    "SELECT #1 FROM t",
    "VACUUM ANALYZE memory",
    "CALL pragma_version()",
    "SET GLOBAL enable_external_access = true",
    "EXECUTE IMMEDIATE 'select 1'",
]


@pytest.mark.parametrize("sql", STATEMENTS)
def test_statements_of_the_engine_are_syntax_errors_or_refused(lake: Client, sql: str) -> None:
    outcome = lake.run(sql)
    assert outcome.sqlstate is not None, sql
    assert outcome.sqlstate in ("42601", "0A000", "42501", "42704", "42883", "42P01", "42703", "42809", "3D000"), (
        sql,
        outcome,
    )


@pytest.mark.parametrize(
    "setting",
    ["enable_external_access", "allowed_directories", "lock_configuration", "s3_endpoint", "threads", "home_directory"],
)
def test_engine_settings_cannot_be_set_or_read(lake: Client, setting: str) -> None:
    lake.fails(f"SET {setting} = 'x'", "42704")
    lake.fails(f"SHOW {setting}", "42704")
    assert lake.run(f"SELECT current_setting('{setting}') FROM t").sqlstate == "42704"


FILES = [
    "COPY t FROM '/etc/passwd'",
    "COPY t FROM '/etc/passwd' (FORMAT csv)",
    "COPY t FROM 'file:///etc/passwd' (FORMAT csv)",
    "COPY t TO '{tmp}/mere-escape.csv'",
    "COPY t TO 'file://{tmp}/mere-escape.csv' (FORMAT csv)",
    "COPY (SELECT a FROM t) TO '{tmp}/mere-escape.parquet' (FORMAT parquet)",
    "COPY t FROM 'https://example.com/x.csv' (FORMAT csv)",
    "COPY t FROM 'http://169.254.169.254/latest/meta-data' (FORMAT csv)",
    "COPY t FROM PROGRAM 'id'",
    "COPY t TO PROGRAM 'cat'",
    "COPY t FROM '../../etc/passwd' (FORMAT csv)",
    "COPY pg_class TO '{tmp}/mere-escape.csv'",
]


@pytest.mark.parametrize("sql", FILES)
def test_copy_reaches_no_file_and_no_other_host(lake: Client, tmp_path: Path, sql: str) -> None:
    outcome = lake.run(sql.format(tmp=tmp_path))
    assert outcome.sqlstate in ("42501", "0A000", "22023", "58P01"), outcome
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("direction", ["TO", "FROM"])
def test_object_storage_is_only_for_roles_that_were_given_it(stranger: Client, direction: str) -> None:
    stranger.simple("CREATE TEMP TABLE own (a int)")
    stranger.fails(f"COPY own {direction} 's3://mere/exchange/x.parquet' (FORMAT parquet)", "42501")


def test_copy_does_not_reach_the_lakes_own_files(space: Workspace, lake: Client, stranger: Client) -> None:
    """The lake's prefix is readable to the engine, so COPY must not name it: tables without SELECT lie there."""
    storage = space.server.storage
    assert storage is not None
    lake.ok(f"GRANT CREATE ON SCHEMA {space.schema} TO {space.roles[0]}")
    stranger.ok("CREATE TABLE mine (a int, b text)")
    for path in (f"{storage}/**/*.parquet", f"{storage}/*", storage):
        assert stranger.run(f"COPY mine FROM '{path}' (FORMAT parquet)").sqlstate in ("42501", "0A000"), path
        assert stranger.run(f"COPY mine TO '{path.replace('*', 'x')}' (FORMAT parquet)").sqlstate in ("42501", "0A000")


METADATA = [
    "SELECT * FROM mere_lake.ducklake_data_file",
    "SELECT * FROM mere_lake.ducklake_table",
    "INSERT INTO mere_lake.ducklake_data_file SELECT * FROM mere_lake.ducklake_data_file",
    "DELETE FROM mere_lake.ducklake_snapshot",
    "SELECT * FROM mere.ticket",
    "INSERT INTO mere.ticket VALUES (pg_current_xact_id(), '{}')",
    "DELETE FROM mere.pending",
    "LOCK TABLE mere.commit_lock IN EXCLUSIVE MODE",
    "UPDATE mere.shell SET path = 'elsewhere/'",
    "DELETE FROM mere.shell_column",
    "TRUNCATE mere.shell",
    "DROP SCHEMA mere CASCADE",
    "DROP SCHEMA mere_lake CASCADE",
    "CREATE TABLE mere.mine (a int)",
    "CREATE TABLE mere_lake.mine (a int)",
    "DROP EVENT TRIGGER mere_ddl_command_end",
    "ALTER ROLE mere SUPERUSER",
    "SET ROLE mere_super",
    "SET ROLE mere_gateway",
    "SET SESSION AUTHORIZATION mere_super",
    "SET session_replication_role = replica",
    "SET event_triggers = off",
    "ALTER SYSTEM SET max_connections = 1",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'mere\\_%'",
    "CREATE EXTENSION dblink",
    "CREATE FUNCTION c() RETURNS int LANGUAGE c AS 'x', 'y'",
    "LOAD 'x'",
]


@pytest.mark.parametrize("sql", METADATA)
def test_the_catalogs_own_tables_and_powers_are_closed(lake: Client, stranger: Client, sql: str) -> None:
    for client in (lake, stranger):
        outcome = client.run(sql)
        assert outcome.sqlstate in ("42501", "0A000", "55P02", "42704", "58P01") or not outcome.rows, (sql, outcome)
        assert outcome.sqlstate is not None or "pg_terminate" in sql, (sql, outcome)
    assert lake.ok("SELECT count(*) FROM t").value == "1"


def test_commit_function_cannot_be_called_with_effect(lake: Client) -> None:
    before = lake.ok("SELECT count(*), sum(a) FROM t").text
    for sql in ("SELECT mere.commit()", "BEGIN; CREATE TABLE sneaky (a int); SELECT mere.commit(); COMMIT"):
        outcomes = lake.simple(sql)
        assert outcomes[-1].sqlstate is not None, (sql, outcomes)
        lake.simple("ROLLBACK")
    assert lake.ok("SELECT count(*), sum(a) FROM t").text == before


def test_quoted_text_never_becomes_sql(lake: Client) -> None:
    nasty = "'; DROP TABLE t; --"
    quoted = nasty.replace("'", "''")
    lake.ok(f"CREATE TABLE n AS SELECT 2 AS a, '{quoted}'::text AS b")
    assert lake.ok(f"SELECT b FROM n WHERE b = '{quoted}'").value == nasty
    assert lake.extended("SELECT b FROM n WHERE b = $1", [nasty]).value == nasty
    lake.ok(f'ALTER TABLE n ADD COLUMN "x"", (select 1) --" text DEFAULT \'{quoted}\'')
    assert lake.ok('SELECT "x"", (select 1) --" FROM n').value == nasty
    lake.ok('CREATE TABLE "we""ird; name" ("sel ect" int, "a\'b" text)')
    lake.ok('INSERT INTO "we""ird; name" VALUES (1, \'v\')')
    assert lake.ok('SELECT "sel ect", "a\'b" FROM "we""ird; name"').text == [("1", "v")]


def test_error_messages_tell_no_path_and_no_secret(lake: Client) -> None:
    outcome = lake.run("SELECT b::int FROM t")
    assert outcome.sqlstate == "22P02"
    for word in ("read_parquet", "s3://", "/tmp/", "mere_scan", "LINE 1"):
        assert word not in outcome.message
