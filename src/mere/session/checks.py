"""CHECK constraints on rows that are about to be written. Lives in the coordinator process.

NOT NULL needs nothing here: the writer enforces it.
"""

from __future__ import annotations

from collections.abc import Sequence

from mere.segment.credentials import quote
from mere.sql.bind import duckdb_text
from mere.sql.bind.bound import ROWS, BoundCheck, BoundInsert, BoundMerge, BoundUpdate
from mere.sql.raised import check_violation
from mere.sql.relations import Relation


def checked_query(bound: BoundInsert | BoundUpdate | BoundMerge, query: str) -> str:
    """The query, which gives the table's columns, failing with 23514 at the first row that breaks a constraint."""
    return with_checks(bound.relation, bound.checks, query)


def with_checks(relation: Relation, checks: Sequence[BoundCheck], query: str) -> str:
    if not checks:
        return query
    branches = " ".join(
        f"WHEN {duckdb_text(check.violation)} THEN error({quote(check_violation(relation, check.name))})"
        for check in checks
    )
    # error() gives no value that the filter could drop a row by; the condition holds for every row that is right.
    return f"SELECT * FROM ({query}) AS {ROWS} WHERE CASE {branches} ELSE true END"
