"""Functions of the users': what the catalog says of one, and which of them a call means. Coordinator process.

A call's candidates are all functions of its name that the search path shows, PostgreSQL's own among them; overloads are
told apart as for those. Named and missing arguments are put in their places here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mere.sql.functions.catalog import Signature, functions
from mere.sql.functions.resolution import AmbiguousName, Resolved, resolve_among
from mere.sql.types import RECORD

PYTHON = frozenset(("python", "python_arrow"))
VOLATILE, STABLE, IMMUTABLE = "v", "s", "i"


@dataclass(frozen=True, slots=True)
class Input:
    """An argument that calls give. `default` is PostgreSQL's text of what stands for it when it is left out."""

    name: str
    oid: int
    default: str | None = None


@dataclass(frozen=True, slots=True)
class UserFunction:
    """One row of pg_proc. `source` is the text between the quotes, `body` that of RETURN or BEGIN ATOMIC, with every
    name qualified. `columns` are those that it returns, where they have names: of a row, of RETURNS TABLE, of OUT."""

    oid: int
    schema: str
    name: str
    kind: str  # pg_proc.prokind: 'f' for a function
    language: str
    source: str
    body: str | None
    inputs: tuple[Input, ...]
    variadic: bool
    result: int
    columns: tuple[tuple[str, int], ...] | None
    composite: bool  # returns a row of a table's or of a type's
    returns_set: bool
    strict: bool
    volatility: str
    definer: bool
    settings: bool  # has SET clauses
    executable: bool  # by the session's role
    before_catalog: bool = False  # its schema stands before pg_catalog in the path

    @property
    def returns_row(self) -> bool:
        return self.columns is not None and (self.result == RECORD or self.composite)

    @property
    def in_python(self) -> bool:
        return self.language in PYTHON


@dataclass(frozen=True, slots=True)
class Meant:
    """The function that a call means. `places` says which of the call's arguments stands for each input, None where its
    default does."""

    function: UserFunction
    resolved: Resolved
    places: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    function: UserFunction
    places: tuple[int | None, ...]
    signature: Signature  # in the order of the call's arguments

    @property
    def defaulted(self) -> int:
        return self.places.count(None)


def meant_by(
    name: str, candidates: Sequence[UserFunction], inputs: tuple[int, ...], labels: Sequence[str | None], builtin: bool
) -> Meant | Resolved | None:
    """The user's function, or PostgreSQL's own (Resolved), or None where nothing takes these arguments.

    `labels` has the names of named arguments. `builtin`: PostgreSQL's functions of that name are meant as well. Raises
    AmbiguousName.
    """
    fitting = _distinct([found for function in candidates if (found := _candidate(function, labels)) is not None])
    own = functions(name) if builtin and not any(labels) else ()
    shadowed = {c.signature.arguments for c in fitting if c.function.before_catalog and not c.defaulted}
    taken = {signature.arguments for signature in own}
    users = [
        c for c in fitting if c.signature.arguments not in taken or (c.function.before_catalog and not c.defaulted)
    ]
    kept = [signature for signature in own if signature.arguments not in shadowed]
    resolved = resolve_among([*(c.signature for c in users), *kept], inputs)
    if resolved is None:
        return None
    for candidate in users:
        if candidate.signature is resolved.signature:
            return Meant(candidate.function, resolved, candidate.places)
    return resolved


def _candidate(function: UserFunction, labels: Sequence[str | None]) -> _Candidate | None:
    """How a call with so many arguments, some of them named, would fill the function's inputs; None if it cannot."""
    if function.variadic or len(labels) > len(function.inputs):
        return None
    places: list[int | None] = [None] * len(function.inputs)
    names = [given.name for given in function.inputs]
    for number, label in enumerate(labels):
        if label is not None and label not in names:
            return None
        place = number if label is None else names.index(label)
        if places[place] is not None:
            return None
        places[place] = number
    if any(place is None and given.default is None for place, given in zip(places, function.inputs, strict=True)):
        return None
    types = {place: given.oid for place, given in zip(places, function.inputs, strict=True) if place is not None}
    signature = Signature(function.name, tuple(types[number] for number in range(len(labels))), function.result)
    return _Candidate(function, tuple(places), signature)


def _distinct(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Of those that take the same arguments: the first in the path, and the one that leaves the fewest to defaults."""
    best: dict[tuple[int, ...], _Candidate] = {}
    for candidate in candidates:
        known = best.get(candidate.signature.arguments)
        if known is None or candidate.defaulted < known.defaulted:
            best[candidate.signature.arguments] = candidate
        elif 0 < candidate.defaulted == known.defaulted and candidate.function.schema == known.function.schema:
            raise AmbiguousName
    return list(best.values())
