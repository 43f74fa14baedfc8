"""Classifies a statement by its leading words: what the session routes on.

Owns the list of statement kinds and no parsing beyond finding the verb (behind a WITH list, say). Pure functions in
the gateway's process; the parts of single statements are read by `sql/commands.py`, `sql/copy_command.py`,
`sql/distribution.py` and `sql/created.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from mere.sql.lexer import Statement, Token, tokens


class StatementKind(Enum):
    """One value for each way the session may have to go."""

    SELECT = auto()  # SELECT, VALUES, TABLE, WITH ... SELECT
    SELECT_INTO = auto()
    INSERT = auto()
    UPDATE = auto()
    DELETE = auto()
    MERGE = auto()
    CREATE_TABLE = auto()
    CREATE_TABLE_AS = auto()  # also CREATE TABLE ... AS EXECUTE
    CREATE_VIEW = auto()
    CREATE_MATERIALIZED_VIEW = auto()
    REFRESH_MATERIALIZED_VIEW = auto()
    CREATE_INDEX = auto()
    ALTER_TABLE = auto()
    CREATE_DATABASE = auto()
    ALTER_DATABASE = auto()
    DROP_DATABASE = auto()
    DDL = auto()  # every other CREATE, ALTER, DROP, GRANT, REVOKE, COMMENT, REASSIGN, SECURITY LABEL, IMPORT
    COPY = auto()
    EXPLAIN = auto()
    BEGIN = auto()
    COMMIT = auto()
    ROLLBACK = auto()
    SAVEPOINT = auto()
    RELEASE = auto()
    ROLLBACK_TO = auto()
    SET_TRANSACTION = auto()  # SET [LOCAL] TRANSACTION
    SET_SESSION_TRANSACTION = auto()  # SET SESSION CHARACTERISTICS AS TRANSACTION
    PREPARE_TRANSACTION = auto()  # also COMMIT PREPARED and ROLLBACK PREPARED
    SET = auto()
    SET_CONSTRAINTS = auto()
    SHOW = auto()
    RESET = auto()
    DISCARD = auto()
    PREPARE = auto()
    EXECUTE = auto()
    DEALLOCATE = auto()
    DECLARE = auto()
    FETCH = auto()
    MOVE = auto()
    CLOSE = auto()
    TRUNCATE = auto()
    VACUUM = auto()
    ANALYZE = auto()
    CLUSTER = auto()
    REINDEX = auto()
    CHECKPOINT = auto()
    LOCK = auto()
    DO = auto()
    CALL = auto()
    LISTEN = auto()  # LISTEN, NOTIFY, UNLISTEN
    LOAD = auto()
    OTHER = auto()


READS = frozenset({StatementKind.SELECT})
WRITES = frozenset({StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE, StatementKind.MERGE})
TRANSACTION_CONTROL = frozenset(
    {
        StatementKind.BEGIN,
        StatementKind.COMMIT,
        StatementKind.ROLLBACK,
        StatementKind.SAVEPOINT,
        StatementKind.RELEASE,
        StatementKind.ROLLBACK_TO,
        StatementKind.PREPARE_TRANSACTION,
    }
)
DEFINITIONS = frozenset(
    {
        StatementKind.CREATE_TABLE,
        StatementKind.CREATE_VIEW,
        StatementKind.CREATE_INDEX,
        StatementKind.ALTER_TABLE,
        StatementKind.DDL,
    }
)

_SIMPLE = {
    "select": StatementKind.SELECT,
    "values": StatementKind.SELECT,
    "table": StatementKind.SELECT,
    "insert": StatementKind.INSERT,
    "update": StatementKind.UPDATE,
    "delete": StatementKind.DELETE,
    "merge": StatementKind.MERGE,
    "copy": StatementKind.COPY,
    "explain": StatementKind.EXPLAIN,
    "begin": StatementKind.BEGIN,
    "start": StatementKind.BEGIN,
    "end": StatementKind.COMMIT,
    "abort": StatementKind.ROLLBACK,
    "savepoint": StatementKind.SAVEPOINT,
    "release": StatementKind.RELEASE,
    "show": StatementKind.SHOW,
    "reset": StatementKind.RESET,
    "discard": StatementKind.DISCARD,
    "execute": StatementKind.EXECUTE,
    "deallocate": StatementKind.DEALLOCATE,
    "declare": StatementKind.DECLARE,
    "fetch": StatementKind.FETCH,
    "move": StatementKind.MOVE,
    "close": StatementKind.CLOSE,
    "truncate": StatementKind.TRUNCATE,
    "vacuum": StatementKind.VACUUM,
    "analyze": StatementKind.ANALYZE,
    "analyse": StatementKind.ANALYZE,
    "cluster": StatementKind.CLUSTER,
    "reindex": StatementKind.REINDEX,
    "checkpoint": StatementKind.CHECKPOINT,
    "lock": StatementKind.LOCK,
    "do": StatementKind.DO,
    "call": StatementKind.CALL,
    "listen": StatementKind.LISTEN,
    "notify": StatementKind.LISTEN,
    "unlisten": StatementKind.LISTEN,
    "load": StatementKind.LOAD,
    "drop": StatementKind.DDL,
    "grant": StatementKind.DDL,
    "revoke": StatementKind.DDL,
    "comment": StatementKind.DDL,
    "reassign": StatementKind.DDL,
    "security": StatementKind.DDL,
    "import": StatementKind.DDL,
}
_MAIN_VERBS = ("select", "values", "table", "insert", "update", "delete", "merge")
_TABLE_MODIFIERS = frozenset({"global", "local", "temporary", "temp", "unlogged"})


@dataclass(frozen=True, slots=True)
class Verb:
    """The main verb of a statement: its kind and the token offset (characters in the statement) where it stands."""

    kind: StatementKind
    position: int


def classify(statement: Statement) -> StatementKind:
    """The kind of a statement. A statement that PostgreSQL would not parse may get any kind."""
    words = statement.keywords
    if not words:
        return StatementKind.OTHER
    first, second = words[0], words[1] if len(words) > 1 else ""
    if first == "with":
        verb = main_verb(statement.text)
        selects_into = verb.kind is StatementKind.SELECT and _has_into(statement)
        return StatementKind.SELECT_INTO if selects_into else verb.kind
    if first == "select":
        return StatementKind.SELECT_INTO if _has_into(statement) else StatementKind.SELECT
    if first == "create":
        return _classify_create(statement)
    if first == "alter":
        if second == "materialized" and "distributed" in statement.words:
            return StatementKind.ALTER_TABLE
        kinds = {"table": StatementKind.ALTER_TABLE, "database": StatementKind.ALTER_DATABASE}
        return kinds.get(second, StatementKind.DDL)
    if first == "drop" and second == "database":
        return StatementKind.DROP_DATABASE
    if first == "refresh":
        return StatementKind.REFRESH_MATERIALIZED_VIEW
    if first in ("commit", "rollback", "prepare", "set"):
        return _classify_session(first, words)
    return _SIMPLE.get(first, StatementKind.OTHER)


def _classify_session(first: str, words: tuple[str, ...]) -> StatementKind:
    second = words[1] if len(words) > 1 else ""
    if first == "set":
        if words[1:3] == ("session", "characteristics"):
            return StatementKind.SET_SESSION_TRANSACTION
        rest = words[2:] if second == "local" else words[1:]
        if rest[:1] == ("transaction",):
            return StatementKind.SET_TRANSACTION
        return StatementKind.SET_CONSTRAINTS if rest[:1] == ("constraints",) else StatementKind.SET
    if first == "prepare":
        return StatementKind.PREPARE_TRANSACTION if words == ("prepare", "transaction") else StatementKind.PREPARE
    if second == "prepared":
        return StatementKind.PREPARE_TRANSACTION
    if first == "commit":
        return StatementKind.COMMIT
    return StatementKind.ROLLBACK_TO if "to" in words[1:3] else StatementKind.ROLLBACK


def _classify_create(statement: Statement) -> StatementKind:
    words = [word for word in statement.keywords[1:] if word not in ("or", "replace")]
    while words and words[0] in _TABLE_MODIFIERS:
        words.pop(0)
    noun = words[0] if words else ""
    if noun == "table":
        return StatementKind.CREATE_TABLE_AS if _is_table_as(statement) else StatementKind.CREATE_TABLE
    if noun in ("view", "recursive"):
        return StatementKind.CREATE_VIEW
    if noun == "materialized":
        return StatementKind.CREATE_MATERIALIZED_VIEW
    if noun == "index" or words[:2] == ["unique", "index"]:
        return StatementKind.CREATE_INDEX
    return StatementKind.CREATE_DATABASE if noun == "database" else StatementKind.DDL


def _is_table_as(statement: Statement) -> bool:
    """CREATE TABLE name [(columns)] [USING ...] [WITH (...)] ... AS query: an AS outside of parentheses."""
    return "as" in statement.words and any(token.depth == 0 and token.is_word("as") for token in tokens(statement.text))


def _has_into(statement: Statement) -> bool:
    """SELECT list INTO target FROM ...: INTO outside of parentheses, before FROM."""
    return "into" in statement.words and into_position(statement.text) is not None


def into_position(text: str) -> int | None:
    """The offset of the INTO of a SELECT INTO."""
    verb = main_verb(text)
    for token in tokens(text):
        if token.depth == 0 and token.kind == "word" and token.start >= verb.position:
            if token.value == "into":
                return token.start
            if token.value in ("from", "where", "union", "intersect", "except"):
                return None
    return None


def main_verb(text: str) -> Verb:
    """The verb after a WITH list (and parentheses), or the first word's."""
    return main_verb_of(tokens(text))


def main_verb_of(stream: Iterable[Token]) -> Verb:
    """The verb that starts `stream`, or the one behind its WITH list."""
    stream = iter(stream)
    for token in stream:
        if token.is_word("with"):
            return _verb_behind_with(stream, token.depth)
        if not token.is_mark("("):
            kind = _SIMPLE.get(token.value, StatementKind.OTHER) if token.kind == "word" else StatementKind.OTHER
            return Verb(kind, token.start)
    return Verb(StatementKind.OTHER, 0)


def _verb_behind_with(stream: Iterable[Token], depth: int) -> Verb:
    """The first verb that follows a closing parenthesis: a table expression may itself be named "update"."""
    closed = False  # the token before was a ) of the list, or a word of the SEARCH or CYCLE clause behind it
    for token in stream:
        if token.depth != depth:
            continue
        if closed and token.is_word(*_MAIN_VERBS):
            return Verb(_SIMPLE[token.value], token.start)
        if closed and token.is_mark("("):
            depth += 1  # WITH ... (SELECT ...)
        elif token.is_mark(")") or (closed and token.is_word("search", "cycle")):
            closed = True
        elif token.is_mark(",") or token.is_word("as"):
            closed = False
    return Verb(StatementKind.OTHER, 0)
