"""The DuckDB text of a slice: its tree, with scans and constants in their places. Pure; coordinator process."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from uuid import uuid4

from sqlglot import exp

from mere.lake.columns import quote_literal
from mere.plan.nodes import Slice
from mere.sql.bind import duckdb_text
from mere.sql.bind.bound import PARAMETER
from mere.sql.lexer import quote_identifier

_GAP = f"mere_gap_{uuid4().hex}_"  # not to be found in any text of a user's
_PLAIN_TYPES = frozenset({"SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DATE", "TIME", "TIMESTAMP", "UUID"})


class Body:
    """A slice's query over its scans' names. Its text is made once, and kept, with gaps for parameters, where no other
    constant stands in it.

    `outputs` are expressions over the slice's columns (by their aliases); None: the columns as they are.
    """

    def __init__(self, slice_: Slice, outputs: Sequence[exp.Expression] | None = None) -> None:
        self.slice = slice_
        self._outputs = outputs
        self._text: str | None = None
        self._pieces: list[str] | None = None  # by turns text, and the name of the parameter that follows

    def text(self, scans: Mapping[str, str], constants: Mapping[str, exp.Expression]) -> str:
        """`scans` gives a SELECT for each scan's name; `constants` a DuckDB constant for each placeholder's name."""
        if constants and all(name.startswith(PARAMETER) for name in constants):
            body = self._fill(constants)
        elif constants:
            body = self._write(constants)
        else:
            body = self._text = self._text or self._write(constants)
        # NOT MATERIALIZED: the scan is part of the query around it, so that filters reach the files.
        sources = ", ".join(f"{quote_identifier(name)} AS NOT MATERIALIZED ({sql})" for name, sql in scans.items())
        return f"WITH {sources} {body}" if sources else body

    def _fill(self, parameters: Mapping[str, exp.Expression]) -> str:
        if self._pieces is None:
            gaps = {name: exp.column(exp.to_identifier(f"{_GAP}{name}", quoted=True)) for name in parameters}
            self._pieces = re.split(f'"{_GAP}([a-z_0-9]+)"', self._write(gaps))
        # In parentheses: -5 after a minus sign would begin a comment.
        return "".join(
            f"({_value_text(parameters[piece])})" if place % 2 else piece for place, piece in enumerate(self._pieces)
        )

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


def _value_text(node: exp.Expression) -> str:
    """As `duckdb_text`, at once for the commonest values: this is done for each execution."""
    if isinstance(node, exp.Literal):
        return quote_literal(node.name) if node.is_string else node.name
    if isinstance(node, exp.Paren | exp.Neg) and isinstance(node.this, exp.Neg | exp.Literal):
        inner = _value_text(node.this)
        return f"({inner})" if isinstance(node, exp.Paren) else f"-{inner}"
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
        kind = node.to.args.get("kind")  # of a type in the engine's own words
        if isinstance(kind, str) and kind in _PLAIN_TYPES:
            return f"CAST({_value_text(node.this)} AS {kind})"
    return duckdb_text(node)


def with_constants(tree: exp.Expression, constants: Mapping[str, exp.Expression]) -> exp.Expression:
    """The tree, or a copy of it with every placeholder of a constant replaced."""
    if not constants:
        return tree
    if isinstance(tree, exp.Placeholder):  # a predicate's value, for each execution
        return constants[tree.this].copy() if tree.this in constants else tree

    def replace(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Placeholder) and node.this in constants:
            return constants[node.this].copy()
        return node

    return tree.transform(replace)
