"""Reads COPY statements, in the option syntax of PostgreSQL 9.0 and later and in the older one.

Owns the shape of COPY only; what an option means is the loader's. A pure function in the gateway's process.
"""

from __future__ import annotations

from dataclasses import dataclass

from mere.errors import SqlSyntaxError
from mere.sql.token_cursor import Cursor, Name


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY {target [(columns)] | (query)} {FROM | TO} {STDIN | STDOUT | 'location' | PROGRAM 'x'} options [WHERE x].

    `options` are (folded name, value): a string, a tuple of column names, '*', or True for an option without a value.
    """

    target: Name | None
    columns: tuple[str, ...]
    query: str | None
    query_start: int
    is_from: bool
    location: str | None  # None: STDIN or STDOUT
    program: bool
    options: tuple[tuple[str, str | tuple[str, ...] | bool], ...]
    where: str | None

    def option(self, name: str) -> str | tuple[str, ...] | bool | None:
        """An option's value. PostgreSQL refuses an option said twice, so must we."""
        values = [value for key, value in self.options if key == name]
        if len(values) > 1:
            raise SqlSyntaxError("conflicting or redundant options")
        return values[0] if values else None


def parse_copy(text: str) -> Copy:
    cursor = Cursor(text)
    if not cursor.word("copy"):
        raise cursor.error()
    options: list[tuple[str, str | tuple[str, ...] | bool]] = []
    target: Name | None = None
    columns: tuple[str, ...] = ()
    query, query_start = None, 0
    opening = cursor.token
    if opening is not None and opening.is_mark("("):
        query, query_start = cursor.skip_parentheses(), opening.end
    else:
        if cursor.peek(1) is not None and not _follows_name(cursor) and cursor.word("binary"):
            options.append(("format", "binary"))
        target = cursor.qualified_name()
        if (token := cursor.token) is not None and token.is_mark("("):
            columns = cursor.names_in_parentheses()
    is_from = cursor.word("from")
    if not is_from and not cursor.word("to"):
        raise cursor.error()
    program = cursor.word("program")
    location = None if cursor.word("stdin", "stdout") else cursor.string()
    if cursor.word("using"):
        cursor.word("delimiters")
        options.append(("delimiter", cursor.string()))
    cursor.word("with")
    if (token := cursor.token) is not None and token.is_mark("("):
        options += _new_options(cursor)
    else:
        options += _old_options(cursor)
    where = cursor.rest()[0] if cursor.word("where") else None
    if where is None and not cursor.done:
        raise cursor.error()
    return Copy(target, columns, query, query_start, is_from, location, program, tuple(options), where)


def _follows_name(cursor: Cursor) -> bool:
    """Is the token after this one what can follow a table's name? Then BINARY here is a table."""
    following = cursor.peek(1)
    return following is not None and (
        following.is_word("from", "to") or following.is_mark("(") or following.is_mark(".")
    )


def _new_options(cursor: Cursor) -> list[tuple[str, str | tuple[str, ...] | bool]]:
    options: list[tuple[str, str | tuple[str, ...] | bool]] = []
    cursor.expect("(")
    while not cursor.mark(")"):
        options.append((cursor.name(), _new_value(cursor)))
        if not cursor.mark(","):
            cursor.expect(")")
            break
    return options


def _new_value(cursor: Cursor) -> str | tuple[str, ...] | bool:
    token = cursor.token
    if token is None:
        raise cursor.error()
    if token.is_mark("("):
        return cursor.names_in_parentheses()
    if cursor.mark("*"):
        return "*"
    if token.kind == "punctuation":
        return True
    sign = "-" if cursor.mark("-") else ""
    cursor.mark("+")
    token = cursor.token
    if token is None or token.kind == "punctuation":
        raise cursor.error()
    cursor.index += 1
    return sign + token.value


def _old_options(cursor: Cursor) -> list[tuple[str, str | tuple[str, ...] | bool]]:
    options: list[tuple[str, str | tuple[str, ...] | bool]] = []
    while not cursor.done:
        if cursor.word("binary", "csv"):
            options.append(("format", cursor.tokens[cursor.index - 1].value))
        elif cursor.word("freeze", "header"):
            options.append((cursor.tokens[cursor.index - 1].value, True))
        elif cursor.word("delimiter", "null", "quote", "escape", "encoding"):
            name = cursor.tokens[cursor.index - 1].value
            cursor.word("as")
            options.append((name, cursor.string()))
        elif cursor.words("force", "quote"):
            options.append(("force_quote", "*" if cursor.mark("*") else _columns(cursor)))
        elif cursor.words("force", "not", "null"):
            options.append(("force_not_null", "*" if cursor.mark("*") else _columns(cursor)))
        elif cursor.words("force", "null"):
            options.append(("force_null", "*" if cursor.mark("*") else _columns(cursor)))
        else:
            break
    return options


def _columns(cursor: Cursor) -> tuple[str, ...]:
    names = [cursor.name()]
    while cursor.mark(","):
        names.append(cursor.name())
    return tuple(names)
