"""Time travel as PostgreSQL gets to see it: AT clauses blanked out, so that it checks the rest. Pure text."""

from __future__ import annotations

import re

from mere.sql.distribution import strip_time_travel

_AT = re.compile(r"\bAT\s*\(", re.IGNORECASE)


def without_time_travel(text: str) -> str:
    """The statement for PostgreSQL's analysis; positions stay as they are."""
    return strip_time_travel(text)[0] if _AT.search(text) else text
