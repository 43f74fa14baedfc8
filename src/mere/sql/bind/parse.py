"""Text to syntax tree, with what sqlglot's statement grammar lacks taken out before.

PostgreSQL has accepted the statement already, so what does not parse here is a gap of ours, and is called one. Lives
in the gateway's process.
"""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from mere.errors import FeatureNotSupported, MereError
from mere.sql.bind.bulk import long_insert
from mere.sql.dialect import Mere
from mere.sql.lexer import Token, tokens

MERGE_DEFAULT_VALUES = "mere default values"
_LONGEST = 4_000_000  # characters: parsing takes seconds, and a hundred times the memory
_REWRITTEN = re.compile(r"\boverriding\b|\bmerge\b", re.IGNORECASE)


def parse(text: str) -> exp.Expression:
    """One statement. The tree is never changed by binding, so it may be kept and bound again."""
    long = long_insert(text)
    if long is not None:
        return long
    if len(text) > _LONGEST:
        raise MereError(
            f"a statement of {len(text)} characters over lake tables is too long",
            sqlstate="54000",
            detail=f"INSERT ... VALUES of literals may have any length, other statements {_LONGEST} characters.",
            hint="Pass long values as parameters, many of them as an array, or load them with COPY.",
        )
    overriding = ""
    if _REWRITTEN.search(text):
        text, overriding = _rewrite(text)
    try:
        tree = sqlglot.parse_one(text, dialect=Mere)
    except (ParseError, TokenError) as error:
        raise _unsupported(error) from error
    except RecursionError as error:
        raise MereError("stack depth limit exceeded", sqlstate="54001") from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # sqlglot's parser loses its way in some broken statements; PostgreSQL says what is wrong with them.
        raise FeatureNotSupported("this syntax is not supported over lake tables") from error
    if not isinstance(tree, exp.Expression):
        raise FeatureNotSupported("this statement is not supported over lake tables")
    if overriding:
        tree.meta["overriding"] = overriding
    return tree


def _rewrite(text: str) -> tuple[str, str]:
    """Takes out OVERRIDING x VALUE; in MERGE, DEFAULT VALUES becomes a row that the binder knows."""
    found = list(tokens(text))
    overriding, pieces, position = "", [], 0
    merge = any(token.is_word("merge") for token in found[:1]) or any(
        token.depth == 0 and token.is_word("merge") for token in found
    )
    for place, token in enumerate(found):
        after = [following.value if following.kind == "word" else "" for following in found[place + 1 : place + 3]]
        if token.is_word("overriding") and after[1:] == ["value"] and after[0] in ("system", "user"):
            overriding = after[0]
            pieces.append(text[position : token.start])
            position = found[place + 2].end
        elif merge and token.is_word("default") and after[:1] == ["values"] and _previous(found, place, "insert"):
            pieces.append(f'{text[position : token.start]} VALUES ("{MERGE_DEFAULT_VALUES}")')
            position = found[place + 1].end
    return "".join([*pieces, text[position:]]), overriding


def _previous(found: list[Token], place: int, word: str) -> bool:
    return place > 0 and found[place - 1].is_word(word)


def _unsupported(error: ParseError | TokenError) -> FeatureNotSupported:
    details = getattr(error, "errors", None) or [{}]
    near = details[0].get("highlight")
    where = f' near "{near}"' if near else ""
    return FeatureNotSupported(f"this syntax is not supported over lake tables{where}")
