"""The facts of procs.py and operators.py as tables: candidates by name, and casts by pair. Coordinator process."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from mere.sql.functions import operators, procs
from mere.sql.types import BY_NAME, STRINGS, UNKNOWN, array_of, element_of


@dataclass(frozen=True, slots=True)
class Signature:
    """One row of pg_proc or pg_operator: `variadic` repeats the last argument, given as its element type."""

    name: str
    arguments: tuple[int, ...]
    result: int
    variadic: bool = False

    def __str__(self) -> str:
        names = {oid: name for name, oid in BY_NAME.items()}
        return f"{self.name}({','.join(names[oid] for oid in self.arguments)})"


AGGREGATES = frozenset(procs.AGGREGATES.split())
WINDOWS = frozenset(procs.WINDOWS.split())
SETS = frozenset(procs.SETS.split())
STABLE = frozenset(procs.STABLE.split())
VOLATILE = frozenset(procs.VOLATILE.split())

_ENTRY = re.compile(r"\(([^)]*)\)(\S+)")


def _joined_lines(text: str) -> list[str]:
    return text.strip().replace("\n    ", " ").split("\n")


def _read(text: str) -> dict[str, str]:
    """Name to its unparsed signatures: most names are never asked for."""
    return dict(line.split(" ", 1) for line in _joined_lines(text))


_FUNCTIONS = _read(procs.FUNCTIONS)
_OPERATORS = _read(operators.OPERATORS)


def _parse(name: str, text: str) -> tuple[Signature, ...]:
    found = []
    for arguments, result in _ENTRY.findall(text):
        parts = arguments.split(",") if arguments else []
        variadic = bool(parts) and parts[-1].startswith("*")
        oids = [BY_NAME.get(part.lstrip("*")) or array_of(BY_NAME[part.lstrip("*_")]) for part in parts]
        if variadic:
            oids[-1] = element_of(oids[-1]) or oids[-1]
        result_oid = BY_NAME.get(result) or array_of(BY_NAME[result.lstrip("_")])
        found.append(Signature(name, tuple(oids), result_oid, variadic))
    return tuple(found)


@lru_cache(maxsize=1000)
def functions(name: str) -> tuple[Signature, ...]:
    """Every known overload of a function; empty for a name that is not listed."""
    text = _FUNCTIONS.get(name)
    return () if text is None else _parse(name, text)


@lru_cache(maxsize=200)
def operator(name: str) -> tuple[Signature, ...]:
    text = _OPERATORS.get(name)
    return () if text is None else _parse(name, text)


def _read_casts() -> dict[tuple[int, int], tuple[str, bool]]:
    casts: dict[tuple[int, int], tuple[str, bool]] = {}
    for line in _joined_lines(operators.CASTS):
        source, *targets = line.split()
        for target in targets:
            name = target.rstrip("?!=")
            marks = target[len(name) :]
            context = "e" if "!" in marks else "a" if "?" in marks else "i"
            casts[BY_NAME[source], BY_NAME[name]] = (context, "=" in marks)
    return casts


CASTS = _read_casts()
_STRING_TYPES = STRINGS - {UNKNOWN}
_ORDER = {"i": 0, "a": 1, "e": 2}


@lru_cache(maxsize=4000)
def cast_context(source: int, target: int) -> int | None:
    """The narrowest context that casts source to target: 0 implicit, 1 assignment, 2 explicit; None: no cast.

    find_coercion_pathway(): pg_cast first, then arrays by their elements, then text input and output.
    """
    if source in (target, UNKNOWN):
        return 0
    known = CASTS.get((source, target))
    if known is not None:
        return _ORDER[known[0]]
    source_element, target_element = element_of(source), element_of(target)
    if source_element and target_element:
        return cast_context(source_element, target_element)
    if target in _STRING_TYPES and source not in _STRING_TYPES:
        return 1
    if source in _STRING_TYPES:
        return 2
    return None


def is_text_cast(source: int, target: int) -> bool:
    """No entry in pg_cast: the value goes through its text (CoerceViaIO)."""
    return (source, target) not in CASTS


__all__ = [
    "AGGREGATES",
    "SETS",
    "STABLE",
    "VOLATILE",
    "WINDOWS",
    "Signature",
    "cast_context",
    "functions",
    "is_text_cast",
    "operator",
]
