"""Text to syntax tree, with what sqlglot's statement grammar lacks taken out before.

PostgreSQL has accepted the statement already, so what does not parse here is a gap of ours, and is called one. Lives
in the gateway's process.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from mere.errors import FeatureNotSupported
from mere.sql.dialect import Mere


def parse(text: str) -> exp.Expression:
    """One statement. The tree is never changed by binding, so it may be kept and bound again."""
    try:
        tree = sqlglot.parse_one(text, dialect=Mere)
    except (ParseError, TokenError) as error:
        raise _unsupported(error) from error
    if not isinstance(tree, exp.Expression):
        raise FeatureNotSupported("this statement is not supported over lake tables")
    return tree


def _unsupported(error: ParseError | TokenError) -> FeatureNotSupported:
    details = getattr(error, "errors", None) or [{}]
    near = details[0].get("highlight")
    where = f' near "{near}"' if near else ""
    return FeatureNotSupported(f"this syntax is not supported over lake tables{where}")
