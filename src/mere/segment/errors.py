"""DuckDB's errors in PostgreSQL's words: SQLSTATE and message. Lives wherever an engine runs.

What DuckDB leaves out (the value of a NULL-able cast, the column) stays out; a text that nobody mapped keeps DuckDB's
first line, so that a user still sees the cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb

from mere.errors import (
    DataError,
    FeatureNotSupported,
    InsufficientPrivilege,
    IntegrityError,
    MereError,
    QueryCanceled,
    StorageError,
)
from mere.sql.raised import read_raised

_TYPES = {
    "INT8": "smallint",
    "INT16": "smallint",
    "INT32": "integer",
    "INT64": "bigint",
    "UINT32": "oid",
    "INT128": "uuid",  # no PostgreSQL type is stored as HUGEINT, and DuckDB casts a UUID's text through one
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "BOOL": "boolean",
    "BOOLEAN": "boolean",
    "INTERVAL": "interval",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "UUID": "uuid",
    "VARCHAR": "text",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "SMALLINT": "smallint",
    "BLOB": "bytea",
}
_OWN_STATE = re.compile(r"(?:^|[:\s])([0-9A-Z]{5}):(.*)\Z", re.DOTALL)
_NUMBER = re.compile(r"\s*[+-]?\d+\s*\Z")


@dataclass(frozen=True, slots=True)
class _Rule:
    """`message` is a template over the pattern's groups, or a function of the match."""

    pattern: re.Pattern[str]
    sqlstate: str
    message: str | Callable[[re.Match[str]], str]


def _rule(pattern: str, sqlstate: str, message: str | Callable[[re.Match[str]], str]) -> _Rule:
    return _Rule(re.compile(pattern, re.DOTALL), sqlstate, message)


def type_name(duckdb_type: str) -> str:
    """PostgreSQL's name of a type as DuckDB's messages spell it."""
    text = duckdb_type.strip()
    if text.endswith("[]"):
        return type_name(text[:-2]) + "[]"
    if text.startswith("DECIMAL"):
        return "numeric"
    return _TYPES.get(text, text.lower())


def _out_of_range(match: re.Match[str]) -> str:
    name = type_name(match["type"])
    return "numeric field overflow" if name == "numeric" else f"{name} out of range"


def _arithmetic(match: re.Match[str]) -> str:
    name = type_name(match["type"])
    return "value overflows numeric format" if name == "numeric" else f"{name} out of range"


def _bad_text(match: re.Match[str]) -> str:
    return f'invalid input syntax for type {type_name(match["type"])}: "{match["value"]}"'


_DATA_RULES = (
    _rule(r"Type \w+ with value .* out of range for the destination type (?P<type>.+)", "22003", _out_of_range),
    _rule(r"Could not cast value .* to (?P<type>DECIMAL\(\d+,\d+\))", "22003", _out_of_range),
    _rule(r'Casting value "?.*"? to type (?P<type>DECIMAL\(\d+,\d+\)) failed', "22003", _out_of_range),
    _rule(r"Overflow in \w+ of (?P<type>INT\d+|DECIMAL)", "22003", _arithmetic),
    _rule(r"Failed to cast decimal value \S+ to type (?P<type>\w+)", "22003", _out_of_range),
    _rule(r"Overflow in HUGEINT|Overflow in negation|Overflow on abs", "22003", "value out of range: overflow"),
    _rule(r'invalid (?P<type>date|timestamp|time) field format: "(?P<value>.*)", expected', "22007", _bad_text),
    _rule(r'(?P<type>time) field value out of range: "(?P<value>[^"\d]*)"', "22007", _bad_text),
    _rule(r'(?:date|time|timestamp) field value out of range: "(?P<value>[^"]*)"',
          "22008", 'date/time field value out of range: "{value}"'),
    _rule(r"Date out of range: (?P<value>\S+)", "22008", "date field value out of range: {value}"),
    _rule(r"Date out of range", "22008", "date out of range"),
    _rule(r"Date and time not in timestamp range|[Tt]imestamp.* out of range", "22008", "timestamp out of range"),
    _rule(r"Malformed JSON", "22P02", "invalid input syntax for type json"),
    _rule(r"Type VARCHAR with value '(?P<value>.*)' can't be cast to the destination type .*\[\]",
          "22P02", 'malformed array literal: "{value}"'),
    _rule(r"Invalid hex escape code|Invalid byte encountered in STRING -> BLOB",
          "22P02", "invalid input syntax for type bytea"),
    _rule(r"More than one row returned by a subquery",
          "21000", "more than one row returned by a subquery used as an expression"),
    _rule(r"cannot take logarithm of zero", "2201E", "cannot take logarithm of zero"),
    _rule(r"cannot take logarithm of a negative", "2201E", "cannot take logarithm of a negative number"),
    _rule(r"cannot take square root", "2201F", "cannot take square root of a negative number"),
    _rule(r"(?P<value>extract specifier \"(?P<unit>.*)\" not recognized)", "22023", 'unit "{unit}" not recognized'),
    _rule(r"Unknown TimeZone '(?P<value>.*)'", "22023", 'time zone "{value}" not recognized'),
    _rule(r"LIMIT/OFFSET cannot be negative", "2201W", "LIMIT must not be negative"),
    _rule(r"Invalid escape string", "22025", "invalid escape string"),
    _rule(r"Invalid UTF8 Codepoint (?P<value>-?\d+)", "54000", "requested character too large for encoding: {value}"),
    _rule(r"(?:missing|unexpected|no argument for repetition|invalid (?:escape|character|perl)|bad repetition)[^:]*: ",
          "2201B", "invalid regular expression"),
    _rule(r"invalid UTF-?8|Invalid unicode|not valid UTF-?8", "22021", 'invalid byte sequence for encoding "UTF8"'),
    _rule(r"Could not parse string \"(?P<value>.*?)\" according to", "22007", 'invalid value "{value}" for the format'),
    _rule(r"Value out of range|value is out of range", "22003", "value out of range"),
)  # fmt: skip

_BAD_TEXT = re.compile(
    r"Could not convert string ['\"](?P<value>.*)['\"] to (?P<type>.+?)(?: when casting from source column .*)?\Z",
    re.DOTALL,
)


# In the middle of a stream DuckDB's errors come through Arrow, which keeps only their text.
_BY_TEXT: dict[str, type[duckdb.Error]] = {
    "Constraint Error": duckdb.ConstraintException,
    "Conversion Error": duckdb.ConversionException,
    "FATAL Error": duckdb.FatalException,
    "HTTP Error": duckdb.HTTPException,
    "INTERNAL Error": duckdb.InternalException,
    "INTERRUPT Error": duckdb.InterruptException,
    "IO Error": duckdb.IOException,
    "Invalid Input Error": duckdb.InvalidInputException,
    "Not implemented Error": duckdb.NotImplementedException,
    "Out of Memory Error": duckdb.OutOfMemoryException,
    "Out of Range Error": duckdb.OutOfRangeException,
    "Permission Error": duckdb.PermissionException,
}


def duckdb_error(error: Exception) -> Exception:
    """The error with the class that DuckDB gave it."""
    kind = _BY_TEXT.get(str(error).split(":", 1)[0])
    return error if kind is None or isinstance(error, duckdb.Error) else kind(str(error))


_REFUSED = "the engine refused the query: "


def translate(error: BaseException) -> MereError:
    """The MereError for what DuckDB raised; a MereError passes unchanged."""
    if isinstance(error, MereError):
        return error
    text = str(error)
    if "executing the UDF: " in text:  # a kernel's own words, behind them the lines of its source
        text = text.split("\n\nAt:\n", 1)[0]
    body = text.split("Error: ", 1)[-1]
    if isinstance(error, duckdb.InterruptException):
        return QueryCanceled("canceling statement due to user request")
    if isinstance(error, duckdb.OutOfMemoryException) or "failed to allocate data" in text:
        return _memory(body)
    if isinstance(error, duckdb.PermissionException):
        return InsufficientPrivilege(_first_line(body))
    if isinstance(error, (duckdb.HTTPException, duckdb.IOException)):
        return _storage(body)
    if isinstance(error, duckdb.ConstraintException):
        return IntegrityError(_first_line(body))
    if (own := _OWN_STATE.search(body)) is not None and isinstance(error, duckdb.InvalidInputException):
        return _with_state(own[1], own[2].strip())
    return _data(body) or _other(error, body)


def _with_state(sqlstate: str, text: str) -> MereError:
    message, found = read_raised(text)
    fields: dict[str, Any] = dict(found)
    if sqlstate.startswith("22"):
        return DataError(message, sqlstate=sqlstate)
    if sqlstate.startswith("23"):
        return IntegrityError(message, sqlstate=sqlstate, **fields)
    if sqlstate.startswith("0A"):
        return FeatureNotSupported(message, sqlstate=sqlstate)
    return MereError(message, sqlstate=sqlstate)


_CSV_ROW = re.compile(
    r"CSV Error on Line: (?P<line>\d+)\nOriginal Line: (?P<row>.*?)\n"
    r"Expected Number of Columns: (?P<wanted>\d+) Found: (?P<found>\d+)",
    re.DOTALL,
)


def _data(body: str) -> MereError | None:
    if (row := _CSV_ROW.search(body)) is not None:
        more = int(row["found"]) > int(row["wanted"])
        message = "extra data after last expected column" if more else "missing data for a column"
        return DataError(message, sqlstate="22P04", context=f'line {row["line"]}: "{row["row"][:100]}"')
    first = body.split("\n\nLINE ", 1)[0].strip()
    if (bad := _BAD_TEXT.search(first)) is not None:
        name = type_name(bad["type"])
        value = bad["value"]
        if (own := _OWN_STATE.match(value)) is not None:  # see copy_diagnosis: an error() that TRY can catch
            return _with_state(own[1], own[2])
        if name in ("smallint", "integer", "bigint") and _NUMBER.match(value):
            return DataError(f'value "{value}" is out of range for type {name}', sqlstate="22003")
        if name == "numeric" and _NUMBER.match(value.replace(".", "0", 1)):
            return DataError("numeric field overflow", sqlstate="22003")
        state = "22007" if name in ("interval", "date", "time", "timestamp", "timestamp with time zone") else "22P02"
        return DataError(f'invalid input syntax for type {name}: "{value}"', sqlstate=state)
    for rule in _DATA_RULES:
        if (match := rule.pattern.search(first)) is not None:
            message = rule.message.format(**match.groupdict()) if isinstance(rule.message, str) else rule.message(match)
            return DataError(message, sqlstate=rule.sqlstate)
    return None


def _memory(body: str) -> MereError:
    if "max_temp_directory_size" in body or "No space left" in body:
        return MereError("out of disk space for temporary files", sqlstate="53100", detail=_first_line(body))
    return MereError(
        "out of memory",
        sqlstate="53200",
        detail=_first_line(body),
        hint="Raise memory_limit, or let the query hold less at once.",
    )


def _storage(body: str) -> MereError:
    if "Parquet files do not support negative intervals" in body:
        return FeatureNotSupported("negative intervals cannot be stored in a lake table")
    if "No space left" in body or "disk is full" in body or "Disk quota" in body:
        return MereError(f"could not write: {_first_line(body)}", sqlstate="53100")
    if "No files found that match" in body:
        return StorageError(_first_line(body), sqlstate="58P01")
    return StorageError(_first_line(body))


def _other(error: BaseException, body: str) -> MereError:
    line = _first_line(body)
    if isinstance(error, (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException)):
        state = "22003" if isinstance(error, duckdb.OutOfRangeException) else "22000"
        return DataError(line, sqlstate=state)
    if isinstance(error, duckdb.NotImplementedException):
        return FeatureNotSupported(line)
    if "query exceeds" in line or "max_expression_depth" in line or "Max expression depth" in line:
        return MereError("stack depth limit exceeded", sqlstate="54001", detail=line)
    return MereError(f"{_REFUSED}{line}", sqlstate="XX000")


def is_refusal(error: MereError) -> bool:
    """Whether the engine found no meaning in a query. Never the user's fault: PostgreSQL has checked the statement."""
    return error.sqlstate == "XX000" and error.message.startswith(_REFUSED)


def _first_line(body: str) -> str:
    return body.strip().split("\n", 1)[0][:500]
