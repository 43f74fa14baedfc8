"""Whether what a standby shows is the primary's too.

A primary that was paused or cut off may have a commit that its standby never got. When it comes back it starts as a
standby, shows that commit, and only then finds that it has to be rewound. Such a one is not to be read. So a node
remembers the last timeline in which it was the primary; as a standby it is believed when it is being sent a later one,
which PostgreSQL does not take where its own history goes another way. Lives in the coordinator process.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path


class Standing:
    """One node's, kept in `file` over restarts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._followed_since: datetime | None = None  # the start of the PostgreSQL that was once seen to follow
        self._seen: datetime | None = None

    @property
    def follows(self) -> bool:
        """As of the last `as_standby`. Stays true while that PostgreSQL runs, also with the primary away."""
        return self._seen is not None and self._seen == self._followed_since

    def as_primary(self, timeline: int) -> None:
        """Before anybody may write: it is on disk when this returns."""
        self._seen = None
        if timeline != self._last():
            fresh = self._file.with_name(self._file.name + ".new")
            fresh.write_text(str(timeline))
            fresh.replace(self._file)

    def as_standby(self, timeline: int | None, started: datetime) -> None:
        """`timeline`: the one that is being sent, if any; `started`: when this PostgreSQL was."""
        self._seen = started
        last = self._last()
        if last is None or (timeline is not None and timeline > last):
            self._followed_since = started

    def _last(self) -> int | None:
        """None: it never was the primary."""
        try:
            return int(self._file.read_text())
        except FileNotFoundError:
            return None
