"""The DuckDB text of a slice: its tree, with scans and constants in their places. Pure functions, coordinator process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from mere.plan.nodes import Slice
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
    tree = slice_.tree
    query = with_constants(tree, constants).sql(dialect="duckdb")
    if outputs is not None:
        expressions = ", ".join(
            f"{output.sql(dialect='duckdb')} AS {quote_identifier(f'c{index}')}" for index, output in enumerate(outputs)
        )
        query = f"SELECT {expressions or '1 AS c0'} FROM ({query}) AS mere_result"
    if not scans:
        return query
    # NOT MATERIALIZED: the scan is part of the query around it, so that filters reach the files.
    sources = ", ".join(f"{quote_identifier(name)} AS NOT MATERIALIZED ({sql})" for name, sql in scans.items())
    return f"WITH {sources} {query}" if outputs is not None else f"WITH {sources} SELECT * FROM ({query}) AS mere_result"


def with_constants(tree: exp.Expression, constants: Mapping[str, exp.Expression]) -> exp.Expression:
    """A copy of the tree with every $name replaced, where there are constants; else the tree itself."""
    if not constants:
        return tree
    copy = tree.copy()
    for node in list(copy.find_all(exp.Placeholder, exp.Parameter)):
        value = constants.get(node.name)
        if value is not None:
            node.replace(value.copy())
    return copy
