"""Names of unaliased output columns, as parse_target.c's FigureColname gives them. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.sql.grammar.nodes import Call
from mere.sql.grammar.type_names import parse_type
from mere.sql.types import TYPES, element_of

_FALLBACK = "?column?"


def figure_name(node: exp.Expression) -> str:
    """The column name PostgreSQL gives to this expression in a select list: 'sum', 'case', '?column?' ..."""
    return _figure(node)[0] or _FALLBACK


def _figure(node: exp.Expression) -> tuple[str, int]:
    """A name and its strength: 2 for a real name, 1 for a type's or a keyword's, 0 for none."""
    if isinstance(node, exp.Column):
        return (node.name, 2) if not isinstance(node.this, exp.Star) else ("", 0)
    if isinstance(node, exp.Dot):
        return node.expression.name, 2
    if isinstance(node, Call):
        return (node.name, 1) if node.name == "grouping" else (_CALL_NAMES.get(node.name, node.name), 2)
    if isinstance(node, exp.Window | exp.Filter | exp.WithinGroup | exp.Paren | exp.Collate | exp.Bracket):
        return _figure(node.this)
    if isinstance(node, exp.Cast):
        inner, strength = _figure(node.this)
        return (inner, strength) if strength > 1 else (_type_label(node.args["to"].args["kind"]), 1)
    if isinstance(node, exp.Case):
        default = node.args.get("default")
        inner, strength = _figure(default) if default is not None else ("", 0)
        return (inner, strength) if strength > 1 else ("case", 1)
    if isinstance(node, exp.Subquery | exp.Query):
        return _query_name(node)
    for kind, name in _KINDS:
        if isinstance(node, kind):
            return name, 2
    return "", 0


_CALL_NAMES = {"user": "user", "pg_collation_for": "pg_collation_for"}
_KINDS: tuple[tuple[type[exp.Expression], str], ...] = (
    (exp.Array, "array"),
    (exp.Tuple, "row"),
    (exp.Exists, "exists"),
)


def _query_name(node: exp.Expression) -> tuple[str, int]:
    query = node
    while isinstance(query, exp.Subquery):
        query = query.this
    if isinstance(query, exp.SetOperation):
        return _query_name(query.this)
    if not isinstance(query, exp.Select) or not query.expressions:
        return "", 0
    first = query.expressions[0]
    if isinstance(first, exp.Alias):
        return first.alias, 2
    return _figure(first)


def _type_label(kind: str) -> str:
    """A cast is named after pg_type.typname, without array brackets."""
    oid = parse_type(kind).oid
    return TYPES[element_of(oid) or oid].name
