"""Whether two outcomes of one statement are the same, by PostgreSQL's types: exact but for floats and numeric scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from harness.client import Outcome

FLOATS = {700, 701}
NUMERIC = 1700
FLOAT_ARRAYS = {1021, 1022}
NUMERIC_ARRAY = 1231
FIRST_USER_OID = 16384
# avg, division and the like have more digits in PostgreSQL than a DECIMAL(38, s) column can carry.
DIGITS_THAT_COUNT = 6
Row = tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`difference` is None when they agree; `scale_only` when numerics agree by value but not by their digits."""

    difference: str | None
    scale_only: bool = False


def compare(expected: Outcome, actual: Outcome, ordered: bool) -> Verdict:
    """PostgreSQL's outcome against Mere's."""
    if expected.sqlstate != actual.sqlstate:
        return Verdict(f"SQLSTATE {_error(expected)} -> {_error(actual)}")
    if expected.sqlstate is not None:
        return Verdict(None)
    if expected.tag != actual.tag:
        return Verdict(f"tag {expected.tag!r} -> {actual.tag!r}")
    if expected.names != actual.names:
        return Verdict(f"names {expected.names} -> {actual.names}")
    if [_builtin(oid) for oid in expected.type_oids] != [_builtin(oid) for oid in actual.type_oids]:
        return Verdict(f"types {expected.type_oids} -> {actual.type_oids}")
    if expected.copied != actual.copied and not _same_lines(expected.copied, actual.copied, ordered):
        return Verdict(f"copied {expected.copied[:300]!r} -> {actual.copied[:300]!r}")
    modifiers = _modifiers(expected), _modifiers(actual)
    if modifiers[0] != modifiers[1]:
        return Verdict(f"type modifiers {modifiers[0]} -> {modifiers[1]}")
    return compare_rows(expected.rows, actual.rows, expected.type_oids, ordered)


def compare_rows(expected: list[Row], actual: list[Row], oids: Sequence[int], ordered: bool) -> Verdict:
    """The rows as text."""
    if len(expected) != len(actual):
        return Verdict(f"{len(expected)} rows -> {len(actual)} rows")
    if not ordered:
        expected, actual = sorted(expected, key=_sort_key), sorted(actual, key=_sort_key)
    scale_only = False
    for left_row, right_row in zip(expected, actual, strict=True):
        for left, right, oid in zip(left_row, right_row, oids, strict=True):
            if left == right:
                continue
            if left is None or right is None or not _same_value(left, right, oid):
                return Verdict(f"row {_show(left_row)} -> {_show(right_row)}")
            scale_only = scale_only or oid in (NUMERIC, NUMERIC_ARRAY)
    return Verdict(None, scale_only)


def _builtin(oid: int) -> int:
    return min(oid, FIRST_USER_OID)


def _modifiers(outcome: Outcome) -> list[int]:
    return [
        -1 if oid in (NUMERIC, NUMERIC_ARRAY) else modifier
        for oid, modifier in zip(outcome.type_oids, outcome.modifiers, strict=True)
    ]


def _same_lines(expected: bytes, actual: bytes, ordered: bool) -> bool:
    return not ordered and sorted(expected.splitlines()) == sorted(actual.splitlines())


def _sort_key(row: Row) -> tuple[tuple[bool, bytes], ...]:
    return tuple((value is None, _canonical(value)) for value in row)


def _canonical(value: bytes | None) -> bytes:
    """Digits after the point that carry nothing must not decide the order."""
    if value is None:
        return b""
    head, point, tail = value.partition(b".")
    if point and tail.isdigit() and head.lstrip(b"-").isdigit():
        return head + b"." + tail.rstrip(b"0")[:DIGITS_THAT_COUNT]
    return value


def _same_value(left: bytes, right: bytes, oid: int) -> bool:
    if oid in FLOATS:
        return _same_float(left, right, 1e-5 if oid == 700 else 1e-12)
    if oid == NUMERIC:
        return _same_numeric(left, right)
    if oid in FLOAT_ARRAYS or oid == NUMERIC_ARRAY:
        lefts, rights = left.strip(b"{}").split(b","), right.strip(b"{}").split(b",")
        element = NUMERIC if oid == NUMERIC_ARRAY else 701
        return len(lefts) == len(rights) and all(
            one == two or _same_value(one, two, element) for one, two in zip(lefts, rights, strict=True)
        )
    return False


def _same_float(left: bytes, right: bytes, tolerance: float) -> bool:
    try:
        return math.isclose(float(left), float(right), rel_tol=tolerance, abs_tol=1e-300)
    except ValueError:
        return False


def _same_numeric(left: bytes, right: bytes) -> bool:
    try:
        one, two = Decimal(left.decode()), Decimal(right.decode())
    except InvalidOperation:
        return False
    if one == two:
        return True
    if not (one.is_finite() and two.is_finite()):
        return False
    scale = min(_scale(one), _scale(two))
    if scale < DIGITS_THAT_COUNT:
        return False
    # Logarithms, powers, roots and what passes 38 digits are a double's work on a segment.
    return abs(one - two) <= max(Decimal(1).scaleb(-scale), abs(one) * Decimal("1e-14"))


def _scale(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _error(outcome: Outcome) -> str:
    return "none" if outcome.sqlstate is None else f"{outcome.sqlstate} ({outcome.message[:160]})"


def _show(row: Row) -> str:
    return "(" + ", ".join("NULL" if value is None else value.decode(errors="replace")[:80] for value in row) + ")"
