"""The DuckDB text of a slice: its tree, with scans and constants in their places. Pure; coordinator process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from mere.plan.nodes import Slice
from mere.sql.bind import duckdb_text
from mere.sql.lexer import quote_identifier


class Body:
    """A slice's query over its scans' names. Its text is made once, and kept where no constant stands in it.

    `outputs` are expressions over the slice's columns (by their aliases); None: the columns as they are.
    """

    def __init__(self, slice_: Slice, outputs: Sequence[exp.Expression] | None = None) -> None:
        self.slice = slice_
        self._outputs = outputs
        self._text: str | None = None

    def text(self, scans: Mapping[str, str], constants: Mapping[str, exp.Expression]) -> str:
        """`scans` gives a SELECT for each scan's name; `constants` a DuckDB constant for each placeholder's name."""
        if constants:
            body = self._write(constants)
        else:
            body = self._text = self._text or self._write(constants)
        # NOT MATERIALIZED: the scan is part of the query around it, so that filters reach the files.
        sources = ", ".join(f"{quote_identifier(name)} AS NOT MATERIALIZED ({sql})" for name, sql in scans.items())
        return f"WITH {sources} {body}" if sources else body

    def _write(self, constants: Mapping[str, exp.Expression]) -> str:
        query = duckdb_text(with_constants(self.slice.tree, constants))
        if self._outputs is None:
            selected = "*"
        else:
            selected = ", ".join(
                f"{duckdb_text(output)} AS {quote_identifier(f'c{index}')}"
                for index, output in enumerate(self._outputs)
            )
        return f"SELECT {selected or '1 AS c0'} FROM ({query}) AS mere_result"


def with_constants(tree: exp.Expression, constants: Mapping[str, exp.Expression]) -> exp.Expression:
    """The tree, or a copy of it with every placeholder of a constant replaced."""
    if not constants:
        return tree

    def replace(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Placeholder) and node.this in constants:
            return constants[node.this].copy()
        return node

    return tree.transform(replace)
