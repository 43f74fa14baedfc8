"""Where a row goes: the functions of key values that redistribute, and the names by which two of them are the same.

A scheme is a text, so that places can be compared: `bucket(BIGINT,16)` is the placement of stored files of a table
DISTRIBUTED BY a key of that type, `hash(BIGINT,VARCHAR)` that of rows on the move. Equal values of the key types that a
scheme names go to one share. Pure functions, coordinator process.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
WIDE_INTEGERS = ("UBIGINT", "HUGEINT", "UHUGEINT")
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_SCHEME = re.compile(r"(bucket|hash)\((.*)\)")
_MASK = 2147483647


def canonical(duckdb_type: str) -> str:
    """The type in which values of this type are hashed: one for all integers, its own for any other."""
    name = duckdb_type.upper()
    if name in INTEGERS:
        return "BIGINT"
    if name in WIDE_INTEGERS:
        return "HUGEINT"
    return {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ", "TIME WITH TIME ZONE": "TIMETZ"}.get(name, duckdb_type)


def common(types: Sequence[str]) -> str | None:
    """One type in which equal values of all these types are the same value; None where that is not sure.

    Decimals of different scale meet in the widest; a value too large for it counts as NULL on either side.
    """
    found = {canonical(name) for name in types}
    if len(found) == 1:
        return found.pop()
    if found == {"DATE", "TIMESTAMP"}:
        return "TIMESTAMP"
    if found <= {"BIGINT", "HUGEINT"}:
        return "HUGEINT"
    scales = []
    for name in found:
        if (match := _DECIMAL.fullmatch(name)) is not None:
            scales.append(int(match[2]))
        elif name not in ("BIGINT", "HUGEINT"):
            return None
    return f"DECIMAL(38,{max(scales)})"


def meets(duckdb_type: str, scheme_type: str) -> bool:
    """Is a value of this type, cast to the type of a scheme, the very value that it equals there?

    Integers and decimals are compared as numbers, dates with timestamps as moments; a value that the cast changes or
    cannot take equals nothing on the other side.
    """
    own = canonical(duckdb_type)
    if own == scheme_type:
        return True
    exact = ("BIGINT", "HUGEINT")
    if {own, scheme_type} <= {"DATE", "TIMESTAMP"}:
        return True
    return all(name in exact or _DECIMAL.fullmatch(name) is not None for name in (own, scheme_type))


def bucket_scheme(duckdb_type: str, buckets: int) -> str:
    return f"bucket({canonical(duckdb_type)},{buckets})"


def hash_scheme(types: Sequence[str]) -> str:
    """For rows on the move; the types of the keys, in their order."""
    return f"hash({';'.join(canonical(name) for name in types)})"


def scheme_types(scheme: str) -> tuple[str, ...]:
    """The types to which the keys are cast before they are hashed."""
    match = _SCHEME.fullmatch(scheme)
    assert match is not None, scheme
    if match[1] == "bucket":
        return (match[2].rpartition(",")[0],)
    return tuple(match[2].split(";"))


def destination(keys: Sequence[exp.Expression], types: Sequence[str], scheme: str) -> exp.Expression:
    """The integer, not negative, that places a row: its share is this modulo the number of segments."""
    wanted = scheme_types(scheme)
    values = [_cast(key, own, want) for key, own, want in zip(keys, types, wanted, strict=True)]
    if scheme.startswith("bucket"):
        buckets = int(scheme[:-1].rpartition(",")[2])
        masked = exp.Paren(
            this=exp.BitwiseAnd(
                this=exp.Anonymous(this="murmur3_32", expressions=values), expression=exp.Literal.number(_MASK)
            )
        )
        bucket = exp.Mod(this=masked, expression=exp.Literal.number(buckets))
        return exp.Coalesce(this=bucket, expressions=[exp.Literal.number(0)])
    hashed = exp.Anonymous(this="hash", expressions=values)
    return exp.Cast(
        this=exp.Mod(this=hashed, expression=exp.Literal.number(_MASK)), to=exp.DataType.build("BIGINT", "duckdb")
    )


def _cast(key: exp.Expression, own: str, want: str) -> exp.Expression:
    if own.upper() == want.upper():
        return key
    sure = own.upper() in INTEGERS and want in ("BIGINT", "HUGEINT")
    kind = exp.Cast if sure else exp.TryCast
    return kind(this=key, to=exp.DataType.build(want, "duckdb"))
