"""Reads VACUUM, and calls of mere.maintain(): what is to be maintained. Pure functions in the gateway's process."""

from __future__ import annotations

from dataclasses import dataclass

from mere.sql.lexer import Statement
from mere.sql.token_cursor import Cursor, Name

_SWITCHES = ("full", "freeze", "verbose", "analyze", "analyse")
_ON = ("true", "on", "1")


@dataclass(frozen=True, slots=True)
class Vacuum:
    """`targets` are the relations, each with its text for PostgreSQL; none means all. `options` is the text between
    VACUUM and them."""

    full: bool
    verbose: bool
    targets: tuple[tuple[Name, str], ...]
    options: str


def parse_vacuum(text: str) -> Vacuum:
    cursor = Cursor(text)
    cursor.word("vacuum")
    _, begin = cursor.rest()
    on: set[str] = set()
    if (token := cursor.token) is not None and token.is_mark("("):
        on = _options(cursor.skip_parentheses())
    while (token := cursor.token) is not None and cursor.word(*_SWITCHES):
        on.add(token.value)
    _, end = cursor.rest()
    targets: list[tuple[Name, str]] = []
    while not cursor.done:
        _, start = cursor.rest()
        cursor.word("only")
        name = cursor.qualified_name()
        cursor.mark("*")
        if (token := cursor.token) is not None and token.is_mark("("):
            cursor.skip_parentheses()
        _, stop = cursor.rest()
        targets.append((name, text[start:stop].strip()))
        if not cursor.mark(","):
            break
    return Vacuum("full" in on, "verbose" in on, tuple(targets), text[begin:end].strip())


def _options(text: str) -> set[str]:
    """The switches that are on."""
    cursor = Cursor(text)
    on: set[str] = set()
    while not cursor.done:
        name = cursor.name()
        value = cursor.token
        if value is None or value.is_mark(","):
            on.add(name)
        else:
            cursor.index += 1
            if value.value.lower() in _ON:
                on.add(name)
        if not cursor.mark(","):
            break
    return on


def calls_maintain(statement: Statement) -> bool:
    """Whether it may; `maintain_arguments` looks closer."""
    return "maintain" in statement.words and "mere" in statement.words


def maintain_arguments(text: str) -> str | None:
    """The arguments of the one call of mere.maintain() in a query, as they are written; None where there is none, or
    more than one."""
    cursor = Cursor(text)
    found: list[str] = []
    while not cursor.done:
        names = [cursor.peek(0), cursor.peek(2)]
        dot, opening = cursor.peek(1), cursor.peek(3)
        if (
            [token.value if token is not None and token.is_name else None for token in names] == ["mere", "maintain"]
            and dot is not None
            and dot.is_mark(".")
            and opening is not None
            and opening.is_mark("(")
        ):
            cursor.index += 3
            found.append(cursor.skip_parentheses())
        else:
            cursor.index += 1
    return found[0] if len(found) == 1 else None
