"""Time travel as PostgreSQL gets to see it: AT clauses blanked out, so that it checks the rest. Pure text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mere.sql.distribution import strip_time_travel
from mere.sql.types import INT8, TIMESTAMPTZ

_PARAMETER = re.compile(r"\$(\d{1,5})\Z")
_MOST_PARAMETERS = 65535
_AT = re.compile(r"\bAT\s*\(", re.IGNORECASE)


def without_time_travel(text: str) -> str:
    """The statement for PostgreSQL's analysis; positions stay as they are."""
    return strip_time_travel(text)[0] if _AT.search(text) else text


def parameter_types(text: str, given: Sequence[int]) -> tuple[int, ...]:
    """The types that the client gave to parameters, and those of parameters that AT clauses are, which PostgreSQL does
    not get to see."""
    types = list(given)
    for clause in strip_time_travel(text)[1] if _AT.search(text) else ():
        number = _PARAMETER.match(clause.expression)
        if number is None or int(number[1]) > _MOST_PARAMETERS:
            continue
        place = int(number[1])
        types += [0] * (place - len(types))
        types[place - 1] = types[place - 1] or (INT8 if clause.kind.lower() == "version" else TIMESTAMPTZ)
    return tuple(types)
