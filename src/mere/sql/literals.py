"""Constants: a text in PostgreSQL's syntax to a DuckDB literal of a type. Coordinator process."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from mere.errors import DataError, FeatureNotSupported
from mere.sql.expressions.build import call, cast, null, number, string
from mere.sql.expressions.intervals import Interval, parse_date, parse_interval, parse_timestamp
from mere.sql.expressions.numeric import EXACT, parts_of
from mere.sql.expressions.typed import Carrier, Typed
from mere.sql.jsonb.document import JsonError, read, write
from mere.sql.types import (
    BOOL,
    BPCHAR,
    BYTEA,
    DATE,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    INTERVAL,
    JSON,
    JSONB,
    MAX_PRECISION,
    NUMERIC,
    STRINGS,
    TIMESTAMP,
    TIMESTAMPTZ,
    UNKNOWN,
    UUID,
    PgType,
    duckdb_type,
    element_of,
    numeric_parts,
    type_name,
)

_BOUNDS = {INT2: 2**15, INT4: 2**31, INT8: 2**63}
_INTEGER = re.compile(r"\s*([+-]?\d+(?:_\d+)*)\s*")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)([+-])(0\d|1[0-5])(?::([0-5]\d))?(?::([0-5]\d))?")
_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def invalid_text(oid: int, text: str) -> DataError:
    if oid in _BOUNDS and _INTEGER.fullmatch(text):
        return DataError(f'value "{text}" is out of range for type {type_name(oid)}', sqlstate="22003")
    return DataError(f'invalid input syntax for type {type_name(oid)}: "{text}"', sqlstate="22P02")


def null_literal(pg_type: PgType) -> Typed:
    carrier = (1, 0) if pg_type.oid == NUMERIC and pg_type.typmod < 0 else None
    kind = "DECIMAL(1,0)" if carrier else duckdb_type(pg_type) or "VARCHAR"
    parts = numeric_parts(pg_type.typmod) if pg_type.oid == NUMERIC else None
    return Typed(null(kind), pg_type, decimal=carrier or parts, is_null=True)


def unknown_literal(text: str) -> Typed:
    return Typed(string(text), PgType(UNKNOWN), value=text)


def integer_literal(value: int, oid: int) -> Typed:
    """A bare number takes the type of its neighbours in DuckDB; only INTEGER and BIGINT are so by themselves."""
    if oid == INT4 or (oid == INT8 and abs(value) >= 2**31):
        return Typed(number(value), PgType(oid), value=value, bare=True)
    return Typed(cast(number(value), duckdb_type(PgType(oid))), PgType(oid), value=value)


def numeric_literal(value: Decimal, typmod: int = -1) -> Typed:
    precision, scale = parts_of(value)
    if value.is_nan() or value.is_infinite():
        raise FeatureNotSupported("numeric NaN and infinity are not supported")
    _sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if len(digits) + max(exponent, 0) > MAX_PRECISION:
        whole = max(len(digits) + exponent, 1)
        if whole > MAX_PRECISION:  # a bound in a comparison, most likely
            return Typed(cast(string(str(value)), "DOUBLE"), PgType(NUMERIC, typmod))
        scale = MAX_PRECISION - whole
        value = value.quantize(Decimal(1).scaleb(-scale), context=EXACT)
    text = format(value, "f")
    if scale == MAX_PRECISION:  # with the zero before the point a number of 39 digits, which would be a DOUBLE
        sql = cast(string(text), f"DECIMAL({MAX_PRECISION},{MAX_PRECISION})")
        return Typed(sql, PgType(NUMERIC, typmod), decimal=(MAX_PRECISION, MAX_PRECISION), value=value)
    if "." in text:
        return Typed(number(text), PgType(NUMERIC, typmod), decimal=(precision, scale), value=value, bare=True)
    sql = cast(number(text), f"DECIMAL({precision},0)")
    return Typed(sql, PgType(NUMERIC, typmod), decimal=(precision, 0), value=value)


def date_literal(value: dt.date) -> Typed:
    return Typed(cast(string(value.isoformat()), "DATE"), PgType(DATE), value=value)


def timestamp_literal(value: dt.datetime, typmod: int = -1) -> Typed:
    return Typed(cast(string(value.isoformat(" ")), "TIMESTAMP"), PgType(TIMESTAMP, typmod), value=value)


def interval_literal(value: Interval, typmod: int = -1) -> Typed:
    return Typed(cast(string(value.duckdb_text()), "INTERVAL"), PgType(INTERVAL, typmod), value=value)


def parse_literal(text: str, pg_type: PgType) -> Typed | None:
    """An input string as a constant of the type, where Mere reads it itself; None leaves it to PostgreSQL."""
    oid = pg_type.oid
    if oid in STRINGS:
        return _string_literal(text, pg_type)
    if oid in _BOUNDS:
        match = _INTEGER.fullmatch(text)
        if match is None:
            return None
        value = int(match.group(1))
        return integer_literal(value, oid) if -_BOUNDS[oid] <= value < _BOUNDS[oid] else None
    if oid == NUMERIC:
        return _parse_numeric(text, pg_type)
    if oid in (FLOAT4, FLOAT8):
        return _parse_float(text, pg_type)
    if oid == BOOL:
        return _parse_boolean(text)
    if oid == DATE:
        date = parse_date(text)
        return date_literal(date) if date is not None else None
    if oid == TIMESTAMP and pg_type.typmod < 0:
        moment = parse_timestamp(text)
        return timestamp_literal(moment) if moment is not None else None
    if oid == TIMESTAMPTZ and pg_type.typmod < 0:
        return _parse_instant(text, pg_type)
    if oid == JSONB:
        return _parse_jsonb(text, pg_type)
    if oid == INTERVAL:
        interval = parse_interval(text, pg_type.typmod)
        return interval_literal(interval, pg_type.typmod) if interval is not None else None
    return None


def _parse_instant(text: str, pg_type: PgType) -> Typed | None:
    """A timestamp with its offset, as PostgreSQL prints one; without it means the session's time zone."""
    match = _INSTANT.fullmatch(text)
    moment = parse_timestamp(match[1]) if match is not None else None
    if match is None or moment is None:
        return None
    offset = dt.timedelta(hours=int(match[3]), minutes=int(match[4] or 0), seconds=int(match[5] or 0))
    try:
        instant = moment + offset if match[2] == "-" else moment - offset
    except OverflowError:
        return None
    return Typed(cast(string(f"{instant.isoformat(' ')}+00"), "TIMESTAMPTZ"), pg_type)


def _parse_jsonb(text: str, pg_type: PgType) -> Typed | None:
    """As jsonb keeps it; what is no JSON is left to PostgreSQL's own message."""
    try:
        kept = write(read(text))
    except (JsonError, RecursionError):
        return None
    return Typed(cast(string(kept), "JSON"), pg_type, value=kept)


def _string_literal(text: str, pg_type: PgType) -> Typed:
    if pg_type.oid == BPCHAR:
        if pg_type.typmod >= 4:
            text = text[: pg_type.typmod - 4]
        text = text.rstrip(" ")
    elif pg_type.typmod >= 4:
        text = text[: pg_type.typmod - 4]
    return Typed(string(text), pg_type, value=text)


def _parse_numeric(text: str, pg_type: PgType) -> Typed | None:
    stripped = text.strip()
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", stripped):
        return None
    try:
        value = Decimal(stripped)
    except InvalidOperation:
        return None
    parts = numeric_parts(pg_type.typmod)
    if parts is None:
        return numeric_literal(value)
    return None if parts[1] < 0 else fit_numeric(value, parts, pg_type)


def fit_numeric(value: Decimal, parts: tuple[int, int], pg_type: PgType) -> Typed:
    """A constant rounded to numeric(p,s), as DECIMAL(p,s) whatever its digits."""
    precision, scale = parts
    rounded = value.quantize(Decimal(1).scaleb(-scale), rounding="ROUND_HALF_UP", context=EXACT)
    if len(format(rounded.copy_abs(), "f").split(".")[0].lstrip("0")) > precision - scale:
        raise DataError("numeric field overflow", sqlstate="22003")
    if max(precision, scale) > MAX_PRECISION:
        raise FeatureNotSupported(f"numeric({precision},{scale}) is not supported: numeric has at most 38 digits")
    text = format(rounded, "f")
    sql = cast(string(text) if scale == MAX_PRECISION else number(text), f"DECIMAL({max(precision, scale)},{scale})")
    return Typed(sql, pg_type, decimal=(max(precision, scale), scale), value=rounded)


def _parse_float(text: str, pg_type: PgType) -> Typed | None:
    kind = duckdb_type(pg_type)
    stripped = text.strip().lower()
    special = {"nan": "nan", "inf": "inf", "infinity": "inf", "-inf": "-inf", "-infinity": "-inf"}.get(stripped)
    if special is None:
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", stripped):
            return None
        if float(stripped) in (float("inf"), float("-inf")):
            raise DataError(f'"{text}" is out of range for type {type_name(pg_type.oid)}', sqlstate="22003")
    return Typed(cast(string(special or stripped), kind), pg_type, value=float(special or stripped))


def _parse_boolean(text: str) -> Typed | None:
    wanted = text.strip().lower()
    found = {value for word, value in _BOOLEANS.items() if wanted and word.startswith(wanted)}
    if wanted == "o" or len(found) != 1:
        return None
    return boolean_literal(found.pop())


def boolean_literal(value: bool) -> Typed:
    return Typed(exp.Boolean(this=value), PgType(BOOL), value=value)


def literal(text: str | None, pg_type: PgType) -> Typed:
    """A value as PostgreSQL printed it (DateStyle ISO, IntervalStyle postgres) as a DuckDB constant of that type.

    Used for parameters and for what `Environment.constant` had evaluated; never raises for valid output text.
    """
    if text is None:
        return null_literal(pg_type)
    known = parse_literal(text, pg_type)
    if known is not None:
        return known
    oid = pg_type.oid
    if element_of(oid):
        return _array_literal(text, pg_type)
    if oid == BYTEA:
        return Typed(call("unhex", string(text.removeprefix("\\x"))), pg_type)
    if oid in (UUID, JSON, JSONB):
        return Typed(cast(string(text), duckdb_type(pg_type)), pg_type, value=text)
    if oid == INTERVAL:
        return Typed(cast(string(text.replace("+", "")), "INTERVAL"), pg_type)
    kind = duckdb_type(pg_type)
    if not kind:
        return Typed(string(text), pg_type, value=text)
    if text.endswith(" BC"):
        day, _, clock = text.removesuffix(" BC").partition(" ")
        text = f"{day} (BC) {clock}".rstrip()
    return Typed(cast(string(text), kind), pg_type)


def _array_literal(text: str, pg_type: PgType) -> Typed:
    element = PgType(element_of(pg_type.oid), pg_type.typmod)
    members = [literal(item, element) for item in split_array(text)]
    carrier, kind = None, duckdb_type(element)
    if element.oid == NUMERIC and element.typmod < 0:
        carrier = _common_carrier([member.decimal for member in members if not member.is_null])
        kind = kind if carrier is None else f"DECIMAL({carrier[0]},{carrier[1]})"
    return Typed(cast(exp.Array(expressions=[member.sql for member in members]), f"{kind}[]"), pg_type, decimal=carrier)


def _common_carrier(carriers: Sequence[Carrier]) -> Carrier:
    """The DECIMAL that holds all of them; None where there is none."""
    known = [carrier for carrier in carriers if carrier is not None]
    scale = max((scale for _, scale in known), default=0)
    width = max((precision - scale for precision, scale in known), default=1) + scale
    return (width, scale) if known and len(known) == len(carriers) and width <= MAX_PRECISION else None


_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', re.DOTALL)


def split_array(text: str) -> list[str | None]:
    """The members of a one-dimensional array's text: {1,NULL,"a b"}."""
    body = text[text.index("{") :]
    if body.count("{", 0, 2) > 1 and body.startswith("{{"):
        raise FeatureNotSupported("arrays of more than one dimension are not supported")
    members: list[str | None] = []
    for match in _ITEM.finditer(body):
        quoted, plain = match.groups()
        if quoted is not None:
            members.append(re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
        else:
            stripped = plain.strip()
            members.append(None if stripped.upper() == "NULL" else stripped)
    return members
