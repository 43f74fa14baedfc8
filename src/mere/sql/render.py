"""Output: the DuckDB expression that yields PostgreSQL's text of a value. Coordinator process."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from mere.sql.expressions.typed import Typed


@dataclass(frozen=True, slots=True)
class SessionFormat:
    """The session's settings that change how values are printed."""

    time_zone: str = "UTC"
    date_style: str = "ISO, MDY"
    interval_style: str = "postgres"
    bytea_output: str = "hex"
    extra_float_digits: int = 1


def render_text(typed: Typed, fmt: SessionFormat) -> exp.Expression:
    """A VARCHAR expression with the value's text as PostgreSQL prints it; NULL stays NULL."""
    raise NotImplementedError
