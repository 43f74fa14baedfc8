"""Functions of the users' in Python: what travels to where they run, and the name by which a query calls them.

A query's text names a function by a digest of all that it is; who runs the text finds the function by that. Plain data;
coordinator and segments.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass

from mere.sql.types import (
    BOOL,
    BPCHAR,
    BYTEA,
    DATE,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    JSON,
    JSONB,
    NUMERIC,
    TEXT,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    UUID,
    VARCHAR,
    array_of,
)

PREFIX = "mere_python_"
# Printing a tree makes capitals of functions' names.
_NAME = re.compile(rf"\b{PREFIX}([0-9a-f]{{32}})\b", re.IGNORECASE)
_KEPT = 10_000

# What crosses, by type, and DuckDB's type that carries it; what is not here crosses as its text.
_CARRIED = {
    BOOL: "BOOLEAN",
    INT2: "SMALLINT",
    INT4: "INTEGER",
    INT8: "BIGINT",
    FLOAT4: "FLOAT",
    FLOAT8: "DOUBLE",
    BYTEA: "BLOB",
    DATE: "DATE",
    TIME: "TIME",
    TIMESTAMP: "TIMESTAMP",
    TIMESTAMPTZ: "TIMESTAMPTZ",
}
_AS_TEXT = (TEXT, VARCHAR, BPCHAR, NUMERIC, UUID, JSON, JSONB)
_IN_ARRAYS = (BOOL, INT2, INT4, INT8, FLOAT4, FLOAT8, TEXT, VARCHAR, DATE, TIMESTAMP)
CARRIERS: dict[int, str] = {**_CARRIED, **dict.fromkeys(_AS_TEXT, "VARCHAR")}
CARRIERS |= {array_of(oid): f"{CARRIERS[oid]}[]" for oid in _IN_ARRAYS}


@dataclass(frozen=True, slots=True)
class PythonFunction:
    """`parameters` are (name or "", DuckDB type); `arguments` and `result` name the types that Python sees.

    `arrow`: it takes and gives whole arrays. `identity` tells functions of the same text apart.
    """

    identity: int
    name: str
    source: str
    parameters: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...]
    carrier: str
    result: str
    arrow: bool
    strict: bool

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:32]


_known: OrderedDict[str, PythonFunction] = OrderedDict()


def remember(functions: Iterable[PythonFunction]) -> None:
    """From now on texts with their names can run in this process."""
    for function in functions:
        _known[function.digest] = function
        _known.move_to_end(function.digest)
    while len(_known) > _KEPT:
        _known.popitem(last=False)


def call_name(function: PythonFunction) -> str:
    """The name by which a query in this process may call it."""
    remember((function,))
    return PREFIX + function.digest


def functions_in(sql: str) -> tuple[PythonFunction, ...]:
    """The functions that a query calls."""
    if not _mentions(sql):
        return ()
    found = (_known.get(digest.lower()) for digest in dict.fromkeys(_NAME.findall(sql)))
    return tuple(function for function in found if function is not None)


def renamed(sql: str, name: Callable[[str, PythonFunction], str]) -> str:
    """The query with other names for the functions that it calls, by digest. An alias that looks like one stays."""
    if not _mentions(sql):
        return sql

    def replace(match: re.Match[str]) -> str:
        digest = match[1].lower()
        function = _known.get(digest)
        return match[0] if function is None else name(digest, function)

    return _NAME.sub(replace, sql)


def _mentions(sql: str) -> bool:
    return PREFIX in sql or PREFIX.upper() in sql
