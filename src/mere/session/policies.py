"""Setting a table's distribution policy in the catalog. Coordinator process."""

from __future__ import annotations

from mere.session.state import SessionState
from mere.sql.distribution import Distribution
from mere.sql.lexer import quote_identifier
from mere.sql.token_cursor import Name

# How many buckets a hash-distributed table has: segments take whole buckets, so this bounds how many can share it.
BUCKETS = 8


def qualified(name: Name) -> str:
    return ".".join(quote_identifier(part) for part in name)


async def set_policy(state: SessionState, table: Name, distribution: Distribution) -> None:
    """PostgreSQL checks that the user owns the table and that the keys are columns of it."""
    keys = "{" + ",".join('"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in distribution.keys) + "}"
    buckets = BUCKETS if distribution.kind == "hash" else 0
    await state.backend.fetch(
        "SELECT mere.set_policy($1::text::pg_catalog.regclass, $2::text, $3::text[], $4::int)",
        [qualified(table), distribution.kind, keys, str(buckets)],
    )
