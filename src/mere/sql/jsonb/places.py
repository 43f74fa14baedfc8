"""Pieces of a JSON text as they are written, blanks and digits kept. Pure, over one value; segments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from json.decoder import scanstring  # type: ignore[attr-defined]

_BLANKS = re.compile(r"[ \t\n\r]*")
_STEP = re.compile(r'\."((?:[^"\\]|\\.)*)"|\[(#-)?(\d+)\]')
_DECODER = json.JSONDecoder()
_INDEX = re.compile(r"\s*[+-]?\d+\Z")


@lru_cache(maxsize=1000)
def steps_of(path: str) -> tuple[str | int, ...]:
    """The keys and indexes of a path as DuckDB spells them: $."a"[0][#-1]."""
    found: list[str | int] = []
    for key, end, index in _STEP.findall(path):
        if index:
            found.append(-int(index) if end else int(index))
        else:
            found.append(re.sub(r"\\(.)", r"\1", key))
    return tuple(found)


def piece(text: str, steps: Sequence[str | int | None]) -> str | None:
    """What stands at a place; of a key that comes twice, the last."""
    start, end = _BLANKS.match(text).end(), len(text.rstrip(" \t\n\r"))  # type: ignore[union-attr]
    for step in steps:
        found = _below(text, start, step)
        if found is None:
            return None
        start, end = found
    return text[start:end]


def piece_at_texts(text: str, path: Sequence[str | None]) -> str | None:
    """The same by #>'s path: each step a key of an object, or an index of an array."""
    start, end = _BLANKS.match(text).end(), len(text.rstrip(" \t\n\r"))  # type: ignore[union-attr]
    for element in path:
        if element is None:
            return None
        step: str | int = element
        if text[start] == "[":
            if not _INDEX.match(element):
                return None
            step = int(element)
        found = _below(text, start, step)
        if found is None:
            return None
        start, end = found
    return text[start:end]


def _below(text: str, start: int, step: str | int | None) -> tuple[int, int] | None:
    if isinstance(step, str) and text[start] == "{":
        found = None
        for key, begin, end in _members(text, start):
            if key == step:
                found = begin, end
        return found
    if isinstance(step, int) and text[start] == "[":
        spans = list(_elements(text, start))
        return spans[step] if -len(spans) <= step < len(spans) else None
    return None


def _skip(text: str, at: int) -> int:
    return _BLANKS.match(text, at).end()  # type: ignore[union-attr]


def _members(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, at = scanstring(text, at + 1, True)
        at = _skip(text, _skip(text, at) + 1)
        end = _DECODER.raw_decode(text, at)[1]
        yield key, at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _elements(text: str, start: int) -> Iterator[tuple[int, int]]:
    at = _skip(text, start + 1)
    while text[at] != "]":
        end = _DECODER.raw_decode(text, at)[1]
        yield at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def elements(text: str) -> list[str]:
    """An array's elements, each as it is written."""
    start = _skip(text, 0)
    return [text[begin:end] for begin, end in _elements(text, start)]
