"""The last look at a query before DuckDB gets it: one statement, one that reads, calling nothing of DuckDB's own.

The binder's allow-list and the engine's sandbox are the walls; this is the door between them. Inside the sandbox DuckDB
still lists secrets, settings and files, attaches databases and makes secrets: no statement of ours needs that.
"""

from __future__ import annotations

import re
from itertools import pairwise

import duckdb

from mere.errors import InsufficientPrivilege, MereError

READS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})
# Functions that look around in the process or the storage, whole or by their beginning (`_*`); read_parquet and its kin
# are the scans' own.
_NAMES = (
    "duckdb_*", "pragma_*", "sqlite_*", "which_secret", "glob", "read_text", "read_blob", "read_duckdb", "sniff_csv",
    "parse_duckdb_log*", "parquet_metadata", "parquet_schema", "parquet_file_metadata", "parquet_kv_metadata",
    "parquet_bloom_probe", "query", "query_table", "arrow_scan*", "pandas_scan", "json_execute_serialized_sql",
    "python_map_function", "load_aws_credentials", "ducklake_*", "postgres_*", "getenv", "write_log",
    "current_setting", "getvariable", "enable_logging", "enable_profiling", "force_checkpoint", "checkpoint",
)  # fmt: skip
_BEGINNINGS = tuple({name.rstrip("*") for name in _NAMES})
_FORBIDDEN = re.compile(rf'"?({"|".join(name.replace("*", "[a-z0-9_]*") for name in _NAMES)})(?:"|\b)', re.IGNORECASE)


def check_query(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The parsed statement of a query that is safe to run; DuckDB's own errors pass."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type not in READS:
        raise MereError("the engine runs one query at a time, and only queries")
    check_functions(sql)
    return statements[0]


def check_functions(sql: str) -> None:
    if (name := forbidden_function(sql)) is not None:
        raise InsufficientPrivilege(f"permission denied for function {name}")


def forbidden_function(sql: str) -> str | None:
    """The first call of a forbidden function outside of string literals and comments."""
    lowered = sql.lower()
    if not any(name in lowered for name in _BEGINNINGS):  # nearly always; tokenizing is for the rest
        return None
    raw = sql.encode()
    tokens = duckdb.tokenize(sql)
    words = (duckdb.token_type.identifier, duckdb.token_type.keyword)
    for (start, kind), (following, _) in pairwise(tokens):
        if kind in words and raw[following : following + 1] == b"(":
            call = _FORBIDDEN.match(raw[start:following].decode(errors="replace"))
            if call is not None:
                return call[1]
    return None
