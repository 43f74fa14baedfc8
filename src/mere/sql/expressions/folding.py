"""Arithmetic on constants at bind time, so that filters compare columns with plain constants. Coordinator process."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from mere.errors import DataError
from mere.sql.expressions.intervals import Interval, add_interval
from mere.sql.expressions.numeric import EXACT
from mere.sql.expressions.typed import Typed
from mere.sql.literals import date_literal, integer_literal, interval_literal, numeric_literal, timestamp_literal
from mere.sql.types import INT2, INT4, INT8, INTEGERS, NUMERIC, type_name

_LIMITS = {INT2: 2**15, INT4: 2**31, INT8: 2**63}


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def fold(name: str, left: Typed, right: Typed, result: int) -> Typed | None:
    """+ - * of exact number constants; None when it is not that simple."""
    first, second = left.value, right.value
    if not _is_number(first) or not _is_number(second) or name not in ("+", "-", "*"):
        return None
    if result in INTEGERS:
        if isinstance(first, int) and isinstance(second, int):
            return _integers(name, first, second, result)
        return None
    if result != NUMERIC:
        return None
    return numeric_literal(_apply(name, Decimal(first), Decimal(second)))  # type: ignore[arg-type]


def _integers(name: str, first: int, second: int, result: int) -> Typed:
    value = first + second if name == "+" else first - second if name == "-" else first * second
    limit = _LIMITS[result]
    if not -limit <= value < limit:
        raise DataError(f"{type_name(result)} out of range", sqlstate="22003")
    return integer_literal(value, result)


def _apply(name: str, first: Decimal, second: Decimal) -> Decimal:
    if name == "+":
        return EXACT.add(first, second)
    return EXACT.subtract(first, second) if name == "-" else EXACT.multiply(first, second)


def fold_times(name: str, left: Typed, right: Typed) -> Typed | None:
    """date, timestamp and interval constants under + and -."""
    first, second = left.value, right.value
    if name == "+" and isinstance(first, Interval) and not isinstance(second, Interval):
        first, second = second, first
    if isinstance(first, Interval) and isinstance(second, Interval):
        other = second if name == "+" else second.negated()
        return interval_literal(
            Interval(first.months + other.months, first.days + other.days, first.micros + other.micros)
        )
    if isinstance(first, dt.datetime):
        moment = first
    elif isinstance(first, dt.date):
        if isinstance(second, int) and not isinstance(second, bool):
            return _shift_days(first, second if name == "+" else -second)
        moment = dt.datetime.combine(first, dt.time(0))
    else:
        return None
    if not isinstance(second, Interval):
        return None
    shifted = add_interval(moment, second if name == "+" else second.negated())
    return timestamp_literal(shifted) if shifted is not None else None


def _shift_days(date: dt.date, days: int) -> Typed | None:
    try:
        return date_literal(date + dt.timedelta(days=days))
    except OverflowError:
        return None
