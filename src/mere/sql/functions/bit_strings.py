"""Bit strings: kept as text of 0 and 1 while a query runs; no lake table stores them. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.sql.expressions.build import call, cast, number
from mere.sql.expressions.typed import Typed
from mere.sql.functions.registry import SCALARS, BoundCall, same, scalar
from mere.sql.types import BIT, INT4, PgType

same(
    """
    bit_count(bit) mere_bit_count; get_bit(bit,int4) mere_bit_get; set_bit(bit,int4,int4) mere_bit_set
    substring(bit,int4) mere_substr_from; substring(bit,int4,int4) mere_substr
    """
)


@scalar("length(bit)", "bit_length(bit)")
def _length(bound: BoundCall) -> exp.Expression:
    return cast(call("length", bound.sql(0)), "INTEGER")


@scalar("position(bit,bit)")
def _position(bound: BoundCall) -> exp.Expression:
    return cast(call("strpos", bound.sql(0), bound.sql(1)), "INTEGER")


SCALARS["octet_length(bit)"] = "mere_bit_octets"


def bits_of_number(typed: Typed, target: PgType) -> Typed:
    """The low bits of an integer, as many as the type has; bit alone has one."""
    width = target.typmod if target.typmod > 0 else 1
    made = call("mere_bits_of4" if typed.type.oid == INT4 else "mere_bits_of8", typed.sql, number(width))
    return Typed(made, PgType(BIT, width), typed.marks)


def sized_bits(typed: Typed, target: PgType) -> Typed:
    """An explicit cast cuts or fills with zeros on the right; bit varying is only cut."""
    name = "mere_bit_fit" if target.oid == BIT else "left"
    return Typed(call(name, typed.sql, number(target.typmod)), target, typed.marks)
