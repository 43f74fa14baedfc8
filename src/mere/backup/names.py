"""PostgreSQL's names for WAL: positions, timelines, segments. Pure."""

from __future__ import annotations

import re

SEGMENT_BYTES = 16 << 20
_PER_LOG = (1 << 32) // SEGMENT_BYTES
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_HISTORY = re.compile(r"([0-9A-F]{8})\.history")
_ARCHIVED = re.compile(r"[0-9A-F]{24}(\.partial|\.[0-9A-F]{8}\.backup)?|[0-9A-F]{8}\.history")


def is_archived(name: str) -> bool:
    """Whether PostgreSQL archives files of such names."""
    return _ARCHIVED.fullmatch(name) is not None


def is_segment(name: str) -> bool:
    return _SEGMENT.fullmatch(name) is not None


def history_timeline(name: str) -> int | None:
    """The timeline whose history this file tells."""
    found = _HISTORY.fullmatch(name)
    return int(found.group(1), 16) if found else None


def history_name(timeline: int) -> str:
    return f"{timeline:08X}.history"


def segment_name(timeline: int, number: int) -> str:
    return f"{timeline:08X}{number // _PER_LOG:08X}{number % _PER_LOG:08X}"


def segment_parts(name: str) -> tuple[int, int]:
    """(timeline, number) of a segment's name."""
    return int(name[:8], 16), int(name[8:16], 16) * _PER_LOG + int(name[16:], 16)


def parse_position(text: str) -> int:
    """`0/3000028`."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def show_position(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"
