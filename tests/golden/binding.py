"""The golden cases of the binder: a PostgreSQL statement and the DuckDB query that it becomes.

A file of `bind/` holds pairs, a statement up to a `;` at a line's end and then its output the same way. To accept new
output after a look at it: `python -m golden.binding` from the tests' directory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mere.sql.bind import BindContext, BoundInsert, BoundSelect, bind, duckdb_text, parse
from mere.sql.relations import Column, Kind, Relation, Resolved
from mere.sql.types import INT4, INT8, TEXT, PgType

DIRECTORY = Path(__file__).parent / "bind"
_ALL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_TYPES = {"int": PgType(INT4), "bigint": PgType(INT8), "text": PgType(TEXT)}


def _table(oid: int, name: str, columns: str, view_sql: str | None = None) -> Relation:
    described = [column.split() for column in columns.split(", ")]
    return Relation(
        oid,
        "public",
        name,
        Kind.VIEW if view_sql else Kind.LAKE,
        tuple(Column(place + 1, name, _TYPES[kind]) for place, (name, kind) in enumerate(described)),
        "owner",
        _ALL,
        view_sql,
    )


TABLES = (
    _table(1, "t", "a int, b text, c int"),
    _table(2, "u", "a int, d int"),
    _table(3, "w", "a int, e int"),
    _table(4, "big", "a bigint, f text"),
    _table(5, "v", "p int, q int", "SELECT t.a AS p, (t.c + 1) AS q FROM public.t WHERE (t.a IS NOT NULL);"),
)
RESOLVED = Resolved({(table.name,): table for table in TABLES}, {5: {("public", "t"): TABLES[0]}})


def output(statement: str) -> str:
    """The DuckDB text of what the statement reads."""
    bound = bind(parse(statement), RESOLVED, BindContext())
    if isinstance(bound, BoundSelect):
        return duckdb_text(bound.tree)
    source = bound.source if isinstance(bound, BoundInsert) else bound.select
    assert source is not None
    return duckdb_text(source.tree)


def cases(file: Path) -> Iterator[tuple[str, str]]:
    """The pairs of a file; lines that begin with -- are comments."""
    lines = [line for line in file.read_text().splitlines() if not line.startswith("--")]
    statements = [part.strip() for part in "\n".join(lines).split(";\n") if part.strip()]
    statements = [statement.removesuffix(";") for statement in statements]
    yield from zip(statements[::2], statements[1::2], strict=True)


def rewrite() -> None:
    for file in sorted(DIRECTORY.glob("*.sql")):
        head = [line for line in file.read_text().splitlines() if line.startswith("--")]
        pairs = [f"{statement};\n{output(statement)};\n" for statement, _ in cases(file)]
        file.write_text("\n".join(["\n".join(head) + "\n", *pairs]))


if __name__ == "__main__":
    rewrite()
