"""DuckDB constant expressions read as text, for pruning. Pure functions, coordinator process."""

from __future__ import annotations

from sqlglot import exp


def constant_text(node: exp.Expression) -> str | None:
    """The text of a literal, perhaps negated, in parentheses or cast; None for anything else (NULL too)."""
    match node:
        case exp.Paren():
            return constant_text(node.this)
        case exp.Cast():
            return constant_text(node.this)
        case exp.Neg():
            inner = constant_text(node.this)
            return None if inner is None else f"-{inner}"
        case exp.Literal():
            return str(node.this)
        case exp.Boolean():
            return "true" if node.this else "false"
    return None
