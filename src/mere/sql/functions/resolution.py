"""Which overload a call means: PostgreSQL's rules (manual, chapter 10; parse_func.c, parse_oper.c).

Coordinator process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mere.sql.functions.catalog import Signature, cast_context, functions, operator
from mere.sql.types import (
    ANY,
    ANYARRAY,
    ANYCOMPATIBLE,
    ANYCOMPATIBLEARRAY,
    ANYCOMPATIBLENONARRAY,
    ANYELEMENT,
    ANYNONARRAY,
    POLYMORPHIC,
    TEXT,
    TYPES,
    UNKNOWN,
    array_of,
    element_of,
    is_array,
)

_ARRAYS = frozenset({ANYARRAY, ANYCOMPATIBLEARRAY})
_NONARRAYS = frozenset({ANYNONARRAY, ANYCOMPATIBLENONARRAY})
_COMPATIBLE = frozenset({ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYCOMPATIBLENONARRAY})


@dataclass(frozen=True, slots=True)
class Resolved:
    """The chosen overload with polymorphic types made concrete: one target type an argument, and the result type."""

    signature: Signature
    arguments: tuple[int, ...]
    result: int


class AmbiguousName(Exception):
    """More than one overload fits equally (42725)."""


def _accepts(target: int, source: int) -> bool:
    """can_coerce_type() in an implicit context, for one argument."""
    if target == source or source == UNKNOWN or target in (ANY, ANYELEMENT, ANYCOMPATIBLE):
        return True
    if target in _ARRAYS:
        return is_array(source)
    if target in _NONARRAYS:
        return not is_array(source)
    return cast_context(source, target) == 0


def _category(oid: int) -> str:
    facts = TYPES.get(oid)
    return facts.category if facts is not None else "U"


def _preferred(oid: int) -> bool:
    facts = TYPES.get(oid)
    return facts is not None and facts.preferred


@dataclass(frozen=True, slots=True)
class _Candidate:
    signature: Signature
    arguments: tuple[int, ...]  # as many as the call has


def _expand(signatures: Sequence[Signature], count: int) -> list[_Candidate]:
    found = []
    for signature in signatures:
        arguments = signature.arguments
        if len(arguments) == count:
            found.append(_Candidate(signature, arguments))
        elif signature.variadic and count >= len(arguments):
            extra = (arguments[-1],) * (count - len(arguments))
            found.append(_Candidate(signature, arguments + extra))
    return found


def _keep_best(candidates: list[_Candidate], score: Callable[[_Candidate], int]) -> list[_Candidate]:
    scores = [score(candidate) for candidate in candidates]
    best = max(scores)
    return [candidate for candidate, value in zip(candidates, scores, strict=True) if value == best]


def _select(candidates: list[_Candidate], inputs: tuple[int, ...]) -> _Candidate | None:
    """func_select_candidate(): the rules 4.a to 4.f of the manual's 10.3 in order."""
    known = [index for index, oid in enumerate(inputs) if oid != UNKNOWN]
    unknown = [index for index, oid in enumerate(inputs) if oid == UNKNOWN]

    def exact(candidate: _Candidate) -> int:
        return sum(candidate.arguments[index] == inputs[index] for index in known)

    def exact_or_preferred(candidate: _Candidate) -> int:
        return sum(
            candidate.arguments[index] == inputs[index]
            or (
                _preferred(candidate.arguments[index])
                and _category(candidate.arguments[index]) == _category(inputs[index])
            )
            for index in known
        )

    for score in (exact, exact_or_preferred):
        candidates = _keep_best(candidates, score)
        if len(candidates) == 1:
            return candidates[0]
    if not unknown:
        return None
    candidates = _by_category(candidates, unknown)
    if len(candidates) == 1:
        return candidates[0]
    types = {inputs[index] for index in known}
    if len(types) == 1:
        single = types.pop()
        guessed = tuple(single if oid == UNKNOWN else oid for oid in inputs)
        fitting = [
            c
            for c in candidates
            if all(_accepts(t, s) for t, s in zip(c.arguments, guessed, strict=True)) and _concrete(c, guessed)
        ]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _by_category(candidates: list[_Candidate], unknown: list[int]) -> list[_Candidate]:
    """Rule 4.e: for each unknown argument prefer the string category, else one that all candidates share."""
    wanted: dict[int, tuple[str, bool]] = {}
    for index in unknown:
        categories = {_category(candidate.arguments[index]) for candidate in candidates}
        if "S" in categories:
            category = "S"
        elif len(categories) == 1:
            category = categories.pop()
        else:
            return candidates
        preferred = any(
            _category(c.arguments[index]) == category and _preferred(c.arguments[index]) for c in candidates
        )
        wanted[index] = (category, preferred)
    kept = [
        candidate
        for candidate in candidates
        if all(
            _category(candidate.arguments[index]) == category
            and (not preferred or _preferred(candidate.arguments[index]))
            for index, (category, preferred) in wanted.items()
        )
    ]
    return kept or candidates


def _concrete(candidate: _Candidate, inputs: tuple[int, ...]) -> Resolved | None:
    """enforce_generic_type_consistency(): polymorphic argument and result types from the actual ones."""
    declared, result = candidate.arguments, candidate.signature.result
    if not POLYMORPHIC.intersection(declared):
        return Resolved(candidate.signature, declared, result)
    element = compatible = 0
    common: list[int] = []
    for target, source in zip(declared, inputs, strict=True):
        if source == UNKNOWN or target == ANY or target not in POLYMORPHIC:
            continue
        base = element_of(source) if target in _ARRAYS else source
        if target in _COMPATIBLE:
            common.append(base)
        elif element and element != base:
            return None
        else:
            element = base
    if common:
        compatible = _common(common)
        if not compatible:
            return None
    elif _COMPATIBLE.intersection(declared):
        compatible = TEXT
    if not element:
        element = TEXT if {ANYELEMENT, ANYNONARRAY, ANYARRAY}.intersection(declared) else 0
    made = tuple(_substitute(t, s, element, compatible) for t, s in zip(declared, inputs, strict=True))
    return Resolved(candidate.signature, made, _substitute(result, result, element, compatible))


def _substitute(target: int, source: int, element: int, compatible: int) -> int:
    if target == ANY:
        return TEXT if source == UNKNOWN else source
    if target in (ANYELEMENT, ANYNONARRAY):
        return element
    if target == ANYARRAY:
        return array_of(element)
    if target in (ANYCOMPATIBLE, ANYCOMPATIBLENONARRAY):
        return compatible
    if target == ANYCOMPATIBLEARRAY:
        return array_of(compatible)
    return target


def _common(oids: Sequence[int]) -> int:
    """select_common_type() over known types; 0 when there is none."""
    chosen = oids[0]
    for oid in oids[1:]:
        if oid in (chosen, UNKNOWN):
            continue
        if _category(oid) != _category(chosen):
            return 0
        if not _preferred(chosen) and cast_context(chosen, oid) == 0 and cast_context(oid, chosen) != 0:
            chosen = oid
    return chosen if all(cast_context(oid, chosen) == 0 for oid in oids) else 0


def _resolve(signatures: Sequence[Signature], inputs: tuple[int, ...]) -> Resolved | None:
    candidates = _expand(signatures, len(inputs))
    exact = [candidate for candidate in candidates if candidate.arguments == inputs]
    if exact:
        return _concrete(exact[0], inputs)
    fitting = [
        candidate
        for candidate in candidates
        if all(_accepts(t, s) for t, s in zip(candidate.arguments, inputs, strict=True))
    ]
    fitting = [candidate for candidate in fitting if _concrete(candidate, inputs) is not None]
    if not fitting:
        return None
    if len(fitting) > 1:
        chosen = _select(fitting, inputs)
        if chosen is None:
            raise AmbiguousName
        fitting = [chosen]
    return _concrete(fitting[0], inputs)


@lru_cache(maxsize=10000)
def resolve_function(name: str, inputs: tuple[int, ...]) -> Resolved | None:
    """The overload for these argument types (UNKNOWN for untyped literals); None when no overload takes them."""
    return _resolve(functions(name), inputs)


@lru_cache(maxsize=10000)
def resolve_operator(name: str, inputs: tuple[int, ...]) -> Resolved | None:
    signatures = operator(name)
    if len(inputs) == 2 and UNKNOWN in inputs:
        same = inputs[0] if inputs[1] == UNKNOWN else inputs[1]
        for signature in signatures:
            if signature.arguments == (same, same) and same != UNKNOWN:
                return Resolved(signature, signature.arguments, signature.result)
    fitting = [signature for signature in signatures if len(signature.arguments) == len(inputs)]
    return _resolve(fitting, inputs)


def common_type_oid(oids: Sequence[int]) -> int:
    """select_common_type() for CASE, UNION and the like: TEXT when all are unknown, 0 when nothing fits."""
    known = [oid for oid in oids if oid != UNKNOWN]
    if not known:
        return TEXT
    chosen = known[0]
    for oid in known[1:]:
        if oid == chosen:
            continue
        if _category(oid) != _category(chosen):
            return 0
        if not _preferred(chosen) and cast_context(chosen, oid) == 0 and cast_context(oid, chosen) != 0:
            chosen = oid
    return chosen if all(cast_context(oid, chosen) == 0 for oid in known) else 0


def resolve_among(signatures: Sequence[Signature], inputs: tuple[int, ...]) -> Resolved | None:
    """As `resolve_function`, among overloads that are not PostgreSQL's alone."""
    return _resolve(signatures, inputs)
