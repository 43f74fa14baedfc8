"""What holds for rows that are about to be written: generated columns and CHECK constraints. Coordinator process.

NOT NULL needs nothing here: the writer enforces it.
"""

from __future__ import annotations

from collections.abc import Sequence

from mere.segment.credentials import quote
from mere.sql.bind import duckdb_text
from mere.sql.bind.bound import ROWS, BoundCheck, BoundGenerated, BoundInsert, BoundMerge, BoundRule, BoundUpdate
from mere.sql.lexer import quote_identifier
from mere.sql.raised import check_violation
from mere.sql.relations import Relation


def checked_query(bound: BoundInsert | BoundUpdate | BoundMerge, query: str) -> str:
    """The query, which gives the table's columns, with generated ones computed, failing with 23514 at the first row
    that breaks a constraint."""
    return with_checks(bound.relation, bound.checks, query)


def with_checks(relation: Relation, rules: Sequence[BoundRule], query: str) -> str:
    computed = [rule for rule in rules if isinstance(rule, BoundGenerated)]
    if computed:
        values = (f"{duckdb_text(rule.value)} AS {quote_identifier(rule.column.name)}" for rule in computed)
        query = f"SELECT * REPLACE ({', '.join(values)}) FROM ({query}) AS {ROWS}"
    checks = [rule for rule in rules if isinstance(rule, BoundCheck)]
    if not checks:
        return query
    branches = " ".join(
        f"WHEN {duckdb_text(check.violation)} THEN error({quote(check_violation(relation, check.name))})"
        for check in checks
    )
    # error() gives no value that the filter could drop a row by; the condition holds for every row that is right.
    return f"SELECT * FROM ({query}) AS {ROWS} WHERE CASE {branches} ELSE true END"
