"""How much memory processes hold, looked at while something runs; and how they are given no more than so much."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_LOOK_SECONDS = 0.1


class Watch:
    """`with Watch(pids) as watch`: afterwards `watch.peak` is the most that they held together, in bytes."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = tuple(pids)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak = 0

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            self.peak = max(self.peak, sum(map(own_memory, self._pids)))

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def own_memory(pid: int) -> int:
    """Bytes, without those that it shares; 0 for a process that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon:")), 0)


class MemoryGroup:
    """A control group: the kernel kills what takes more memory in it. OSError where that is not permitted."""

    def __init__(self, limit: int) -> None:
        first = _GROUPS / "memory"  # of the first version; the second has one tree for everything
        self._root, file = (first, "memory.limit_in_bytes") if first.is_dir() else (_GROUPS, "memory.max")
        self._directory = self._root / f"mere-{secrets.token_hex(4)}"
        self._directory.mkdir()
        try:
            (self._directory / file).write_text(str(limit))
        except OSError:
            self._directory.rmdir()
            raise

    def add(self, pid: int) -> None:
        """What it has already taken is not counted."""
        with suppress(ProcessLookupError):
            (self._directory / "cgroup.procs").write_text(str(pid))

    def remove(self) -> None:
        """Processes that are left are free again."""
        for pid in (self._directory / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                (self._root / "cgroup.procs").write_text(pid)
        self._directory.rmdir()


def why_no_group() -> str | None:
    """Why this machine permits no such group; None if it does."""
    try:
        MemoryGroup(1 << 30).remove()
    except OSError as error:
        return f"control groups for memory cannot be made here: {error}"
    return None
