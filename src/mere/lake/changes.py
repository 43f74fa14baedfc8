"""What snapshots changed, from ducklake_snapshot_changes: entries `kind:id`, and quoted names, which hold anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_ENTRY = re.compile(r"(\w+):(\d+)")
# These replace files of older snapshots by others, so a file list cannot be brought forward from what is new.
REWRITING = frozenset({"merge_adjacent", "rewrite_delete", "inline_flush", "flushed_inlined", "compacted_table"})


def parse_changes(text: str) -> Iterator[tuple[int, str]]:
    """(table id, kind of change) of each entry that names a table by id."""
    for kind, table_id in _ENTRY.findall(_QUOTED.sub("", text)):
        yield int(table_id), kind
