"""PostgreSQL's types as Mere knows them: oid, modifier, category, and the DuckDB type that stores each.

Owns no conversion of values. Pure data, used by the binder, the catalog and the wire encoder.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PgType:
    """A type as in pg_type with its modifier (-1: none). Equality is (oid, typmod)."""

    oid: int
    typmod: int = -1


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """What pg_type says of one type, and DuckDB's name for it.

    `category` and `preferred` steer PostgreSQL's resolution of overloaded names. `duckdb` is empty for types that no
    lake column can have; `element` and `array` are oids (0: none).
    """

    oid: int
    name: str  # pg_type.typname
    sql_name: str  # format_type(): what error messages and information_schema say
    category: str
    preferred: bool
    length: int  # pg_type.typlen, as RowDescription carries it
    array: int
    element: int
    duckdb: str
    ducklake: str


BOOL, BYTEA, CHAR, NAME, INT8, INT2, INT4, REGPROC, TEXT, OID = 16, 17, 18, 19, 20, 21, 23, 24, 25, 26
JSON, XML, FLOAT4, FLOAT8, UNKNOWN, MONEY = 114, 142, 700, 701, 705, 790
BPCHAR, VARCHAR, DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, TIMETZ = 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266
BIT, VARBIT, NUMERIC, REGCLASS, REGTYPE, REGNAMESPACE = 1560, 1562, 1700, 2205, 2206, 4089
UUID, JSONB, JSONPATH, RECORD, VOID = 2950, 3802, 4072, 2249, 2278
ANYELEMENT, ANYARRAY, ANY, ANYNONARRAY, ANYENUM, ANYRANGE = 2283, 2277, 2276, 2776, 3500, 3831
ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYCOMPATIBLENONARRAY = 5077, 5078, 5079

# oid, name, SQL name, category, preferred, typlen, array oid, DuckDB, DuckLake
_SCALARS: tuple[tuple[int, str, str, str, bool, int, int, str, str], ...] = (
    (BOOL, "bool", "boolean", "B", True, 1, 1000, "BOOLEAN", "boolean"),
    (BYTEA, "bytea", "bytea", "U", False, -1, 1001, "BLOB", "blob"),
    (CHAR, "char", '"char"', "Z", False, 1, 1002, "VARCHAR", ""),
    (NAME, "name", "name", "S", False, 64, 1003, "VARCHAR", "varchar"),
    (INT8, "int8", "bigint", "N", False, 8, 1016, "BIGINT", "int64"),
    (INT2, "int2", "smallint", "N", False, 2, 1005, "SMALLINT", "int16"),
    (INT4, "int4", "integer", "N", False, 4, 1007, "INTEGER", "int32"),
    (REGPROC, "regproc", "regproc", "N", False, 4, 1008, "UINTEGER", ""),
    (TEXT, "text", "text", "S", True, -1, 1009, "VARCHAR", "varchar"),
    (OID, "oid", "oid", "N", True, 4, 1028, "UINTEGER", ""),
    (JSON, "json", "json", "U", False, -1, 199, "JSON", "json"),
    (FLOAT4, "float4", "real", "N", False, 4, 1021, "FLOAT", "float32"),
    (FLOAT8, "float8", "double precision", "N", True, 8, 1022, "DOUBLE", "float64"),
    (UNKNOWN, "unknown", "unknown", "X", False, -2, 0, "VARCHAR", ""),
    (MONEY, "money", "money", "N", False, 8, 791, "", ""),
    (BPCHAR, "bpchar", "character", "S", False, -1, 1014, "VARCHAR", "varchar"),
    (VARCHAR, "varchar", "character varying", "S", False, -1, 1015, "VARCHAR", "varchar"),
    (DATE, "date", "date", "D", False, 4, 1182, "DATE", "date"),
    (TIME, "time", "time without time zone", "D", False, 8, 1183, "TIME", "time"),
    (TIMESTAMP, "timestamp", "timestamp without time zone", "D", False, 8, 1115, "TIMESTAMP", "timestamp"),
    (TIMESTAMPTZ, "timestamptz", "timestamp with time zone", "D", True, 8, 1185, "TIMESTAMPTZ", "timestamptz"),
    (INTERVAL, "interval", "interval", "T", True, 16, 1187, "INTERVAL", "interval"),
    (TIMETZ, "timetz", "time with time zone", "D", False, 12, 1270, "TIMETZ", "timetz"),
    (BIT, "bit", "bit", "V", False, -1, 1561, "VARCHAR", ""),
    (VARBIT, "varbit", "bit varying", "V", True, -1, 1563, "VARCHAR", ""),
    (NUMERIC, "numeric", "numeric", "N", False, -1, 1231, "DECIMAL", "decimal"),
    (REGCLASS, "regclass", "regclass", "N", False, 4, 2210, "UINTEGER", ""),
    (REGTYPE, "regtype", "regtype", "N", False, 4, 2211, "UINTEGER", ""),
    (REGNAMESPACE, "regnamespace", "regnamespace", "N", False, 4, 4090, "UINTEGER", ""),
    (UUID, "uuid", "uuid", "U", False, 16, 2951, "UUID", "uuid"),
    (JSONB, "jsonb", "jsonb", "U", False, -1, 3807, "JSON", "json"),
    (JSONPATH, "jsonpath", "jsonpath", "U", False, -1, 4073, "VARCHAR", ""),
    (RECORD, "record", "record", "P", False, -1, 2287, "", ""),
    (VOID, "void", "void", "P", False, 4, 0, "", ""),
    (ANYELEMENT, "anyelement", "anyelement", "P", False, 4, 0, "", ""),
    (ANYARRAY, "anyarray", "anyarray", "P", False, -1, 0, "", ""),
    (ANY, "any", '"any"', "P", False, 4, 0, "", ""),
    (ANYNONARRAY, "anynonarray", "anynonarray", "P", False, 4, 0, "", ""),
    (ANYENUM, "anyenum", "anyenum", "P", False, 4, 0, "", ""),
    (ANYRANGE, "anyrange", "anyrange", "P", False, -1, 0, "", ""),
    (ANYCOMPATIBLE, "anycompatible", "anycompatible", "P", False, 4, 0, "", ""),
    (ANYCOMPATIBLEARRAY, "anycompatiblearray", "anycompatiblearray", "P", False, -1, 0, "", ""),
    (ANYCOMPATIBLENONARRAY, "anycompatiblenonarray", "anycompatiblenonarray", "P", False, 4, 0, "", ""),
)


def _build() -> dict[int, TypeFacts]:
    facts: dict[int, TypeFacts] = {}
    for oid, name, sql_name, category, preferred, length, array, duckdb, ducklake in _SCALARS:
        facts[oid] = TypeFacts(oid, name, sql_name, category, preferred, length, array, 0, duckdb, ducklake)
        if array:
            store = f"{duckdb}[]" if duckdb else ""
            lake = "list" if ducklake else ""
            group = "P" if category == "P" else "A"
            facts[array] = TypeFacts(array, f"_{name}", f"{sql_name}[]", group, False, -1, 0, oid, store, lake)
    return facts


TYPES: dict[int, TypeFacts] = _build()
BY_NAME: dict[str, int] = {facts.name: oid for oid, facts in TYPES.items()}

# What SQL calls them, besides pg_type.typname (the grammar's names, gram.y: Numeric, Character, ConstDatetime).
ALIASES: dict[str, int] = {
    "boolean": BOOL,
    "smallint": INT2,
    "int": INT4,
    "integer": INT4,
    "bigint": INT8,
    "real": FLOAT4,
    "float": FLOAT8,
    "double precision": FLOAT8,
    "dec": NUMERIC,
    "decimal": NUMERIC,
    "character": BPCHAR,
    "character varying": VARCHAR,
    "timestamp without time zone": TIMESTAMP,
    "timestamp with time zone": TIMESTAMPTZ,
    "time without time zone": TIME,
    "time with time zone": TIMETZ,
}

STRINGS = frozenset({TEXT, VARCHAR, BPCHAR, NAME, CHAR, UNKNOWN})
INTEGERS = frozenset({INT2, INT4, INT8})
NUMBERS = frozenset({INT2, INT4, INT8, NUMERIC, FLOAT4, FLOAT8})
OID_LIKE = frozenset({OID, REGPROC, REGCLASS, REGTYPE, REGNAMESPACE})
POLYMORPHIC = frozenset(
    {
        ANYELEMENT,
        ANYARRAY,
        ANY,
        ANYNONARRAY,
        ANYENUM,
        ANYRANGE,
        ANYCOMPATIBLE,
        ANYCOMPATIBLEARRAY,
        ANYCOMPATIBLENONARRAY,
    }
)

MAX_PRECISION = 38  # DuckDB's widest DECIMAL
DEFAULT_NUMERIC = (38, 10)  # a numeric column declared without precision


def numeric_typmod(precision: int, scale: int) -> int:
    return ((precision << 16) | (scale & 0x7FF)) + 4


def numeric_parts(typmod: int) -> tuple[int, int] | None:
    """(precision, scale) of a numeric modifier; None without one. The scale may be negative, as PostgreSQL allows."""
    if typmod < 4:
        return None
    packed = typmod - 4
    scale = packed & 0x7FF
    return (packed >> 16) & 0xFFFF, (scale ^ 1024) - 1024


def is_array(oid: int) -> bool:
    facts = TYPES.get(oid)
    return facts is not None and facts.element != 0


def element_of(oid: int) -> int:
    facts = TYPES.get(oid)
    return facts.element if facts is not None else 0


def array_of(oid: int) -> int:
    facts = TYPES.get(oid)
    return facts.array if facts is not None else 0


def type_length(oid: int) -> int:
    """pg_type.typlen for RowDescription; -1 for what is not listed."""
    facts = TYPES.get(oid)
    return facts.length if facts is not None else -1


_INTERVAL_FIELDS: dict[int, str] = {
    1 << 2: "year",
    1 << 1: "month",
    1 << 3: "day",
    1 << 10: "hour",
    1 << 11: "minute",
    1 << 12: "second",
    (1 << 2) | (1 << 1): "year to month",
    (1 << 3) | (1 << 10): "day to hour",
    (1 << 3) | (1 << 10) | (1 << 11): "day to minute",
    (1 << 3) | (1 << 10) | (1 << 11) | (1 << 12): "day to second",
    (1 << 10) | (1 << 11): "hour to minute",
    (1 << 10) | (1 << 11) | (1 << 12): "hour to second",
    (1 << 11) | (1 << 12): "minute to second",
}
INTERVAL_RANGES: dict[str, int] = {name: mask for mask, name in _INTERVAL_FIELDS.items()}
INTERVAL_FULL_RANGE = 0x7FFF
INTERVAL_FULL_PRECISION = 0xFFFF


def interval_typmod(fields: str, precision: int | None) -> int:
    mask = INTERVAL_RANGES[fields] if fields else INTERVAL_FULL_RANGE
    return (mask << 16) | (INTERVAL_FULL_PRECISION if precision is None else precision)


def _modifier_text(oid: int, typmod: int) -> str:
    if oid == NUMERIC:
        parts = numeric_parts(typmod)
        return "" if parts is None else f"({parts[0]},{parts[1]})"
    if oid in (VARCHAR, BPCHAR):
        return f"({typmod - 4})"
    if oid in (BIT, VARBIT):
        return f"({typmod})"
    return f"({typmod})"


def format_type(pg_type: PgType) -> str:
    """The type's name as format_type() gives it: 'numeric(15,2)', 'timestamp(3) with time zone', 'integer[]'."""
    facts = TYPES.get(pg_type.oid)
    if facts is None:
        return f"type with oid {pg_type.oid}"
    if facts.element:
        return format_type(PgType(facts.element, pg_type.typmod)) + "[]"
    if pg_type.typmod < 0:
        return "bpchar" if pg_type.oid == BPCHAR else facts.sql_name
    if pg_type.oid == INTERVAL:
        mask, precision = (pg_type.typmod >> 16) & 0x7FFF, pg_type.typmod & 0xFFFF
        fields = "" if mask == INTERVAL_FULL_RANGE else " " + _INTERVAL_FIELDS.get(mask, "")
        return "interval" + fields + ("" if precision == INTERVAL_FULL_PRECISION else f"({precision})")
    modifier = _modifier_text(pg_type.oid, pg_type.typmod)
    head, _, tail = facts.sql_name.partition(" ")
    if pg_type.oid in (TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ):
        return f"{head}{modifier} {tail}"
    return facts.sql_name + modifier


def type_name(oid: int) -> str:
    """The name in error messages, without a modifier: 'integer', 'character varying'."""
    facts = TYPES.get(oid)
    return facts.sql_name if facts is not None else f"type with oid {oid}"


def duckdb_type(pg_type: PgType) -> str:
    """DuckDB's type for a stored or cast value; '' when there is none."""
    facts = TYPES.get(pg_type.oid)
    if facts is None:
        return ""
    if facts.element:
        element = duckdb_type(PgType(facts.element, pg_type.typmod))
        return f"{element}[]" if element else ""
    if pg_type.oid == NUMERIC:
        precision, scale = stored_numeric(pg_type.typmod)
        return f"DECIMAL({precision},{scale})"
    return facts.duckdb


def stored_numeric(typmod: int) -> tuple[int, int]:
    """(precision, scale) of DuckDB's DECIMAL for a numeric of this modifier."""
    parts = numeric_parts(typmod)
    if parts is None:
        return DEFAULT_NUMERIC
    precision, scale = parts
    if scale < 0:  # numeric(3,-2) holds up to 99900
        return min(precision - scale, MAX_PRECISION), 0
    return max(precision, scale), scale


def ducklake_type(pg_type: PgType) -> str:
    """DuckLake's column type; '' when a lake column cannot have it. An array is 'list', its child its element's."""
    facts = TYPES.get(pg_type.oid)
    if facts is None:
        return ""
    if pg_type.oid == NUMERIC:
        precision, scale = stored_numeric(pg_type.typmod)
        return f"decimal({precision},{scale})"
    return facts.ducklake
