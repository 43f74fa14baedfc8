"""Which snapshots are being read in this process, so that maintenance leaves their files alone. Coordinator process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable


class Readers:
    """Counts holds by snapshot id. Not for threads: the event loop's alone."""

    def __init__(self) -> None:
        self._holds: Counter[int] = Counter()

    def hold(self, snapshot_id: int) -> Callable[[], None]:
        """Registers a reader; the returned function, which may be called twice, lets go."""
        self._holds[snapshot_id] += 1
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                self._holds[snapshot_id] -= 1
                if not self._holds[snapshot_id]:
                    del self._holds[snapshot_id]

        return release

    @property
    def oldest(self) -> int | None:
        """The oldest snapshot that somebody reads; None when nobody reads."""
        return min(self._holds, default=None)
