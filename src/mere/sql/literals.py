"""Constants: PostgreSQL's text of a value to a DuckDB literal. Coordinator process."""

from __future__ import annotations

from mere.sql.expressions.typed import Typed
from mere.sql.types import PgType


def literal(text: str | None, pg_type: PgType) -> Typed:
    """A value as PostgreSQL printed it (DateStyle ISO, IntervalStyle postgres) as a DuckDB constant of that type.

    Used for parameters and for what `Environment.constant` had evaluated; never raises for valid output text.
    """
    raise NotImplementedError
