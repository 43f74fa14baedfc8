"""What to say of a file that a statement reads and that is gone: removed by maintenance, or lost by the storage.

Maintenance runs on the primary, which knows its own readers and not those of the standby: to these it leaves a time
(the setting standby_grace). Whoever reads longer, or follows from further behind, is told to read again; no statement
ever answers without the rows of a file. Lives in the coordinator process.
"""

from __future__ import annotations

import re

from mere.catalog.postgres import SERVICE_ERRORS
from mere.errors import MereError, SerializationFailure
from mere.session.state import SessionState

_STATES = frozenset({"58030", "58P01"})
_GONE = re.compile(r"No such file|No files found|\b404\b|NoSuchKey|NoSuchBlob|not found", re.IGNORECASE)
_NAME = re.compile(r"[^/\s'\"?]+\.(?:parquet|puffin)")
_WORDS = re.compile(r"\S*/\S*")  # places, which may hold any number
# Names of files are unique, whatever stands before them.
_LISTED = """
SELECT EXISTS (SELECT FROM mere_lake.ducklake_data_file WHERE right(path, length($1::text)) = $1)
    OR EXISTS (SELECT FROM mere_lake.ducklake_delete_file WHERE right(path, length($1::text)) = $1)
"""


async def explain_missing(state: SessionState, error: MereError) -> MereError:
    """The error as it is, unless a file is gone that the snapshot had and the catalog need not have any more."""
    name = missing_file(error)
    lake = "/" + state.database.data_url.rstrip("/").rpartition("/")[2] + "/"  # as every way of naming an object has it
    if name is None or lake not in error.message:
        return error
    try:
        listed = await state.database.pool.fetchval(_LISTED, name)
    except (OSError, *SERVICE_ERRORS):
        return error
    if listed and not state.backend.in_recovery:
        return error  # the storage has lost it
    hint = "Run it again; the settings retention and standby_grace say how long files stay."
    if listed:
        hint = "If it comes again: this standby follows from far behind, or the storage has lost the file."
    return SerializationFailure(
        "a file that the statement reads was removed by maintenance", detail=error.message, hint=hint
    )


def missing_file(error: MereError) -> str | None:
    """The name of the lake's file that the engine did not find, if that is what the error says."""
    found = _NAME.search(error.message) if error.sqlstate in _STATES else None
    if found is None or _GONE.search(_WORDS.sub(" ", error.message)) is None:
        return None
    return found[0]
