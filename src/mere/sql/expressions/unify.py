"""One type for several expressions: UNION, CASE, VALUES, ARRAY, COALESCE, IN (manual, 10.5). Coordinator process."""

from __future__ import annotations

from collections.abc import Sequence

from mere.sql.expressions.typed import Environment, Typed
from mere.sql.types import PgType


def common_type(items: Sequence[Typed], context: str) -> PgType:
    """select_common_type(): raises DatatypeMismatch '<context> types x and y cannot be matched'."""
    raise NotImplementedError


def unify(items: Sequence[Typed], context: str, env: Environment) -> tuple[Typed, ...]:
    """All items coerced to their common type, and to one DuckDB type (one DECIMAL(p,s) for numerics)."""
    raise NotImplementedError


def unify_columns(branches: Sequence[Sequence[Typed]], context: str, env: Environment) -> tuple[tuple[Typed, ...], ...]:
    """`unify` down each column of the branches of a set operation or the rows of VALUES, in the branches' shape."""
    raise NotImplementedError
