"""What the guard lets through to DuckDB."""

from __future__ import annotations

import duckdb
import pytest

from mere.errors import InsufficientPrivilege, MereError
from mere.segment.guard import check_query


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "WITH a AS (SELECT 1 AS query) SELECT query FROM a",
        'SELECT \'duckdb_secrets()\' AS x, "glob" FROM (VALUES (1)) t("glob")',
        "EXPLAIN SELECT 1",
        "FROM range(3)",
    ],
)
def test_queries_pass(sql: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(check_query(connection, sql)).fetchall()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM duckdb_secrets()",
        'SELECT * FROM "DuckDB_Settings" ()',
        "SELECT * FROM duckdb_settings /* here */ ()",
        "SELECT * FROM -- glob\n glob('/etc/*')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM query('SELECT 1')",
        "SELECT getenv('HOME')",
        "SELECT current_setting('threads')",
        "SELECT * FROM pragma_table_info('x')",
    ],
)
def test_functions_that_look_around(sql: str) -> None:
    with duckdb.connect() as connection, pytest.raises(InsufficientPrivilege):
        check_query(connection, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "",
        "ATTACH ':memory:' AS x",
        "CREATE SECRET s (TYPE s3)",
        "COPY (SELECT 1) TO 'x'",
        "SET threads = 1",
        "INSTALL spatial",
        "LOAD icu",
        "USE memory",
        "CALL pragma_version()",
        "DROP TABLE x",
        "CHECKPOINT",
    ],
)
def test_only_queries(sql: str) -> None:
    with duckdb.connect() as connection, pytest.raises(MereError):
        check_query(connection, sql)
