"""The query that a function in SQL is. Coordinator process."""

from __future__ import annotations

import re
from functools import lru_cache

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.bind.parse import parse
from mere.sql.functions.user import UserFunction
from mere.sql.lexer import split

_ATOMIC = re.compile(r"\s*BEGIN\s+ATOMIC\b(.*)\bEND\s*\Z", re.IGNORECASE | re.DOTALL)
_RETURN = re.compile(r"\s*RETURN\b(.*)\Z", re.IGNORECASE | re.DOTALL)


def body_query(function: UserFunction) -> exp.Expression:
    """The syntax of its one query, which is never changed; 0A000 for a body that is anything else."""
    return _query(function.name, function.source if function.body is None else function.body, function.body is not None)


@lru_cache(maxsize=512)
def _query(name: str, text: str, qualified: bool) -> exp.Expression:
    if qualified and (expression := _RETURN.match(text)) is not None:
        text = f"SELECT {expression[1]}"
    elif qualified and (atomic := _ATOMIC.match(text)) is not None:
        text = atomic[1]
    statements = split(text)
    if len(statements) != 1:
        raise FeatureNotSupported(
            f"function {name}() is not supported over lake data: it has {len(statements)} statements",
            hint="A function of one query can be part of the query that calls it.",
        )
    tree = parse(statements[0].text)
    if not isinstance(tree, exp.Query | exp.Values | exp.Subquery):
        raise FeatureNotSupported(f"function {name}() is not supported over lake data: it is no query")
    return tree
