"""LIKE, SIMILAR TO and regular expressions: PostgreSQL's patterns in DuckDB's LIKE and RE2. Coordinator process."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from mere.errors import DataError, FeatureNotSupported
from mere.sql.expressions.build import binary, call, paren, string
from mere.sql.expressions.context import Context
from mere.sql.expressions.typed import Typed
from mere.sql.functions.resolution import Resolved
from mere.sql.render import with_blanks
from mere.sql.types import BOOL, PgType

Apply = Callable[[Context, list[Typed], Resolved], "Typed | exp.Expression"]


def negated(apply: Apply) -> Apply:
    def build(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
        made = apply(context, operands, found)
        assert not isinstance(made, Typed)
        return exp.Not(this=paren(made))

    return build


def _like(kind: type[exp.Binary], operands: list[Typed], escape: exp.Expression | None) -> exp.Expression:
    made = binary(kind, with_blanks(operands[0]), operands[1].sql)
    return exp.Escape(this=made, expression=escape) if escape is not None else made


def _default_escape(pattern: Typed) -> exp.Expression | None:
    """PostgreSQL's LIKE escapes with a backslash, DuckDB's with nothing unless told."""
    if isinstance(pattern.value, str) and "\\" not in pattern.value:
        return None
    if isinstance(pattern.value, str) and re.search(r"(?:^|[^\\])(?:\\\\)*\\$", pattern.value):
        raise DataError("LIKE pattern must not end with escape character", sqlstate="22025")
    return string("\\")


def like(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
    return _like(exp.Like, operands, _default_escape(operands[1]))


def ilike(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
    return _like(exp.ILike, operands, _default_escape(operands[1]))


def like_with_escape(context: Context, subject: Typed, pattern: Typed, escape: Typed, insensitive: bool) -> Typed:
    marks = subject.marks | pattern.marks | escape.marks
    text = escape.value
    if not isinstance(text, str) or len(text) > 1:
        raise DataError("invalid escape string", sqlstate="22019", hint="Escape string must be empty or one character.")
    kind = exp.ILike if insensitive else exp.Like
    sql = _like(kind, [subject, pattern], string(text) if text else None)
    return Typed(sql, PgType(BOOL), marks)


# -- regular expressions --------------------------------------------------------------------------------------------

# PostgreSQL's classes know all letters and blanks of Unicode, RE2's own those of ASCII; digits are ASCII's to both.
_LETTERS, _BLANKS = r"\p{L}\p{Nl}", r"\s\x0b\x{85}\p{Z}"
_WITHIN = {"w": rf"{_LETTERS}0-9_", "s": _BLANKS}
_NAMED = {
    "[:alpha:]": _LETTERS, "[:alnum:]": rf"{_LETTERS}0-9", "[:upper:]": r"\p{Lu}", "[:lower:]": r"\p{Ll}",
    "[:space:]": _BLANKS, "[:word:]": rf"{_LETTERS}0-9_",
}  # fmt: skip
_CLASSES = {
    "m": r"\b", "M": r"\b", "y": r"\b", "Y": r"\B", "A": r"\A", "Z": r"\z",
    "w": rf"[{_WITHIN['w']}]", "W": rf"[^{_WITHIN['w']}]", "s": rf"[{_BLANKS}]", "S": rf"[^{_BLANKS}]",
}  # fmt: skip
_UNSUPPORTED = re.compile(r"\\[1-9]|\(\?[=!<]")


def translate(pattern: str, flags: str = "") -> str:
    """An advanced regular expression of PostgreSQL in RE2's syntax; 0A000 for what RE2 lacks."""
    options, pattern = _options(pattern, flags)
    if "q" in options:
        return ("(?i)" if "i" in options else "") + re.escape(pattern)
    if _UNSUPPORTED.search(pattern.replace("\\\\", "")):
        raise FeatureNotSupported("regular expressions with back references or lookaround are not supported")
    if "x" in options:
        pattern = _compact(pattern)
    translated = _escapes(pattern)
    return _prefix(options) + translated


def _options(pattern: str, flags: str) -> tuple[set[str], str]:
    """Flags of the call and of a leading (?...) in the pattern, or *** directors."""
    options = set(flags) - {"g"}
    if pattern.startswith("***="):
        return options | {"q"}, pattern[4:]
    if pattern.startswith("***:"):
        pattern = pattern[4:]
    embedded = re.match(r"\(\?([bceimnpqstwx]+)\)", pattern)
    if embedded is not None:
        options |= set(embedded.group(1))
        pattern = pattern[embedded.end() :]
        if "c" in embedded.group(1):
            options.discard("i")
    for flag in options:
        if flag not in "bceimnpqstwx":
            raise DataError(f'invalid regular expression option: "{flag}"', sqlstate="22023")
    return options, pattern


def _prefix(options: set[str]) -> str:
    """A dot matches a newline in PostgreSQL unless newline-sensitive matching is asked for (n, m, p)."""
    inline = "i" if "i" in options else ""
    newline = bool(options & {"n", "m"})
    if not newline and "p" not in options:
        inline += "s"
    if newline or "w" in options:
        inline += "m"
    return f"(?{inline})" if inline else ""


def _compact(pattern: str) -> str:
    """Expanded syntax: blanks and comments outside brackets go."""
    return re.sub(r"(\\.|\[[^\]]*\])|\s+|#[^\n]*", lambda match: match.group(1) or "", pattern)


def _escapes(pattern: str) -> str:
    out, index, in_class = [], 0, False
    while index < len(pattern):
        char = pattern[index]
        if char == "\\" and index + 1 < len(pattern):
            following = pattern[index + 1]
            out.append((_WITHIN if in_class else _CLASSES).get(following, "\\" + following))
            index += 2
            continue
        if pattern.startswith("[[:<:]]", index) or pattern.startswith("[[:>:]]", index):
            out.append(r"\b")
            index += 7
            continue
        if in_class and pattern.startswith("[:", index):
            end = pattern.find(":]", index)
            name = pattern[index : end + 2]
            out.append(_NAMED.get(name, name))
            index = end + 2
            continue
        if char == "[" and not in_class:
            in_class = True
            out.append(char)
            index += 1
            if pattern.startswith("^", index):
                out.append("^")
                index += 1
            if pattern.startswith("]", index):
                out.append(r"\]")
                index += 1
            continue
        if char == "[" and in_class:
            out.append(r"\[")
            index += 1
            continue
        if char == "]" and in_class:
            in_class = False
        out.append(char)
        index += 1
    return "".join(out)


def pattern_sql(pattern: Typed, flags: str = "") -> exp.Expression:
    """The pattern for RE2: translated at bind time when constant, else with its commonest escapes replaced."""
    if isinstance(pattern.value, str):
        return string(translate(pattern.value, flags))
    return call("mere_regex", pattern.sql, string(_prefix(set(flags) - {"g"})))


def matches(flags: str) -> Apply:
    def build(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
        return call("regexp_matches", with_blanks(operands[0]), pattern_sql(operands[1], flags))

    return build


# -- SIMILAR TO -----------------------------------------------------------------------------------------------------


def similar_pattern(pattern: str, escape: str) -> str:
    """similar_escape(): SQL's pattern as a regular expression that must match the whole string."""
    out, index, in_class = [], 0, False
    while index < len(pattern):
        char = pattern[index]
        if escape and char == escape:
            index += 1
            if index < len(pattern):
                out.append(re.escape(pattern[index]))
        elif in_class:
            in_class = char != "]"
            out.append(char)
        elif char == "%":
            out.append(".*")
        elif char == "_":
            out.append(".")
        elif char == "[":
            in_class = True
            out.append(char)
        elif char == "(":
            out.append("(?:")
        elif char in ".^$\\":
            out.append("\\" + char)
        else:
            out.append(char)
        index += 1
    return "(?s)^(?:" + "".join(out) + ")$"


def similar_to(context: Context, subject: Typed, pattern: Typed, escape: Typed | None) -> Typed:
    marks = subject.marks | pattern.marks
    character = "\\" if escape is None else escape.value
    if not isinstance(pattern.value, str) or not isinstance(character, str):
        raise FeatureNotSupported("SIMILAR TO with a pattern that is no constant is not supported")
    sql = call("regexp_matches", subject.sql, string(similar_pattern(pattern.value, character)))
    return Typed(sql, PgType(BOOL), marks)
