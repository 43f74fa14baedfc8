"""Splits a query string in statements and tokens after the rules of PostgreSQL's scan.l.

Owns no grammar: it knows strings, comments, dollar quotes, identifiers and where a statement ends, and so what a
statement names. Pure functions in the gateway's process. Every jump is one regular-expression match over a run of
dull text, so that a bulk INSERT of tens of megabytes costs seconds.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass


def _repeated(body: str) -> str:
    """As often as it goes, and never given back. Before 3.11.5 Python forgets to return from a last round that fails
    half-way; there an atomic group does the same, and takes memory for each round."""
    return f"(?:{body})*+" if sys.version_info >= (3, 11, 5) else f"(?>(?:{body})*)"


_LETTER = r"A-Za-z_\x80-\U0010ffff"
_SPACE = r"[ \t\n\r\f\v]"
_IDENTIFIER = rf"[{_LETTER}][{_LETTER}0-9$]*+"
# A string may go on after a newline; an E string stays one.
_BLANK = _repeated(r"[ \t\n\r\f\v]++|--[^\n\r]*+")
_CONTINUE = rf"[ \t\f\v]*+(?:--[^\n\r]*+)?[\n\r]{_BLANK}'"
_PLAIN = rf"""'[^']*+{_repeated("''[^']*+")}(?:'|\Z)"""
_ESCAPED_BODY = _repeated(r"[^'\\]++|''|\\.") + r"(?:'|\Z)"
_ESCAPED = rf"[eE]'{_ESCAPED_BODY}{_repeated(_CONTINUE + _ESCAPED_BODY)}"
_QUOTED = '"[^"]*+' + _repeated('""[^"]*+') + r'(?:"|\Z)'
_NUMBER = rf"(?:[0-9][{_LETTER}0-9]*+(?:\.[0-9]?[0-9A-Za-z_]*+)?|\.[0-9][0-9A-Za-z_]*+)(?:(?<=[eE])[+-][0-9_]++)?"
_DOLLAR = rf"\$(?P<tag>(?:[{_LETTER}][{_LETTER}0-9]*+)?)\$(?:.*?\$(?P=tag)\$|.*+)"

# Text that decides nothing about where a statement ends: space, numbers, operators, plain strings.
_DULL = rf"""(?:[ \t\n\r\f\v,+*<>=~!@\#%^&|`?:\[\]{{}}.\\]++|[0-9][{_LETTER}0-9]*+|{_PLAIN}|-(?!-)|/(?!\*))"""
# A closed pair of parentheses with nothing but literals: a row of a bulk INSERT is one step.
_LITERAL = rf"""[ \t\n\r\f\v,+.:]++|[0-9][0-9A-Za-z_]*+|{_PLAIN}|-(?!-)|[nN][uU][lL][lL]\b|[tT][rR][uU][eE]\b
    |[fF][aA][lL][sS][eE]\b"""
_ROW = rf"\({_repeated(_LITERAL)}\)"

_STEP = re.compile(
    rf"""(?P<skip>(?:{_DULL}|{_ROW}){{1,1000}})
    |(?P<line>--[^\n\r]*+)
    |(?P<string>{_ESCAPED}|[bBxXnN]{_PLAIN}|[uU]&{_PLAIN})
    |(?P<unicode>[uU]&{_QUOTED})
    |(?P<word>{_IDENTIFIER})
    |(?P<quoted>{_QUOTED})
    |(?P<comment>/\*)
    |(?P<parameter>\$[0-9]++)
    |(?P<dollar>{_DOLLAR})
    |(?P<open>\()|(?P<close>\))|(?P<end>;)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_TOKEN = re.compile(
    rf"""(?P<space>(?={_SPACE}|--){_BLANK})
    |(?P<string>{_ESCAPED}|[bBxXnN]{_PLAIN}|[uU]&{_PLAIN}|{_PLAIN})
    |(?P<unicode>[uU]&{_QUOTED})
    |(?P<word>{_IDENTIFIER})
    |(?P<quoted>{_QUOTED})
    |(?P<comment>/\*)
    |(?P<parameter>\$[0-9]++)
    |(?P<dollar>{_DOLLAR})
    |(?P<number>{_NUMBER})
    |(?P<punctuation>=>|:=|::|\.\.|[(),;.\[\]:])
    |(?P<operator>(?>(?:(?!--|/\*)[+\-*/<>=~!@\#%^&|`?])+))
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_UPPER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_IDENTIFIER_BYTES = 63
_LEADING_WORDS = 8


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a query string, without its semicolon and the blanks and comments around it.

    `start` counts characters from 0 in the whole string. `keywords` are the first unquoted words, folded, up to the
    first token that is no word. `words` holds every folded word and every quoted identifier, so that a name that is
    not in it is not named by the statement. `parameters` is the highest $n.
    """

    text: str
    start: int
    keywords: tuple[str, ...]
    words: frozenset[str]
    parameters: int


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: word, quoted, string, dollar, parameter, number, punctuation, operator or other. `value` is the folded
    word, the identifier or string without quotes, else the text itself; `start` and `end` are character offsets."""

    kind: str
    value: str
    start: int
    end: int
    depth: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.value in words

    def is_mark(self, mark: str) -> bool:
        return self.kind == "punctuation" and self.value == mark

    @property
    def is_name(self) -> bool:
        return self.kind in ("word", "quoted")


def fold(word: str) -> str:
    """An unquoted identifier as PostgreSQL keeps it: ASCII letters in lower case, cut at 63 bytes."""
    return truncate(word.lower() if word.isascii() else word.translate(_UPPER))


def truncate(name: str) -> str:
    """An identifier cut at 63 bytes, never within a character."""
    if len(name) * 4 <= _IDENTIFIER_BYTES or len(name.encode()) <= _IDENTIFIER_BYTES:
        return name
    return name.encode()[:_IDENTIFIER_BYTES].decode(errors="ignore")


def quote_identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _unquote(text: str, quote: str) -> str:
    body = text[1:-1] if len(text) > 1 and text.endswith(quote) else text[1:]
    return body.replace(quote * 2, quote)


def _comment_end(text: str, position: int) -> int:
    """The offset after a nested comment that opens at `position`; the end of the text where it never closes."""
    depth = 0
    while True:
        edge = _COMMENT_EDGE.search(text, position)
        if edge is None:
            return len(text)
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
        if depth == 0:
            return position


class _Scan:
    """The state of one pass of `split`: what the statement being read has shown so far."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.begin = -1
        self.finish = -1
        self.keywords: list[str] = []
        self.keywords_open = True
        self.words: set[str] = set()
        self.parameters = 0
        self.parentheses = 0
        self.routine = False
        self.body = 0  # BEGIN and CASE open in a routine's body

    def word(self, folded: str) -> None:
        self.words.add(folded)
        if self.keywords_open:
            self.keywords.append(folded)
            self.keywords_open = len(self.keywords) < _LEADING_WORDS
            leading = [word for word in self.keywords if word not in ("or", "replace")]
            self.routine = leading[0] == "create" and len(leading) > 1 and leading[1] in ("function", "procedure")
        if self.routine and self.parentheses == 0 and folded in ("begin", "case", "end"):
            if folded == "end":
                self.body = max(self.body - 1, 0)
            elif folded == "begin" or self.body:
                self.body += 1

    def statement(self, text: str) -> Statement:
        return Statement(
            text[self.begin : self.finish], self.begin, tuple(self.keywords), frozenset(self.words), self.parameters
        )


_DULL_START = re.compile(rf"(?={_SPACE}|--){_BLANK}")
_DULL_END = re.compile(r"[^ \t\n\r\f\v]")


def split(text: str) -> list[Statement]:
    """The statements of a query string, in order; empty ones are left out."""
    statements: list[Statement] = []
    scan = _Scan()
    position, length = 0, len(text)
    while position < length:
        if scan.begin < 0 and (blank := _DULL_START.match(text, position)):
            position = blank.end()
            continue
        step = _STEP.match(text, position)
        assert step is not None  # the last alternative takes any character
        kind, start, position = step.lastgroup, position, step.end()
        if kind == "line":
            continue
        if kind == "comment":
            position = _comment_end(text, start)
            continue
        if kind == "end" and scan.parentheses <= 0 and scan.body == 0:
            if scan.begin >= 0:
                statements.append(scan.statement(text))
            scan.restart()
            continue
        if scan.begin < 0:
            scan.begin = start
        if kind != "skip" or not step.group().isspace():
            scan.finish = position
        _notice(scan, kind, step)
    if scan.begin >= 0:
        statements.append(scan.statement(text))
    return [_trim(statement) for statement in statements]


def _notice(scan: _Scan, kind: str | None, step: re.Match[str]) -> None:
    """What one step means for the statement it stands in."""
    if kind == "word":
        scan.word(fold(step.group()))
        return
    if kind == "quoted":
        scan.words.add(truncate(_unquote(step.group(), '"')))
    elif kind == "unicode":
        scan.words.add(_unicode_identifier(step.group()))
    elif kind == "parameter":
        scan.parameters = max(scan.parameters, int(step.group()[1:]))
    elif kind == "open":
        scan.parentheses += 1
        if not scan.keywords:
            return  # (SELECT ...) starts with its SELECT
    elif kind == "close":
        scan.parentheses -= 1
    elif kind == "skip" and step.group().isspace():
        return
    scan.keywords_open = False


def _trim(statement: Statement) -> Statement:
    """A run of dull text may end a statement with blanks; they are not part of it."""
    text = statement.text.rstrip(" \t\n\r\f\v")
    if len(text) == len(statement.text):
        return statement
    return Statement(text, statement.start, statement.keywords, statement.words, statement.parameters)


_UNICODE_ESCAPE = re.compile(r"\\(?:\\|\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4}))")


def _unicode_identifier(text: str) -> str:
    """U&"..." with the default escape character; another one (UESCAPE) is left to PostgreSQL, which sees it first."""

    def replace(match: re.Match[str]) -> str:
        digits = match.group(1) or match.group(2)
        return chr(int(digits, 16)) if digits and int(digits, 16) <= 0x10FFFF else "\\"

    return truncate(_UNICODE_ESCAPE.sub(replace, _unquote(text[2:], '"')))


_BACKSLASH = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_JOIN = re.compile(_CONTINUE)


def _string_value(text: str) -> str:
    if text[0] in "eE":
        body = "".join(part for part in _parts(text[1:]))
        return _BACKSLASH.sub(_unescape, body)
    if text[0] in "uU":
        return _unquote(text[2:], "'")
    return _unquote(text[1:] if text[0] != "'" else text, "'")


def _parts(text: str) -> Iterator[str]:
    """The pieces of an E string that goes on over lines, doubled quotes undone."""
    position = 0
    pattern = re.compile(f"'(?P<body>{_ESCAPED_BODY})", re.DOTALL)
    while (piece := pattern.match(text, position)) is not None:
        body = piece.group("body")
        yield (body[:-1] if body.endswith("'") else body).replace("''", "'")
        gap = _JOIN.match(text, piece.end())
        if gap is None:
            return
        position = gap.end() - 1


def _unescape(match: re.Match[str]) -> str:
    octal, short, unicode4, unicode8, other = match.groups()
    if octal:
        return chr(int(octal, 8) & 255)
    if digits := short or unicode4 or unicode8:
        return chr(int(digits, 16))
    return _CONTROL.get(other, other)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a statement without blanks and comments, lazily; `depth` counts open parentheses before each
    (a closing one has the depth of its opening one)."""
    position, length, depth = 0, len(text), 0
    while position < length:
        match = _TOKEN.match(text, position)
        assert match is not None  # the last alternative takes any character
        kind, start, position = match.lastgroup or "other", position, match.end()
        if kind == "tag":
            kind = "dollar"
        if kind == "comment":
            position = _comment_end(text, start)
        elif kind != "space":
            value = _value(kind, match)
            if kind == "punctuation" and value in ")]":
                depth -= 1
            yield Token("quoted" if kind == "unicode" else kind, value, start, position, depth)
            if kind == "punctuation" and value in "([":
                depth += 1


def _value(kind: str, match: re.Match[str]) -> str:
    text = match.group()
    if kind == "word":
        return fold(text)
    if kind == "quoted":
        return truncate(_unquote(text, '"'))
    if kind == "unicode":
        return _unicode_identifier(text)
    if kind == "string":
        return _string_value(text)
    if kind in ("dollar", "tag"):
        mark = len(match.group("tag")) + 2
        return text[mark:-mark]
    return text
