"""The table of a COPY ... FROM: an INSERT whose rows come from elsewhere. Coordinator process.

The binder sees an INSERT of NULLs, and so finds the columns, their defaults, the constraints, and what is forbidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mere.errors import FeatureNotSupported, SqlSyntaxError
from mere.execute.compose import with_constants
from mere.execute.scans import LakeView
from mere.segment.copy_sql import InputColumn
from mere.session.analysis import analyse
from mere.session.checks import with_rule_constants
from mere.session.postgres_rows import PostgresRows
from mere.session.select import lake_view
from mere.session.state import Parameters, SessionState
from mere.session.write import require_writable
from mere.sql.bind import duckdb_text
from mere.sql.bind.bound import BoundInsert
from mere.sql.copy_command import Copy
from mere.sql.lexer import quote_identifier, split
from mere.sql.relations import Kind


@dataclass(frozen=True, slots=True)
class CopyTarget:
    """`columns` are those that the input has, in its order; `computed` gives DuckDB's text of each default that needs
    nothing but DuckDB."""

    bound: BoundInsert
    view: LakeView
    columns: tuple[InputColumn, ...]
    computed: Mapping[str, str]

    def complete(self, select: str) -> str:
        """A query of `bound.given`, from a query of the input's columns."""
        if not self.computed:
            return select
        defaults = ", ".join(f"{value} AS {quote_identifier(name)}" for name, value in self.computed.items())
        return f"SELECT *, {defaults} FROM ({select}) AS mere_input"


async def copy_target(state: SessionState, command: Copy) -> CopyTarget:
    """Opens a transaction, locks the table and checks that the user may insert."""
    if command.where is not None:
        raise FeatureNotSupported("COPY ... WHERE is not supported for lake tables")
    assert command.target is not None
    await state.transaction.ensure()
    name = ".".join(map(quote_identifier, command.target))
    columns = await _columns(state, name, command.columns)
    listed = ", ".join(map(quote_identifier, columns))
    nulls = ", ".join("NULL" for _ in columns)
    text = f"INSERT INTO {name} ({listed}) OVERRIDING SYSTEM VALUE SELECT {nulls}"
    analysis = await analyse(state, split(text)[0])
    require_writable(analysis, "COPY FROM")
    bound = analysis.bind(Parameters())
    assert isinstance(bound, BoundInsert)
    if bound.relation.kind is Kind.POSTGRES:
        raise FeatureNotSupported("COPY between object storage and PostgreSQL tables is not supported")
    given = tuple(InputColumn(column.name, column.type) for column in bound.given[: len(columns)])
    computed = await _computed(state, bound, len(columns))
    bound = await with_rule_constants(state, bound)
    return CopyTarget(bound, lake_view(state, analysis.snapshot), given, computed)


async def _computed(state: SessionState, bound: BoundInsert, given: int) -> dict[str, str]:
    """What the binder has put behind the columns of the INSERT's own query."""
    assert bound.source is not None
    outputs = bound.source.tree.expressions[given:]
    constants = bound.source.constants
    known = await PostgresRows(state.backend).evaluate(constants) if outputs and constants else {}
    texts = [duckdb_text(with_constants(output.unalias(), known)) for output in outputs]
    return {column.name: text for column, text in zip(bound.given[given:], texts, strict=True)}


async def _columns(state: SessionState, name: str, named: tuple[str, ...]) -> tuple[str, ...]:
    """Those that the command names, or all; generated ones come from nobody."""
    rows = await state.backend.fetch(
        "SELECT attname, attgenerated FROM pg_catalog.pg_attribute"
        " WHERE attrelid = $1::text::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [name],
    )
    generated = {row[0] for row in rows if row[1]}
    for column in named:
        if column in generated:
            detail = "Generated columns cannot be used in COPY."
            raise SqlSyntaxError(f'column "{column}" is a generated column', sqlstate="42P10", detail=detail)
    return named or tuple(row[0] or "" for row in rows if row[0] not in generated)
