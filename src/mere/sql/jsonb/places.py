"""Pieces of a JSON text as they are written, blanks and digits kept. Pure, over one value; segments."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import TypeVar

_Step = TypeVar("_Step")

_BLANKS = re.compile(r"[ \t\n\r]*")
_STEP = re.compile(r'\."((?:[^"\\]|\\.)*)"|\[(#-)?(\d+)\]')
_DECODER = json.JSONDecoder()
INDEX = re.compile(r"\s*[+-]?\d+\Z")  # a step of a text path that may be an array's


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
    return _at(text, steps, _below)


def piece_at_texts(text: str, path: Sequence[str | None]) -> str | None:
    """The same by #>'s path: each step a key of an object, or an index of an array."""
    return _at(text, path, _below_text)


def _at(text: str, steps: Sequence[_Step], below: Callable[[str, int, _Step], tuple[int, int] | None]) -> str | None:
    start, end = _skip(text, 0), len(text.rstrip(" \t\n\r"))
    for step in steps:
        found = below(text, start, step)
        if found is None:
            return None
        start, end = found
    return text[start:end]


def _below_text(text: str, start: int, step: str | None) -> tuple[int, int] | None:
    if step is None or text[start] != "[":
        return _below(text, start, step)
    return _below(text, start, int(step)) if INDEX.match(step) else None


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
