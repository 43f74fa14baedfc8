"""Processes as /proc shows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def descendants(pid: int, command: str) -> list[int]:
    """Those below it whose command line has this in it, by number."""
    return sorted(found for found in tree(pid) if found != pid and command.encode() in command_line(found))


def command_line(pid: int) -> bytes:
    """Empty for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def tree(*roots: int) -> Iterator[int]:
    """Processes and all below them, each once."""
    children: dict[int, list[int]] = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                stat = (process / "stat").read_text()
                parent = int(stat[stat.rindex(")") + 2 :].split()[1])
                children.setdefault(parent, []).append(int(process.name))
    waiting, found = list(roots), set[int]()
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            yield one
            waiting += children.get(one, [])
