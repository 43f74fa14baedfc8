"""Casts: which PostgreSQL allows where, and what DuckDB expression does each. Coordinator process."""

from __future__ import annotations

from mere.sql.expressions.typed import Coercion, Environment, Typed
from mere.sql.types import PgType


def coerce(typed: Typed, target: PgType, how: Coercion, env: Environment, column: str | None = None) -> Typed:
    """The value as `target`, or DatatypeMismatch 42804 ('column "x" is of type a but expression is of type b' when
    `column` is given, for INSERT and UPDATE) or 42846 'cannot cast type a to b'."""
    raise NotImplementedError


def to_boolean(typed: Typed, context: str, env: Environment) -> Typed:
    """For WHERE, HAVING, JOIN/ON, FILTER: 42804 'argument of WHERE must be type boolean, not type integer'."""
    raise NotImplementedError
