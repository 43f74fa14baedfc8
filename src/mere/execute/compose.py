"""The DuckDB text of a slice: its tree, with scans and constants in their places. Pure; coordinator process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from mere.plan.nodes import Slice
from mere.sql.bind import duckdb_text
from mere.sql.lexer import quote_identifier


def compose(
    slice_: Slice,
    scans: Mapping[str, str],
    constants: Mapping[str, exp.Expression],
    outputs: Sequence[exp.Expression] | None = None,
) -> str:
    """`scans` gives a SELECT for each scan's name; `constants` a DuckDB constant for each placeholder's name.

    `outputs` are expressions over the slice's columns (by their aliases); None: the columns as they are.
    """
    query = duckdb_text(with_constants(slice_.tree, constants))
    if outputs is None:
        selected = "*"
    else:
        selected = ", ".join(
            f"{duckdb_text(output)} AS {quote_identifier(f'c{index}')}" for index, output in enumerate(outputs)
        )
    query = f"SELECT {selected or '1 AS c0'} FROM ({query}) AS mere_result"
    # NOT MATERIALIZED: the scan is part of the query around it, so that filters reach the files.
    sources = ", ".join(f"{quote_identifier(name)} AS NOT MATERIALIZED ({sql})" for name, sql in scans.items())
    return f"WITH {sources} {query}" if sources else query


def with_constants(tree: exp.Expression, constants: Mapping[str, exp.Expression]) -> exp.Expression:
    """The tree, or a copy of it with every placeholder of a constant replaced."""
    if not constants:
        return tree

    def replace(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Placeholder) and node.this in constants:
            return constants[node.this].copy()
        return node

    return tree.transform(replace)
