"""How an error that a query raises by DuckDB's error() carries PostgreSQL's fields in its text. Pure; coordinator and
segments.

The text is `SQLSTATE:message`, then one piece for each further field: a separator that no name holds, the field's
one-letter code in the protocol, its value.
"""

from __future__ import annotations

from mere.sql.relations import Relation

BOUNDS = ""  # the name of the check that a row is within its partition's bounds
_SEPARATOR = "\x1f"
_FIELDS = {"s": "schema", "t": "table", "c": "column", "n": "constraint"}


def raised_text(
    sqlstate: str,
    message: str,
    *,
    schema: str | None = None,
    table: str | None = None,
    column: str | None = None,
    constraint: str | None = None,
) -> str:
    values = {"s": schema, "t": table, "c": column, "n": constraint}
    return f"{sqlstate}:{message}" + "".join(f"{_SEPARATOR}{code}{value}" for code, value in values.items() if value)


def read_raised(text: str) -> tuple[str, dict[str, str]]:
    """The message and the fields, by their names in `MereError`, of a text behind its SQLSTATE."""
    message, *pieces = text.split(_SEPARATOR)
    return message, {_FIELDS[piece[0]]: piece[1:] for piece in pieces if piece[:1] in _FIELDS}


def check_violation(relation: Relation, check: str) -> str:
    """A row that a CHECK constraint, or a partition's bounds, forbid."""
    if check == BOUNDS:
        message = f'new row for relation "{relation.name}" violates partition constraint'
        if relation.moves:
            message = "UPDATE that moves a row to another partition is not supported: delete it and insert it"
        return raised_text("0A000" if relation.moves else "23514", message, schema=relation.schema, table=relation.name)
    message = f'new row for relation "{relation.name}" violates check constraint "{check}"'
    return raised_text("23514", message, schema=relation.schema, table=relation.name, constraint=check)
