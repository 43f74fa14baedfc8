"""What holds for rows that are about to be written: generated columns and CHECK constraints. Coordinator process.

NOT NULL needs nothing here: the writer enforces it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlglot import exp

from mere.execute.compose import with_constants
from mere.segment.credentials import quote
from mere.session.postgres_rows import PostgresRows
from mere.session.state import SessionState
from mere.sql.bind import duckdb_text
from mere.sql.bind.bound import ROWS, BoundCheck, BoundGenerated, BoundInsert, BoundMerge, BoundRule, BoundUpdate
from mere.sql.lexer import quote_identifier
from mere.sql.raised import check_violation
from mere.sql.relations import Relation

Checked = TypeVar("Checked", BoundInsert, BoundUpdate, BoundMerge)


async def with_rule_constants(state: SessionState, bound: Checked) -> Checked:
    """The statement with the values of what in its rules PostgreSQL alone can tell, such as now()."""
    if not bound.rule_constants:
        return bound
    known = await PostgresRows(state.backend).evaluate(bound.rule_constants)
    filled = replace(bound, checks=_filled(bound.checks, known), rule_constants=())
    if not isinstance(filled, BoundInsert):
        return filled
    routes = (
        replace(route, condition=with_constants(route.condition, known), checks=_filled(route.checks, known))
        for route in filled.routes
    )
    return replace(filled, routes=tuple(routes))


def _filled(rules: Sequence[BoundRule], known: Mapping[str, exp.Expression]) -> tuple[BoundRule, ...]:
    return tuple(
        replace(rule, violation=with_constants(rule.violation, known))
        if isinstance(rule, BoundCheck)
        else replace(rule, value=with_constants(rule.value, known))
        for rule in rules
    )


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
