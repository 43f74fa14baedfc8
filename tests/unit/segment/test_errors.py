"""DuckDB's errors, from a real DuckDB, in PostgreSQL's words."""

from __future__ import annotations

import duckdb
import pytest

from mere.errors import QueryCanceled
from mere.segment.errors import translate

CASES = [
    ("'abc'::INT", "22P02", 'invalid input syntax for type integer: "abc"'),
    ("'12345678901'::INT", "22003", 'value "12345678901" is out of range for type integer'),
    ("'x'::DECIMAL(10,2)", "22P02", 'invalid input syntax for type numeric: "x"'),
    ("123456::DECIMAL(5,2)", "22003", "numeric field overflow"),
    ("70000::SMALLINT", "22003", "smallint out of range"),
    ("1e10::DOUBLE::INT", "22003", "integer out of range"),
    ("2147483647::INT + 1::INT", "22003", "integer out of range"),
    ("9223372036854775807::BIGINT * 2::BIGINT", "22003", "bigint out of range"),
    ("99999999999999999999999999999999999999::DECIMAL(38,0) + 1", "22003", "value overflows numeric format"),
    ("'x'::BOOL", "22P02", 'invalid input syntax for type boolean: "x"'),
    ("'x'::DATE", "22007", 'invalid input syntax for type date: "x"'),
    ("'2020-02-30'::DATE", "22008", 'date/time field value out of range: "2020-02-30"'),
    ("'x'::TIMESTAMP", "22007", 'invalid input syntax for type timestamp: "x"'),
    ("'x'::INTERVAL", "22007", 'invalid input syntax for type interval: "x"'),
    ("'x'::UUID", "22P02", 'invalid input syntax for type uuid: "x"'),
    ("'{x'::JSON", "22P02", "invalid input syntax for type json"),
    ("error('22012:division by zero')", "22012", "division by zero"),
    ("error('23514:no: not at all')", "23514", "no: not at all"),
    ("error('0A000:never')", "0A000", "never"),
    ("(SELECT i FROM range(2) t(i))", "21000", "more than one row returned by a subquery used as an expression"),
    ("regexp_matches('a', '(')", "2201B", "invalid regular expression"),
    ("ln(0::DOUBLE)", "2201E", "cannot take logarithm of zero"),
    ("sqrt(-1::DOUBLE)", "2201F", "cannot take square root of a negative number"),
    ("timezone('No/Where', TIMESTAMP '2020-01-01')", "22023", 'time zone "No/Where" not recognized'),
]


@pytest.mark.parametrize(("expression", "sqlstate", "message"), CASES)
def test_data_errors(expression: str, sqlstate: str, message: str) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as raised:
        connection.execute(f"SELECT {expression}").fetchall()
    error = translate(raised.value)
    assert (error.sqlstate, error.message) == (sqlstate, message)


@pytest.mark.parametrize(
    ("error", "sqlstate"),
    [
        (duckdb.InterruptException("INTERRUPT Error: Interrupted!"), "57014"),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to pin block of size 256.0 KiB"), "53200"),
        (duckdb.OutOfMemoryException("Out of Memory Error: ... max_temp_directory_size"), "53100"),
        (duckdb.IOException("IO Error: Could not write file: No space left on device"), "53100"),
        (duckdb.IOException('IO Error: No files found that match the pattern "x"'), "58P01"),
        (duckdb.HTTPException("HTTP Error: 503"), "58030"),
        (duckdb.PermissionException("Permission Error: Cannot access file"), "42501"),
        (duckdb.BinderException("Binder Error: what?"), "XX000"),
        (duckdb.IOException("IO Error: Parquet files do not support negative intervals"), "0A000"),
    ],
)
def test_other_errors(error: Exception, sqlstate: str) -> None:
    assert translate(error).sqlstate == sqlstate


def test_own_errors_pass() -> None:
    error = QueryCanceled("x")
    assert translate(error) is error


def test_csv_rows_tell_their_line() -> None:
    error = translate(
        duckdb.InvalidInputException(
            "Invalid Input Error: CSV Error on Line: 4\nOriginal Line: 1,2,3\nExpected Number of Columns: 2 Found: 3\n"
        )
    )
    assert (error.sqlstate, error.context) == ("22P04", 'line 4: "1,2,3"')
