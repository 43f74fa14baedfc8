"""From a bound tree to the text that DuckDB runs.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generators.duckdb import DuckDBGenerator

from mere.errors import MereError
from mere.sql.bind.bound import Constant
from mere.sql.literals import literal


class MereDuckDBGenerator(DuckDBGenerator):
    """DuckDB's text with every NULLS FIRST or LAST said, whatever the engine's default is."""

    def ordered_sql(self, expression: exp.Ordered) -> str:
        direction = " DESC" if expression.args.get("desc") else " ASC"
        nulls = expression.args.get("nulls_first")
        if nulls is None:
            return f"{self.sql(expression, 'this')}{direction}"
        return f"{self.sql(expression, 'this')}{direction} NULLS {'FIRST' if nulls else 'LAST'}"


class MereDuckDB(DuckDB):
    Generator = MereDuckDBGenerator


def duckdb_text(tree: exp.Expression) -> str:
    """The query as DuckDB reads it."""
    try:
        return tree.sql(dialect=MereDuckDB)
    except RecursionError as error:
        raise MereError("stack depth limit exceeded", sqlstate="54001") from error


def fill_constants(tree: exp.Expression, constants: Mapping[Constant, str | None]) -> exp.Expression:
    """The tree with PostgreSQL's answers (as text) in place of the placeholders."""
    values = {constant.name: literal(text, constant.type).sql for constant, text in constants.items()}

    def replace(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Placeholder) and node.this in values:
            return values[node.this].copy()
        return node

    return tree.transform(replace)
