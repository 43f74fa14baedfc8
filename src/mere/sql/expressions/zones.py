"""Time zone names: PostgreSQL's spellings as the engine's calendar library knows them. Coordinator process."""

from __future__ import annotations

import re

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.expressions.build import string

# A bare offset is a POSIX zone: it counts west of Greenwich. <+05:30>-05:30 is how SET TIME ZONE 5.5 is shown.
_OFFSET = re.compile(r"(?:<[^>]*>|[A-Za-z]{0,5})([+-]?)(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?")


def offset_seconds(name: str) -> int | None:
    """Seconds east of Greenwich of a zone that is written as an offset; None for a zone with a name."""
    match = _OFFSET.fullmatch(name.strip())
    if match is None:
        return None
    sign, hours, minutes, seconds = match.groups()
    total = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return total if sign == "-" else -total


def engine_zone(name: str) -> str:
    """The zone's name in the engine: whole hours are Etc/GMT zones there, other offsets have none."""
    seconds = offset_seconds(name)
    if seconds is None:
        return name
    if seconds % 3600 or not -12 * 3600 <= seconds <= 14 * 3600:
        raise FeatureNotSupported(f'time zone "{name}" is not supported over lake data: use a zone with a name')
    hours = -seconds // 3600
    return "Etc/GMT" if hours == 0 else f"Etc/GMT{hours:+d}"


def zone(name: str) -> exp.Expression:
    return string(engine_zone(name))
