"""The edges of every type that a lake table can hold: one table, read by all tests of clients.

Values are PostgreSQL's text of them in UTC with ISO dates; NULL is tested for every type and stands in no list.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Boundary:
    """A type as DDL names it, and its values."""

    name: str
    type: str
    values: tuple[str, ...]

    @property
    def array_literal(self) -> str:
        """All values and a NULL, as PostgreSQL reads an array."""
        quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in self.values)
        return "{" + ",".join((*quoted, "NULL")) + "}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A value of PostgreSQL's that a lake table cannot hold, and the SQLSTATE that says so."""

    type: str
    value: str
    sqlstate: str
    why: str


REFUSALS = (
    Refusal("numeric(10,2)", "NaN", "0A000", "DuckDB's DECIMAL has none"),
    Refusal("numeric", "Infinity", "22003", "numeric is numeric(38,10), and that has none in PostgreSQL either"),
    Refusal("numeric", "-Infinity", "22003", "numeric is numeric(38,10), and that has none in PostgreSQL either"),
    Refusal("numeric", "1e40", "22003", "DuckDB's DECIMAL has 38 digits"),
    Refusal("numeric(10,2)", "100000000", "22003", "as in PostgreSQL"),
    Refusal("interval", "infinity", "0A000", "DuckDB's INTERVAL has none"),
    Refusal("interval", "-1 day", "0A000", "Parquet's INTERVAL is unsigned"),
    Refusal("interval", "00:00:00.000001", "0A000", "Parquet's INTERVAL counts milliseconds"),
    Refusal("timestamp", "294276-12-31 23:59:59.999999", "22008", "DuckDB's TIMESTAMP ends in January 294247"),
    Refusal("timestamptz", "294276-12-31 23:59:59.999999+00", "22008", "DuckDB's TIMESTAMP ends in January 294247"),
    Refusal("integer[]", "{{1,2},{3,4}}", "0A000", "arrays of a lake table have one dimension"),
)
REFUSED_TYPES = (
    "money",
    "bit(3)",
    "inet",
    "point",
    "int4range",
    "oid",
    "tsvector",
    "numeric(39,0)",
    '"char"',
    "xml",
    "regclass",
)

BOUNDARIES = (
    Boundary("bool", "boolean", ("f", "t")),
    Boundary("int2", "smallint", ("-32768", "-1", "0", "32767")),
    Boundary("int4", "integer", ("-2147483648", "0", "2147483647")),
    Boundary("int8", "bigint", ("-9223372036854775808", "0", "9223372036854775807")),
    Boundary(
        "float4", "real", ("-Infinity", "-3.4028235e+38", "-0", "1e-45", "1.5", "3.4028235e+38", "Infinity", "NaN")
    ),
    Boundary(
        "float8",
        "double precision",
        ("-Infinity", "-1.7976931348623157e+308", "-0", "5e-324", "0.1", "1.7976931348623157e+308", "Infinity", "NaN"),
    ),
    Boundary("numeric", "numeric(38,10)", ("-9999999999999999999999999999.9999999999", "0.0000000000", "0.0000000001")),
    Boundary("money_like", "numeric(10,2)", ("-99999999.99", "0.00", "10000.00", "99999999.99")),
    Boundary("integers", "numeric(38,0)", ("-99999999999999999999999999999999999999", "0", "1000000000000000000000")),
    Boundary("name", "name", ("", "näme", "x" * 63)),
    Boundary("text", "text", ("", " ", "näme", "a\tb\nc\\d\"e'f,g{h}", "\U0001f600", "NULL", "x" * 70_000)),
    Boundary("varchar", "varchar(5)", ("", "näme ", "12345")),
    Boundary("bpchar", "char(4)", ("    ", "a   ", "nämë")),
    Boundary("bytea", "bytea", ("\\x", "\\x00", "\\x005c27220aff")),
    Boundary("date", "date", ("-infinity", "4714-11-24 BC", "0001-01-01", "1999-12-31", "5874897-12-31", "infinity")),
    Boundary("time", "time", ("00:00:00", "12:34:56.000001", "23:59:59.999999", "24:00:00")),
    Boundary("timetz", "time with time zone", ("00:00:00+00", "23:59:59.999999+00")),
    Boundary(
        "timestamp",
        "timestamp",
        (
            "-infinity",
            "4714-11-24 00:00:00 BC",
            "1999-12-31 23:59:59.999999",
            "294246-12-31 23:59:59.999999",
            "infinity",
        ),
    ),
    Boundary(
        "timestamptz",
        "timestamptz",
        (
            "-infinity",
            "4714-11-24 00:00:00+00 BC",
            "1970-01-01 00:00:00+00",
            "294246-12-31 23:59:59.999999+00",
            "infinity",
        ),
    ),
    Boundary("interval", "interval", ("00:00:00", "1 year 2 mons 3 days 04:05:06.789", "100000 years", "1000 days")),
    Boundary("uuid", "uuid", ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")),
    Boundary("json", "json", ("null", '{"b": 1,   "a": [1, "ü", null]}', '""')),
    Boundary("jsonb", "jsonb", ("null", '{"a": [1, "ü", null], "b": 1}', '""', "[]", "12.5")),
)
