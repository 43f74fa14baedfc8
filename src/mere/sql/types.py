"""PostgreSQL's types as Mere knows them: oid, modifier, category, and the DuckDB type that stores each.

Owns no conversion of values. Pure data, used by the binder, the catalog and the wire encoder.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PgType:
    """A type as in pg_type with its modifier (-1: none). Equality is (oid, typmod)."""

    oid: int
    typmod: int = -1
