"""Type names in expressions: tokens to a canonical name, and that name to a PgType. Coordinator process."""

from __future__ import annotations

import re
from functools import lru_cache

from mere.errors import FeatureNotSupported, SqlSyntaxError, UndefinedObject
from mere.sql.grammar.keywords import words
from mere.sql.types import (
    ALIASES,
    BIT,
    BPCHAR,
    BY_NAME,
    CHAR,
    FLOAT4,
    FLOAT8,
    INTERVAL,
    NUMERIC,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    TIMETZ,
    VARBIT,
    VARCHAR,
    PgType,
    array_of,
    interval_typmod,
    numeric_typmod,
    type_name,
)

_NAME = re.compile(
    r"""^(?:pg_catalog\.)?(?P<name>"char"|[^()\[\]]+?)\s*(?:\((?P<mods>[^)]*)\))?(?P<tail>\s+with(?:out)?\ time\ zone)?
    (?P<array>(?:\[\])*)$""",
    re.VERBOSE,
)
_INTERVAL = re.compile(r"^interval(?P<fields>(?: (?!\()[a-z ]+)?)(?:\((?P<mods>\d+)\))?(?P<array>(?:\[\])*)$")


def _modifier(oid: int, mods: list[int]) -> int:
    if oid == NUMERIC:
        precision, scale = mods[0], mods[1] if len(mods) > 1 else 0
        if not 1 <= precision <= 1000:
            raise SqlSyntaxError(f"NUMERIC precision {precision} must be between 1 and 1000", sqlstate="22023")
        if not -1000 <= scale <= 1000:
            raise SqlSyntaxError(f"NUMERIC scale {scale} must be between -1000 and 1000", sqlstate="22023")
        return numeric_typmod(precision, scale)
    if oid in (VARCHAR, BPCHAR):
        if mods[0] < 1:
            name = "varchar" if oid == VARCHAR else "char"
            raise SqlSyntaxError(f"length for type {name} must be at least 1", sqlstate="22023")
        return mods[0] + 4
    if oid in (BIT, VARBIT):
        return mods[0]
    if oid in (TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ):
        return min(mods[0], 6)
    raise SqlSyntaxError(f'type modifier is not allowed for type "{type_name(oid)}"')


@lru_cache(maxsize=2000)
def parse_type(text: str) -> PgType:
    """The type of a canonical name ('numeric(15,2)', 'timestamp(3) with time zone', 'text[]', '"char"')."""
    interval = _INTERVAL.match(text)
    if interval is not None:
        fields, mods = (interval.group("fields") or "").strip(), interval.group("mods")
        precision = min(int(mods), 6) if mods else None
        typmod = interval_typmod(fields, precision) if fields or mods else -1
        return _with_array(PgType(INTERVAL, typmod), interval.group("array"))
    match = _NAME.match(text)
    if match is None:
        raise UndefinedObject(f'type "{text}" does not exist', sqlstate="42704")
    name = match.group("name") + (match.group("tail") or "")
    mods_text = match.group("mods")
    mods = [int(part) for part in mods_text.split(",")] if mods_text else []
    return _with_array(_scalar(name, mods), match.group("array"))


def _scalar(name: str, mods: list[int]) -> PgType:
    if name == '"char"':
        return PgType(CHAR)
    if name == "char" or name == "character":
        return PgType(BPCHAR, _modifier(BPCHAR, mods or [1]))
    if name == "float" and mods:
        return PgType(FLOAT4 if mods[0] < 25 else FLOAT8)
    oid = ALIASES.get(name) or BY_NAME.get(name)
    if oid is None:
        if name in _KNOWN_UNSUPPORTED:
            raise FeatureNotSupported(f"type {name} is not supported")
        raise UndefinedObject(f'type "{name}" does not exist', sqlstate="42704")
    return PgType(oid, _modifier(oid, mods) if mods else -1)


def _with_array(element: PgType, suffix: str) -> PgType:
    if not suffix:
        return element
    array = array_of(element.oid)
    if not array:
        raise UndefinedObject("type of this array does not exist", sqlstate="42704")
    return PgType(array, element.typmod)


_KNOWN_UNSUPPORTED = words(
    """point line lseg box path polygon circle inet cidr macaddr macaddr8 tsvector tsquery xml money bit varbit
    int4range int8range numrange tsrange tstzrange daterange pg_lsn xid xid8 cid tid regprocedure regoper regoperator
    regnamespace regrole regconfig regdictionary regcollation jsonpath"""
)
