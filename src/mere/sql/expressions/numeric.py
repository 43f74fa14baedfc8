"""Exact numerics in DuckDB: which DECIMAL carries a result, and how many decimals PostgreSQL shows.

DuckDB multiplies and adds DECIMALs of up to 18 digits in 64 bits and raises an overflow where the digits do not
suffice; `Environment.wide_decimals` asks for 38 digits from the start, for the second attempt after such an error.
Coordinator process.
"""

from __future__ import annotations

from decimal import Context, Decimal

from sqlglot import exp

from mere.sql.expressions.build import call, cast
from mere.sql.expressions.typed import QUOTIENT, Carrier, Typed
from mere.sql.types import INT2, INT4, INT8, MAX_PRECISION, NUMERIC

QUOTIENT_SCALE = 20
WIDE_QUOTIENT_SCALE = 18  # of 64-bit integers and their sums, whose quotients may have 20 digits before the point
MAX_PRODUCT_SCALE = 28
_INT64_DIGITS = 18
_INTEGER_DIGITS = {INT2: 5, INT4: 10, INT8: 19}

EXACT = Context(prec=100)


def decimal_of(typed: Typed) -> Carrier:
    """The DECIMAL that carries a number; integers have no decimals; None for floats."""
    if typed.type.oid == NUMERIC:
        return typed.decimal
    digits = _INTEGER_DIGITS.get(typed.type.oid)
    if digits is None:
        return None
    if isinstance(typed.value, int) and not isinstance(typed.value, bool):
        return len(str(abs(typed.value))), 0
    return digits, 0


def parts_of(value: Decimal) -> tuple[int, int]:
    """(precision, scale) of a literal as PostgreSQL sees it: trailing zeros count, an exponent is spelled out."""
    _sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    scale = max(-exponent, 0)
    whole = max(len(digits) + exponent, 1)
    return min(whole + scale, MAX_PRECISION), min(scale, MAX_PRECISION)


def add_carrier(left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    scale = max(left[1], right[1])
    width = max(left[0] - left[1], right[0] - right[1]) + scale + 1
    return _cap(width, max(left[0], right[0])), scale


def multiply_carrier(left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    scale = left[1] + right[1]
    width = left[0] + right[0]
    if scale >= _INT64_DIGITS:
        return min(width, MAX_PRECISION), scale
    return _cap(width, max(left[0], right[0])), scale


def _cap(width: int, widest: int) -> int:
    if width > _INT64_DIGITS and widest <= _INT64_DIGITS:
        return _INT64_DIGITS
    return min(width, MAX_PRECISION)


def common_carrier(carriers: list[tuple[int, int]]) -> tuple[int, int]:
    """One DECIMAL for the values of several: all their decimals, and as many whole digits as fit (more are 22003)."""
    scale = max(item[1] for item in carriers)
    whole = max(item[0] - item[1] for item in carriers)
    return min(whole + scale, MAX_PRECISION), scale


def is_wide_dividend(carrier: tuple[int, int]) -> bool:
    return carrier[1] == 0 and carrier[0] >= 19


def as_decimal(typed: Typed, carrier: tuple[int, int]) -> exp.Expression:
    if typed.type.oid == NUMERIC and typed.decimal == carrier and not typed.bare:
        return typed.sql
    if typed.type.oid == NUMERIC and typed.decimal is None:
        return call("mere_float_to_decimal", typed.sql, exp.Literal.number(carrier[1]))
    return cast(typed.sql, f"DECIMAL({carrier[0]},{carrier[1]})")


def narrowed(typed: Typed, scale: int) -> Typed:
    """Fewer decimals, so that a product's scale stays in bounds; only quotients and long scales lose digits."""
    carrier = decimal_of(typed)
    assert carrier is not None
    if carrier[1] <= scale:
        return typed
    narrow = (MAX_PRECISION, scale)
    return Typed(as_decimal(typed, narrow), typed.type, typed.marks, narrow, typed.display, typed.minimum_scale)


def product_operands(left: Typed, right: Typed) -> tuple[Typed, Typed]:
    """Both factors, with scales that add up to what a DECIMAL can hold."""
    first, second = decimal_of(left), decimal_of(right)
    assert first is not None and second is not None
    if first[1] + second[1] <= MAX_PRODUCT_SCALE:
        return left, right
    if left.display == QUOTIENT and right.display != QUOTIENT:
        return narrowed(left, max(MAX_PRODUCT_SCALE - second[1], 6)), right
    if right.display == QUOTIENT and left.display != QUOTIENT:
        return left, narrowed(right, max(MAX_PRODUCT_SCALE - first[1], 6))
    half = MAX_PRODUCT_SCALE // 2
    return narrowed(left, half), narrowed(right, half)
