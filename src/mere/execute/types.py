"""Asks an engine for the types of a query's columns, without data: the planner's `Types`. Coordinator process.

Every table that the query names is a CTE of one row of typed NULLs around it, so nothing is created or kept. A DESCRIBE
binds and does not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlglot import exp

from mere.plan.nodes import MotionColumn
from mere.sql.bind import Constant, Scan, duckdb_text
from mere.sql.lexer import quote_identifier
from mere.sql.types import duckdb_type

Ask = Callable[[str], Sequence[Sequence[object]]]


class EngineTypes:
    """`ask` runs one statement on a DuckDB with the segments' settings and macros, and gives its rows."""

    def __init__(self, ask: Ask, scans: Iterable[Scan], constants: Iterable[Constant] = ()) -> None:
        self._ask = ask
        self._scans = {scan.name: _nulls(scan_columns(scan)) for scan in scans}
        self._constants = {constant.name: duckdb_type(constant.type) or "VARCHAR" for constant in constants}

    def __call__(
        self, tree: exp.Expression, tables: Mapping[str, tuple[MotionColumn, ...]], text: str | None = None
    ) -> tuple[MotionColumn, ...]:
        named = {table.name for table in tree.find_all(exp.Table)}
        known = {name: text for name, text in self._scans.items() if name in named}
        known |= {name: _nulls(columns) for name, columns in tables.items() if name in named}
        sources = ", ".join(f"{quote_identifier(name)} AS ({text})" for name, text in known.items())
        typed = self._typed(tree)
        shown = text if text is not None and typed is tree else duckdb_text(typed)
        query = f"{f'WITH {sources} ' if sources else ''}SELECT * FROM ({shown}) AS described"
        return tuple(MotionColumn(str(row[0]), str(row[1])) for row in self._ask(f"DESCRIBE {query}"))

    def _typed(self, tree: exp.Expression) -> exp.Expression:
        """The tree with a typed NULL for every constant; other placeholders are integers that the dispatcher fills."""
        if tree.find(exp.Placeholder) is None:
            return tree

        def replace(node: exp.Expression) -> exp.Expression:
            if not isinstance(node, exp.Placeholder):
                return node
            return exp.Cast(this=exp.Null(), to=exp.DataType.build(self._constants.get(node.name, "INTEGER"), "duckdb"))

        return tree.transform(replace)


def scan_columns(scan: Scan) -> tuple[MotionColumn, ...]:
    """What a scan's table has in a slice, at least one column: a bare count(*) reads none."""
    columns = [MotionColumn(column.name, duckdb_type(column.type) or "VARCHAR") for column in scan.columns]
    if scan.row_identity:
        columns += [MotionColumn("mere_file", "VARCHAR"), MotionColumn("mere_pos", "BIGINT")]
    return tuple(columns) or (MotionColumn("mere_nothing", "INTEGER"),)


def _nulls(columns: Sequence[MotionColumn]) -> str:
    return "SELECT " + ", ".join(f"NULL::{column.duckdb_type} AS {quote_identifier(column.name)}" for column in columns)
