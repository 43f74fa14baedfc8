"""The table of a COPY ... FROM: an INSERT whose rows come from elsewhere. Coordinator process.

The binder sees an INSERT of NULLs, and so finds the columns, their defaults, the constraints, and what is forbidden.
"""

from __future__ import annotations

from dataclasses import dataclass

from mere.errors import FeatureNotSupported
from mere.execute.scans import LakeView
from mere.session.analysis import analyse
from mere.session.select import lake_view
from mere.session.state import Parameters, SessionState
from mere.session.write import require_writable
from mere.sql.bind.bound import BoundInsert
from mere.sql.copy_command import Copy
from mere.sql.lexer import quote_identifier, split
from mere.sql.relations import Kind


@dataclass(frozen=True, slots=True)
class CopyTarget:
    """`bound.given` are the columns that the input has, in the input's order."""

    bound: BoundInsert
    view: LakeView


async def copy_target(state: SessionState, command: Copy) -> CopyTarget:
    """Opens a transaction, locks the table and checks that the user may insert."""
    if command.where is not None:
        raise FeatureNotSupported("COPY ... WHERE is not supported for lake tables")
    assert command.target is not None
    await state.transaction.ensure()
    name = ".".join(map(quote_identifier, command.target))
    columns = command.columns or await _all_columns(state, name)
    listed = ", ".join(map(quote_identifier, columns))
    nulls = ", ".join("NULL" for _ in columns)
    text = f"INSERT INTO {name} ({listed}) OVERRIDING SYSTEM VALUE SELECT {nulls}"
    analysis = await analyse(state, split(text)[0])
    require_writable(analysis, "COPY FROM")
    bound = analysis.bind(Parameters())
    assert isinstance(bound, BoundInsert)
    if bound.relation.kind is not Kind.LAKE:
        raise FeatureNotSupported("COPY between object storage and PostgreSQL tables is not supported")
    return CopyTarget(bound, lake_view(state, analysis.snapshot))


async def _all_columns(state: SessionState, name: str) -> tuple[str, ...]:
    rows = await state.backend.fetch(
        "SELECT attname FROM pg_catalog.pg_attribute"
        " WHERE attrelid = $1::text::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [name],
    )
    return tuple(row[0] or "" for row in rows)
