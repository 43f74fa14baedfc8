"""Reads the small statements that the session carries out itself: transactions, EXPLAIN, PREPARE, cursors, TRUNCATE.

Owns their syntax as far as the session needs it; PostgreSQL has seen, or will see, the same text and reports its
errors. Pure functions in the gateway's process.
"""

from __future__ import annotations

from dataclasses import dataclass

from mere.sql.lexer import Token
from mere.sql.token_cursor import Cursor, Name


@dataclass(frozen=True, slots=True)
class TransactionOptions:
    """Of BEGIN, START TRANSACTION, SET TRANSACTION, COMMIT and ROLLBACK. None: not said."""

    isolation: str | None = None  # 'read committed', 'repeatable read', 'serializable', 'read uncommitted'
    read_only: bool | None = None
    deferrable: bool | None = None
    chain: bool = False
    snapshot: str | None = None  # SET TRANSACTION SNAPSHOT 'x'
    savepoint: str | None = None  # of SAVEPOINT, RELEASE and ROLLBACK TO


def parse_transaction(text: str) -> TransactionOptions:
    """The options of a transaction statement, whichever it is; the last word on each wins, as in PostgreSQL."""
    cursor = Cursor(text)
    if cursor.words("set", "session", "characteristics", "as", "transaction") or cursor.word("start", "set", "begin"):
        cursor.word("local")
    elif cursor.word("savepoint"):
        return TransactionOptions(savepoint=cursor.name())
    elif cursor.word("release"):
        cursor.word("savepoint")
        return TransactionOptions(savepoint=cursor.name())
    elif cursor.word("commit", "end", "rollback", "abort"):
        cursor.word("work", "transaction")
        if cursor.word("to"):
            cursor.word("savepoint")
            return TransactionOptions(savepoint=cursor.name())
        return TransactionOptions(chain=cursor.words("and", "chain"))
    cursor.word("work", "transaction")
    return _transaction_modes(cursor)


def _transaction_modes(cursor: Cursor) -> TransactionOptions:
    isolation, read_only, deferrable, snapshot = None, None, None, None
    while not cursor.done:
        if cursor.words("isolation", "level"):
            isolation = cursor.name()
            if isolation in ("read", "repeatable"):
                isolation += " " + cursor.name()
        elif cursor.words("read", "only"):
            read_only = True
        elif cursor.words("read", "write"):
            read_only = False
        elif cursor.word("deferrable"):
            deferrable = True
        elif cursor.words("not", "deferrable"):
            deferrable = False
        elif cursor.word("snapshot"):
            snapshot = cursor.string()
        elif not cursor.mark(","):
            raise cursor.error()
    return TransactionOptions(isolation, read_only, deferrable, snapshot=snapshot)


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN's options by folded name ('analyze': 'true', 'format': 'json') and the statement it explains."""

    options: tuple[tuple[str, str], ...]
    inner: str
    inner_start: int

    def flag(self, name: str, default: bool = False) -> bool:
        values = [value for option, value in self.options if option == name]
        return values[-1] in ("true", "on", "1", "") if values else default


def parse_explain(text: str) -> Explain:
    cursor = Cursor(text)
    cursor.word("explain")
    options: list[tuple[str, str]] = []
    opening, inside = cursor.token, cursor.peek(1)
    if (
        opening is not None
        and opening.is_mark("(")
        and inside is not None
        and inside.is_name
        and not _starts_query(inside)
    ):
        cursor.expect("(")
        while not cursor.mark(")"):
            options.append((cursor.name(), _option_value(cursor)))
            cursor.mark(",")
    else:
        while cursor.word("analyze", "analyse", "verbose"):
            previous = cursor.tokens[cursor.index - 1].value
            options.append(("analyze" if previous == "analyse" else previous, "true"))
    inner, start = cursor.rest()
    return Explain(tuple(options), inner, start)


def _starts_query(token: Token) -> bool:
    return token.is_word("select", "with", "values", "table")


def _option_value(cursor: Cursor) -> str:
    token = cursor.token
    if token is None or token.kind == "punctuation":
        return "true"
    cursor.index += 1
    return token.value.lower()


@dataclass(frozen=True, slots=True)
class Prepare:
    """PREPARE name [(types)] AS inner."""

    name: str
    types: str  # the text between the parentheses, '' without
    inner: str
    inner_start: int


def parse_prepare(text: str) -> Prepare:
    cursor = Cursor(text)
    cursor.word("prepare")
    name = cursor.name()
    types = ""
    if (token := cursor.token) is not None and token.is_mark("("):
        types = cursor.skip_parentheses()
    if not cursor.word("as"):
        raise cursor.error()
    inner, start = cursor.rest()
    return Prepare(name, types, inner, start)


@dataclass(frozen=True, slots=True)
class Execute:
    """EXECUTE name [(arguments)]; the arguments are PostgreSQL expressions, as written."""

    name: str
    arguments: tuple[str, ...]


def parse_execute(text: str) -> Execute:
    cursor = Cursor(text)
    cursor.word("execute")
    name = cursor.name()
    opening = cursor.token
    if opening is None:
        return Execute(name, ())
    cursor.expect("(")
    arguments, start = [], opening.end
    while (token := cursor.token) is not None:
        cursor.index += 1
        closing = token.is_mark(")") and token.depth == opening.depth
        if closing or (token.is_mark(",") and token.depth == opening.depth + 1):
            arguments.append(text[start : token.start].strip())
            start = token.end
        if closing:
            return Execute(name, tuple(argument for argument in arguments if argument))
    raise cursor.error()


def parse_deallocate(text: str) -> str | None:
    """The name of DEALLOCATE [PREPARE] name, CLOSE name; None for ALL."""
    cursor = Cursor(text)
    cursor.word("deallocate", "close")
    following = cursor.peek(1)
    if following is not None and following.is_name:
        cursor.word("prepare")
    return None if cursor.word("all") else cursor.name()


@dataclass(frozen=True, slots=True)
class Declare:
    """DECLARE name [BINARY] [INSENSITIVE] [[NO] SCROLL] CURSOR [WITH HOLD] FOR inner."""

    name: str
    binary: bool
    scroll: bool | None
    hold: bool
    inner: str
    inner_start: int


def parse_declare(text: str) -> Declare:
    cursor = Cursor(text)
    cursor.word("declare")
    name = cursor.name()
    binary, hold, scroll = False, False, None
    while not cursor.word("cursor"):
        if cursor.word("binary"):
            binary = True
        elif cursor.words("no", "scroll"):
            scroll = False
        elif cursor.word("scroll"):
            scroll = True
        elif not cursor.word("asensitive", "insensitive"):
            raise cursor.error()
    if cursor.words("with", "hold"):
        hold = True
    else:
        cursor.words("without", "hold")
    if not cursor.word("for"):
        raise cursor.error()
    inner, start = cursor.rest()
    return Declare(name, binary, scroll, hold, inner, start)


@dataclass(frozen=True, slots=True)
class Fetch:
    """FETCH or MOVE. `direction`: forward, backward, absolute, relative; `count` None means ALL."""

    cursor: str
    direction: str
    count: int | None
    move: bool


def parse_fetch(text: str) -> Fetch:
    cursor = Cursor(text)
    move = cursor.word("move") or not cursor.word("fetch")
    direction, count = _fetch_direction(cursor)
    cursor.word("from", "in")
    return Fetch(cursor.name(), direction, count, move)


def _fetch_direction(cursor: Cursor) -> tuple[str, int | None]:
    following = cursor.peek(1)
    if following is None:
        return "forward", 1  # FETCH c, whatever c is called
    single: dict[str, tuple[str, int | None]] = {
        "next": ("forward", 1),
        "prior": ("backward", 1),
        "first": ("absolute", 1),
        "last": ("absolute", -1),
        "all": ("forward", None),
    }
    token = cursor.token
    if token is not None and token.kind == "word" and token.value in single:
        cursor.index += 1
        return single[token.value]
    if cursor.word("absolute"):
        return "absolute", _signed(cursor)
    if cursor.word("relative"):
        return "relative", _signed(cursor)
    if cursor.word("forward", "backward"):
        direction = cursor.tokens[cursor.index - 1].value
        if cursor.word("all"):
            return direction, None
        return direction, _signed(cursor) if _is_count(cursor) else 1
    return "forward", _signed(cursor) if _is_count(cursor) else 1


def _is_count(cursor: Cursor) -> bool:
    token = cursor.token
    return token is not None and token.kind in ("number", "operator")


def _signed(cursor: Cursor) -> int:
    sign = -1 if cursor.mark("-") else 1
    cursor.mark("+")
    token = cursor.token
    if token is None or not token.value.isdigit():
        raise cursor.error()
    cursor.index += 1
    return sign * int(token.value)


@dataclass(frozen=True, slots=True)
class Truncate:
    targets: tuple[tuple[Name, bool], ...]  # (name, ONLY)
    restart_identity: bool
    cascade: bool


def parse_truncate(text: str) -> Truncate:
    cursor = Cursor(text)
    cursor.word("truncate")
    cursor.word("table")
    targets = [_target(cursor)]
    while cursor.mark(","):
        targets.append(_target(cursor))
    restart = cursor.words("restart", "identity")
    cursor.words("continue", "identity")
    return Truncate(tuple(targets), restart, cursor.word("cascade"))


def _target(cursor: Cursor) -> tuple[Name, bool]:
    following = cursor.peek(1)
    only = following is not None and following.is_name and cursor.word("only")
    name = cursor.qualified_name()
    cursor.mark("*")
    return name, only


@dataclass(frozen=True, slots=True)
class Refresh:
    """REFRESH MATERIALIZED VIEW [CONCURRENTLY] name [WITH [NO] DATA]."""

    target: Name
    concurrently: bool
    with_data: bool


def parse_refresh(text: str) -> Refresh:
    cursor = Cursor(text)
    if not cursor.words("refresh", "materialized", "view"):
        raise cursor.error()
    concurrently = cursor.word("concurrently")
    target = cursor.qualified_name()
    with_data = not cursor.words("with", "no", "data")
    if with_data:
        cursor.words("with", "data")
    if not cursor.done:
        raise cursor.error()
    return Refresh(target, concurrently, with_data)


def parse_maintenance(text: str) -> tuple[Name, ...]:
    """The relations that VACUUM, ANALYZE, CLUSTER or REINDEX name; none means all."""
    cursor = Cursor(text)
    cursor.word("vacuum", "analyze", "analyse", "cluster", "reindex")
    if (token := cursor.token) is not None and token.is_mark("("):
        cursor.skip_parentheses()
    while cursor.word("full", "freeze", "verbose", "analyze", "analyse", "table", "index", "schema", "concurrently"):
        pass
    targets: list[Name] = []
    while not cursor.done:
        targets.append(_target(cursor)[0])
        if (token := cursor.token) is not None and token.is_mark("("):
            cursor.skip_parentheses()
        if not cursor.mark(","):
            break
    return tuple(targets)
