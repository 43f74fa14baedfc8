"""Which relations a statement names, for the session to look up: every table name that no WITH query hides.

Lives in the gateway's process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.sql.bind.from_item import table_name
from mere.sql.bind.scope import Name, identifier_name


def relation_names(tree: exp.Expression) -> tuple[Name, ...]:
    """In order of appearance, without repetition, folded. Names inside views are not among them."""
    found: dict[Name, None] = {}
    _collect(tree, frozenset(), found)
    return tuple(found)


def _collect(node: exp.Expression, hidden: frozenset[str], found: dict[Name, None]) -> None:
    clause = node.args.get("with_")
    if clause is not None:
        names = [identifier_name(table.args["alias"].this) for table in clause.expressions]
        for place, table in enumerate(clause.expressions):
            visible = names if clause.args.get("recursive") else names[:place]
            _collect(table.this, hidden | frozenset(visible), found)
        hidden = hidden | frozenset(names)
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        name = table_name(node)
        if len(name) > 1 or name[0] not in hidden:
            found[name] = None
    for key, value in node.args.items():
        if key == "with_":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expression):
                _collect(child, hidden, found)
