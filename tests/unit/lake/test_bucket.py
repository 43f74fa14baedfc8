"""The bucket of a single value is the one that DuckDB's hash gives, and with it the ducklake extension."""

from __future__ import annotations

import duckdb
import pytest

from mere.lake.bucket import bucket_of

_CASES = [
    ("int64", "BIGINT", ["0", "1", "-1", "34", "9223372036854775807", "-9223372036854775808"]),
    ("int32", "INTEGER", ["0", "7", "-2147483648"]),
    ("int16", "SMALLINT", ["0", "32767", "-5"]),
    ("varchar", "VARCHAR", ["", "a", "ab", "abc", "abcd", "abcde", "héllo wörld", "iceberg"]),
    ("date", "DATE", ["1970-01-01", "2017-11-16", "1969-12-31", "0001-01-01"]),
]


@pytest.mark.parametrize(("lake_type", "duckdb_type", "values"), _CASES)
def test_a_value_has_the_bucket_that_duckdb_gives(lake_type: str, duckdb_type: str, values: list[str]) -> None:
    connection = duckdb.connect()
    for value in values:
        (expected,) = connection.execute(
            f"SELECT (murmur3_32(CAST(? AS {duckdb_type})) & 2147483647) % 13", [value]
        ).fetchone() or (None,)
        assert bucket_of(value, lake_type, 13) == expected, value


def test_a_type_that_is_not_hashed_here_has_no_bucket() -> None:
    assert bucket_of("1.5", "decimal(10,2)", 8) is None
    assert bucket_of("not a number", "int64", 8) is None
