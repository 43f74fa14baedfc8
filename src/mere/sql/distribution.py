"""Reads and removes the clauses that PostgreSQL does not know: DISTRIBUTED ..., and AT (VERSION | TIMESTAMP => x).

What is removed becomes blanks, so that positions in PostgreSQL's errors still fit the client's text. Pure functions
in the gateway's process.
"""

from __future__ import annotations

from dataclasses import dataclass

from mere.errors import SqlSyntaxError
from mere.sql.lexer import Token
from mere.sql.token_cursor import Cursor, Name


@dataclass(frozen=True, slots=True)
class Distribution:
    """`kind` is 'hash', 'random' or 'replicated'; `keys` are column names, of 'hash' alone."""

    kind: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateDistributed:
    """A CREATE TABLE with the clause blanked out."""

    text: str
    distribution: Distribution | None


@dataclass(frozen=True, slots=True)
class AlterDistributed:
    """ALTER TABLE [IF EXISTS] [ONLY] table SET DISTRIBUTED ... (also SET WITH () DISTRIBUTED, Greenplum's), and the
    same of a MATERIALIZED VIEW."""

    table: Name
    if_exists: bool
    distribution: Distribution


def strip_distribution(text: str) -> CreateDistributed:
    """Takes the DISTRIBUTED clause out of a CREATE TABLE, wherever it stands outside of parentheses."""
    cursor = Cursor(text)
    found: Distribution | None = None
    stripped = text
    while (token := cursor.token) is not None:
        following = cursor.peek(1)
        if not (token.depth == 0 and token.is_word("distributed") and _opens_clause(following)):
            cursor.index += 1
            continue
        if found is not None:
            raise SqlSyntaxError("only one DISTRIBUTED clause is allowed", position=token.start + 1)
        found = _distribution(cursor)
        stripped = _blank(stripped, token.start, cursor.tokens[cursor.index - 1].end)
    return CreateDistributed(stripped, found)


def _opens_clause(token: Token | None) -> bool:
    return token is not None and token.is_word("by", "randomly", "replicated")


def _distribution(cursor: Cursor) -> Distribution:
    if not cursor.word("distributed"):
        raise cursor.error()
    if cursor.word("randomly"):
        return Distribution("random")
    if cursor.word("replicated"):
        return Distribution("replicated")
    if not cursor.word("by"):
        raise cursor.error()
    keys = cursor.names_in_parentheses()
    for place, key in enumerate(keys):
        if key in keys[:place]:
            raise SqlSyntaxError(f'duplicate column "{key}" in DISTRIBUTED BY clause', sqlstate="42701")
    return Distribution("hash", keys)


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]


def parse_alter_distribution(text: str) -> AlterDistributed | None:
    """The policy that an ALTER TABLE sets; None where it does something else, which PostgreSQL then does."""
    cursor = Cursor(text)
    if not any(token.depth == 0 and token.is_word("distributed") for token in cursor.tokens):
        return None
    if not (cursor.words("alter", "table") or cursor.words("alter", "materialized", "view")):
        return None
    if_exists = cursor.words("if", "exists")
    cursor.word("only")
    table = cursor.qualified_name()
    cursor.mark("*")
    if not cursor.word("set"):
        return None
    if cursor.word("with"):
        cursor.skip_parentheses()
    if not ((token := cursor.token) is not None and token.is_word("distributed")):
        return None
    distribution = _distribution(cursor)
    if not cursor.done:
        raise cursor.error()
    return AlterDistributed(table, if_exists, distribution)


@dataclass(frozen=True, slots=True)
class TimeTravel:
    """One AT clause: `kind` is 'version' or 'timestamp', `expression` the text behind =>."""

    kind: str
    expression: str
    start: int


def strip_time_travel(text: str) -> tuple[str, tuple[TimeTravel, ...]]:
    """A query with its AT (VERSION => n) and AT (TIMESTAMP => t) clauses blanked out, for PostgreSQL to analyse."""
    cursor = Cursor(text)
    found: list[TimeTravel] = []
    while (token := cursor.token) is not None:
        clause = [cursor.peek(ahead) for ahead in range(1, 4)]
        opening, kind, arrow = clause
        if not (
            token.is_word("at")
            and opening is not None
            and opening.is_mark("(")
            and kind is not None
            and kind.is_word("version", "timestamp")
            and arrow is not None
            and (arrow.is_mark("=>") or arrow.value == "=>")
        ):
            cursor.index += 1
            continue
        cursor.index += 1
        inside = cursor.skip_parentheses()
        expression = inside[inside.index("=>") + 2 :].strip()
        found.append(TimeTravel(kind.value, expression, token.start))
        text = _blank(text, token.start, cursor.tokens[cursor.index - 1].end)
    return text, tuple(found)
