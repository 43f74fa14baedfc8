"""Constants of date and time types, and their arithmetic at bind time, so that filters compare plain columns with
plain constants. Coordinator process."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from mere.sql.types import INTERVAL_FULL_RANGE

_MICROSECONDS = 1_000_000
_UNITS: dict[str, tuple[str, int]] = {
    "microsecond": ("micros", 1),
    "us": ("micros", 1),
    "millisecond": ("micros", 1000),
    "ms": ("micros", 1000),
    "second": ("micros", _MICROSECONDS),
    "sec": ("micros", _MICROSECONDS),
    "s": ("micros", _MICROSECONDS),
    "minute": ("micros", 60 * _MICROSECONDS),
    "min": ("micros", 60 * _MICROSECONDS),
    "m": ("micros", 60 * _MICROSECONDS),
    "hour": ("micros", 3600 * _MICROSECONDS),
    "hr": ("micros", 3600 * _MICROSECONDS),
    "h": ("micros", 3600 * _MICROSECONDS),
    "day": ("days", 1),
    "d": ("days", 1),
    "week": ("days", 7),
    "w": ("days", 7),
    "month": ("months", 1),
    "mon": ("months", 1),
    "year": ("months", 12),
    "yr": ("months", 12),
    "y": ("months", 12),
    "decade": ("months", 120),
    "century": ("months", 1200),
}
# interval typmod field mask of one field -> its unit: INTERVAL '90' day
_FIELD_UNITS = {1 << 2: "year", 1 << 1: "month", 1 << 3: "day", 1 << 10: "hour", 1 << 11: "minute", 1 << 12: "second"}
_PART = re.compile(r"([+-]?\d+)\s*([a-z]+)\s*")
_CLOCK = re.compile(r"([+-]?)(\d{1,4}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?\s*")


@dataclass(frozen=True, slots=True)
class Interval:
    """PostgreSQL's three parts, kept apart as it keeps them."""

    months: int
    days: int
    micros: int

    def duckdb_text(self) -> str:
        parts = []
        if self.months:
            parts.append(f"{self.months} months")
        if self.days:
            parts.append(f"{self.days} days")
        if self.micros or not parts:
            parts.append(f"{self.micros} microseconds")
        return " ".join(parts)

    def negated(self) -> Interval:
        return Interval(-self.months, -self.days, -self.micros)


def parse_interval(text: str, typmod: int = -1) -> Interval | None:
    """The common spellings; None for the rest, which PostgreSQL itself reads."""
    rest = text.strip().lower()
    mask = INTERVAL_FULL_RANGE if typmod < 0 else (typmod >> 16) & 0x7FFF
    if typmod >= 0 and typmod & 0xFFFF != 0xFFFF:
        return None
    if mask != INTERVAL_FULL_RANGE:
        unit = _FIELD_UNITS.get(mask)
        if unit is None or not re.fullmatch(r"[+-]?\d+", rest):
            return None
        rest += unit
    totals = {"months": 0, "days": 0, "micros": 0}
    position, found = 0, False
    while position < len(rest):
        clock = _CLOCK.match(rest, position)
        if clock is not None:
            totals["micros"] += _clock_micros(clock)
            position, found = clock.end(), True
            continue
        part = _PART.match(rest, position)
        if part is None:
            return None
        word = part.group(2)
        unit_of = _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))
        if unit_of is None:
            return None
        totals[unit_of[0]] += int(part.group(1)) * unit_of[1]
        position, found = part.end(), True
    return Interval(totals["months"], totals["days"], totals["micros"]) if found else None


def _clock_micros(clock: re.Match[str]) -> int:
    sign, hours, minutes, seconds, fraction = clock.groups()
    total = (int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)) * _MICROSECONDS
    total += int((fraction or "").ljust(6, "0"))
    return -total if sign == "-" else total


_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_TIMESTAMP = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?")


def parse_date(text: str) -> dt.date | None:
    """An ISO date; None for every other spelling and for dates that do not exist."""
    match = _DATE.fullmatch(text.strip())
    return _date(match) if match is not None else None


def _date(match: re.Match[str]) -> dt.date | None:
    try:
        return dt.date(int(match.group(1)), int(match.group(2)), int(match.group(3)))
    except ValueError:
        return None


def parse_timestamp(text: str) -> dt.datetime | None:
    match = _TIMESTAMP.fullmatch(text.strip())
    if match is None:
        return None
    date = _date(match)
    if date is None:
        return None
    hour, minute, second, fraction = match.groups()[3:]
    try:
        clock = dt.time(int(hour or 0), int(minute or 0), int(second or 0), int((fraction or "").ljust(6, "0") or 0))
    except ValueError:
        return None
    return dt.datetime.combine(date, clock)


def add_interval(moment: dt.datetime, interval: Interval) -> dt.datetime | None:
    """timestamp + interval: months first, the day clamped to the month's end, then days, then time."""
    month_index = moment.year * 12 + moment.month - 1 + interval.months
    year, month = divmod(month_index, 12)
    if not 1 <= year <= 9998:
        return None
    day = min(moment.day, _month_days(year, month + 1))
    shifted = moment.replace(year=year, month=month + 1, day=day)
    try:
        return shifted + dt.timedelta(days=interval.days, microseconds=interval.micros)
    except OverflowError:
        return None


def _month_days(year: int, month: int) -> int:
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return (following - dt.timedelta(days=1)).day
