"""What this machine has, and how much of it is whose. Lives in every process that needs to know.

A container's limits count, not the host's memory.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_SHARED_MEMORY = Path("/dev/shm")
_MINIMUM = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Split:
    """Bytes, and threads of one segment. What is left, about a seventh, is the system's and Python's."""

    coordinator: int
    object_store: int
    segment: int
    segment_threads: int


def fair_split(segments: int, cores: int) -> Split:
    """Of one machine that is coordinator and all segments. Motions get a quarter before they spill."""
    memory = memory_limit()
    return Split(
        coordinator=max(_MINIMUM, memory * 15 // 100),
        object_store=max(_MINIMUM, min(memory * 25 // 100, _shared_memory() * 9 // 10)),
        segment=max(_MINIMUM, memory * 45 // 100 // segments),
        segment_threads=max(1, cores // segments),
    )


def memory_limit() -> int:
    """The machine's memory, or what the control group allows of it."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            return min(physical, int((_CGROUP / name).read_text()))
    return physical


def memory_used() -> float:
    """The part of the memory that is in use and cannot be had back by dropping caches, from 0 to 1."""
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    total, available = (int(fields[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    used = 1 - available / total
    with suppress(OSError, ValueError, KeyError):
        limit = int((_CGROUP / "memory.max").read_text())
        held = int((_CGROUP / "memory.current").read_text())
        stats = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        used = max(used, (held - int(stats["inactive_file"])) / limit)
    return used


def kernel_memory_kills() -> int:
    """How many processes the kernel has killed for want of memory since it started."""
    with suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def reset_peak_memory() -> None:
    """Lets `peak_memory` begin anew, where the kernel allows it."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """The most bytes that this process has held in memory since the last reset."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _shared_memory() -> int:
    try:
        found = os.statvfs(_SHARED_MEMORY)
    except OSError:
        return memory_limit()
    return found.f_frsize * found.f_bavail
