"""Ends a PostgreSQL that a killed `mere serve` left running on our cluster, or that may not be a primary any more.

Used at start and stop, by the server: whoever calls holds the data directory's lock, so a living postmaster on it can
only be a leftover. And by the guard of a cluster's node.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

from mere.errors import StartupError

_LAST_WORDS_SECONDS = 0.2


async def stop_leftover(cluster: Path) -> None:
    """Stop the postmaster that postmaster.pid names, if it lives and is one, and wait for its children."""
    if not cluster.exists():
        return
    pid = _postmaster(cluster)
    if pid is not None:
        await _stop(pid, cluster)
    await _children_gone(cluster)
    if Path("/proc/self").exists():
        # Nobody works here any more. PostgreSQL itself would shrink from a stale file whose pid is another program's
        # by now, or that of a zombie which nobody has buried yet.
        (cluster / "postmaster.pid").unlink(missing_ok=True)


def cut_off(cluster: Path) -> bool:
    """Kill what works on the cluster, at once and for good, paused processes too. Whether there was any."""
    pid = _postmaster(cluster)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)  # its sessions still hear a word
        deadline = time.monotonic() + _LAST_WORDS_SECONDS
        while _alive(pid) and not _is_zombie(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
    left = [found for found in _processes() if _works_in(found, cluster) and not _is_zombie(found)]
    for found in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(found, signal.SIGKILL)
    return pid is not None or bool(left)


def is_primary(cluster: Path) -> bool:
    """Does a PostgreSQL live here that follows nobody? Asked of the files, for it may be too busy to answer."""
    try:
        alone = (cluster / "postmaster.pid").read_bytes().startswith(b"-")  # one that only repairs, for no clients
    except FileNotFoundError:
        return False
    return not alone and not (cluster / "standby.signal").exists() and _postmaster(cluster) is not None


async def _stop(pid: int, cluster: Path) -> None:
    for number, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if await _gone(pid, seconds):
            return
    raise StartupError(f"a PostgreSQL of an earlier server (process {pid}) on {cluster} does not stop")


def _postmaster(cluster: Path) -> int | None:
    """The living postmaster's pid. The file survives a kill -9 and its pid may be another program's by now."""
    try:
        pid = abs(int((cluster / "postmaster.pid").read_text().splitlines()[0]))
    except (FileNotFoundError, IndexError, ValueError):
        return None
    return pid if _works_in(pid, cluster) else None


def _works_in(pid: int, cluster: Path) -> bool:
    """Does this process have our cluster as its working directory, as postmaster and backends do?"""
    try:
        here = Path(f"/proc/{pid}/cwd").stat()
        command = Path(f"/proc/{pid}/comm").read_text().strip()
        there = cluster.stat()
    except FileNotFoundError:
        return not Path("/proc/self").exists() and _alive(pid)  # no /proc: believe the file
    except PermissionError:
        return False  # another user's, so not ours
    return command == "postgres" and (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def _gone(pid: int, seconds: float) -> bool:
    deadline = asyncio.get_running_loop().time() + seconds
    while _alive(pid):
        if _is_zombie(pid):
            return True
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, IndexError):
        return False


def _processes() -> list[int]:
    proc = Path("/proc")
    return [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()] if (proc / "self").exists() else []


async def _children_gone(cluster: Path) -> None:
    """Backends of a killed postmaster notice within moments; a new one may not start before they are gone."""
    for attempt in range(300):
        left = [pid for pid in _processes() if _works_in(pid, cluster) and not _is_zombie(pid)]
        if not left:
            return
        if attempt == 250:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.02)
    raise StartupError(f"processes {left} of an earlier PostgreSQL on {cluster} do not end")
