"""What the names in a statement mean: its relations and the users' functions, and what these name in turn.

Lives in the coordinator process. A statement that calls no function of a user's takes one flight; else the bodies may
name more, and it is all asked for again with that, so that every answer is of one moment.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from mere.catalog.backend import Backend, CommandResult, Describe, Description, Fetch
from mere.catalog.functions import USER_FUNCTIONS, calls_arguments
from mere.catalog.resolve import names_argument, read_resolved
from mere.errors import FeatureNotSupported
from mere.sql.bind import relation_names
from mere.sql.bind.call_names import CallName, call_names, called_by_views, named_inside
from mere.sql.bind.scope import Name
from mere.sql.relations import Resolved

_KEPT = 256
_DEEPEST = 20  # functions that call functions


@dataclass(frozen=True)
class Asked:
    """The names to look up. Kept with a statement's tree."""

    relations: tuple[Name, ...]
    calls: frozenset[CallName]

    @classmethod
    def of(cls, tree: exp.Expression) -> Asked:
        return cls(relation_names(tree), call_names(tree))

    def wider(self, relations: Iterable[Name], calls: Iterable[CallName]) -> Asked:
        return Asked(tuple(dict.fromkeys((*self.relations, *relations))), self.calls.union(calls))

    @cached_property
    def arguments(self) -> list[str]:
        named = names_argument(self.relations)
        return [named, *calls_arguments(sorted(self.calls))] if self.calls else [named]


# What statements turned out to name, so that the next time it is asked for at once. A name too many does no harm.
_wider: OrderedDict[Asked, Asked] = OrderedDict()


async def look_up(
    backend: Backend, described: Describe, facts: str, asked: Asked
) -> tuple[Description, Sequence[str | None], Resolved]:
    """The statement's description, the one row of `facts` (its first column is the relations), and what names mean."""
    first = asked
    asked = _wider.get(asked, asked)
    for _ in range(_DEEPEST):
        text = f"SELECT facts.*, {USER_FUNCTIONS} FROM ({facts}) AS facts" if asked.calls else facts
        description, result = await backend.pipeline([described, Fetch(text, asked.arguments)])
        assert isinstance(description, Description) and isinstance(result, CommandResult)
        row = result.rows[0]
        resolved = read_resolved(str(row[0]), (row[-1] or "") if asked.calls else "")
        more = _named_in_turn(asked, resolved)
        if more == asked:
            if asked != first:
                _remember(first, asked)
            return description, row[:-1] if asked.calls else row, resolved
        asked = more
    raise FeatureNotSupported("functions that call functions more than 20 deep are not supported over lake data")


def _named_in_turn(asked: Asked, resolved: Resolved) -> Asked:
    calls = called_by_views(resolved)
    if not resolved.functions and calls <= asked.calls:
        return asked
    inside = [named_inside(function) for group in resolved.functions.values() for function in group]
    return asked.wider([name for names, _ in inside for name in names], calls.union(*(called for _, called in inside)))


def _remember(first: Asked, asked: Asked) -> None:
    _wider[first] = asked
    _wider.move_to_end(first)
    if len(_wider) > _KEPT:
        _wider.popitem(last=False)
