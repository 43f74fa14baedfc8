"""Tokens after PostgreSQL's scan.l, as sqlglot's parser takes them. Pure functions; coordinator process."""

from __future__ import annotations

import re

from sqlglot.tokenizer_core import Token, TokenType

from mere.errors import SqlSyntaxError
from mere.sql.grammar.keywords import PAIR_STARTS, TOKEN_PAIRS, TOKEN_TYPES

OPERATOR = TokenType.LLRR_ARROW  # any operator without a token type of its own: the text says which

_PATTERN = re.compile(
    r"""
    (?P<space>(?:[ \t\n\r\f\v]+|--[^\n\r]*)+)
  | (?P<comment>/\*)
  | (?P<estring>[eE]')
  | (?P<ustring>[uU]&')
  | (?P<uident>[uU]&")
  | (?P<bits>[bBxX]'[0-9a-zA-Z]*')
  | (?P<nstring>[nN]')
  | (?P<word>[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*)
  | (?P<number>0[xX](?:_?[0-9A-Fa-f])+ | 0[oO](?:_?[0-7])+ | 0[bB](?:_?[01])+
      | (?:\d(?:_?\d)*(?:\.(?!\.)(?:\d(?:_?\d)*)?)? | \.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?)
  | (?P<string>')
  | (?P<ident>"(?:[^"]|"")*")
  | (?P<param>\$\d+)
  | (?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$)
  | (?P<pair>::|:=|\.\.)
  | (?P<self>[,()\[\].;:])
  | (?P<operator>[+\-*/<>=~!@\#%^&|`?]+)
    """,
    re.VERBOSE,
)
_SINGLE = {
    ",": TokenType.COMMA,
    "(": TokenType.L_PAREN,
    ")": TokenType.R_PAREN,
    "[": TokenType.L_BRACKET,
    "]": TokenType.R_BRACKET,
    ".": TokenType.DOT,
    ";": TokenType.SEMICOLON,
    ":": TokenType.COLON,
    "::": TokenType.DCOLON,
    ":=": TokenType.COLON_EQ,
    "..": OPERATOR,
}
_OPERATORS = {
    "+": TokenType.PLUS,
    "-": TokenType.DASH,
    "*": TokenType.STAR,
    "/": TokenType.SLASH,
    "%": TokenType.MOD,
    "^": TokenType.CARET,
    "<": TokenType.LT,
    ">": TokenType.GT,
    "=": TokenType.EQ,
    "<=": TokenType.LTE,
    ">=": TokenType.GTE,
    "<>": TokenType.NEQ,
    "!=": TokenType.NEQ,
    "=>": TokenType.FARROW,
}
_PLAIN_STRING = re.compile(r"'((?:[^']|'')*)'")
_ESCAPE_STRING = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
# Possessive: what was skipped is never split another way, or indentation would take time exponential in its blanks.
_CONTINUATION = re.compile(r"(?>(?:[ \t\f\v]|--[^\n\r]*+)*)[\n\r](?>(?:[ \t\n\r\f\v]++|--[^\n\r]*+)*)(?=')")
_UESCAPE = re.compile(r"[ \t\n\r\f\v]*[uU][eE][sS][cC][aA][pP][eE][ \t\n\r\f\v]*'(.)'")
_BACKSLASH = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))|('')", re.DOTALL
)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_UPPER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_OPERATOR_MARKS = frozenset("~!@#%^&|`?")


def fold(word: str) -> str:
    """An unquoted identifier as PostgreSQL keeps it: only ASCII letters are folded."""
    return word.lower() if word.isascii() else word.translate(_UPPER)


def _syntax_error(sql: str, position: int, message: str = "") -> SqlSyntaxError:
    near = sql[position : position + 20].split("\n")[0]
    return SqlSyntaxError(message or f'syntax error at or near "{near}"', position=position + 1)


def _decode_backslash(text: str) -> str:
    """The body of an E'' string. Octal and \\x escapes are bytes of UTF-8."""
    if "\\" not in text:
        return text.replace("''", "'")
    raw = bytearray()
    last = 0
    for match in _BACKSLASH.finditer(text):
        raw += text[last : match.start()].encode()
        octal, short, unicode4, unicode8, other, quote = match.groups()
        if octal:
            raw.append(int(octal, 8) & 0xFF)
        elif short:
            raw.append(int(short, 16))
        elif unicode4 or unicode8:
            raw += chr(int(unicode4 or unicode8, 16)).encode("utf-16", "surrogatepass").decode("utf-16").encode()
        elif quote:
            raw += b"'"
        else:
            raw += _CONTROL.get(other, other).encode()
        last = match.end()
    raw += text[last:].encode()
    return raw.decode()


def _decode_unicode(text: str, escape: str) -> str:
    mark = re.escape(escape)
    pattern = re.compile(rf"{mark}(?:\+([0-9A-Fa-f]{{6}})|([0-9A-Fa-f]{{4}})|{mark})")

    def replace(match: re.Match[str]) -> str:
        digits = match.group(1) or match.group(2)
        return chr(int(digits, 16)) if digits else escape

    decoded = pattern.sub(replace, text)
    return decoded.encode("utf-16", "surrogatepass").decode("utf-16")


def _operator_end(text: str) -> int:
    """How much of a run of operator characters is one operator: no comment starts inside, and + or - may end it only
    after one of the characters that SQL's own operators lack."""
    end = len(text)
    for opener in ("--", "/*"):
        found = text.find(opener)
        if found >= 0:
            end = min(end, found)
    text = text[:end]
    while end > 1 and text[end - 1] in "+-" and not _OPERATOR_MARKS.intersection(text[:end]):
        end -= 1
    return end


def _skip_comment(sql: str, position: int) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(sql, position):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    raise _syntax_error(sql, position, "unterminated /* comment")


class Scanner:
    """One pass over one text."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens: list[Token] = []

    def scan(self) -> list[Token]:
        sql, position, size = self.sql, 0, len(self.sql)
        match_at = _PATTERN.match
        while position < size:
            match = match_at(sql, position)
            if match is None:
                raise _syntax_error(sql, position)
            kind = match.lastgroup
            if kind == "space":
                position = match.end()
            elif kind == "word":
                self._word(match.group(), position)
                position = match.end()
            elif kind == "self" or kind == "pair":
                self._add(_SINGLE[match.group()], match.group(), position, match.end())
                position = match.end()
            elif kind == "number":
                self._add(TokenType.NUMBER, match.group().replace("_", ""), position, match.end())
                position = match.end()
            elif kind == "operator":
                length = _operator_end(match.group())
                position = _skip_comment(sql, position) if length == 0 else self._operator(position, length)
            elif kind == "comment":
                position = _skip_comment(sql, position)
            else:
                position = self._quoted(kind or "", match, position)
        return self.tokens

    def _add(self, token_type: TokenType, text: str, start: int, end: int) -> None:
        self.tokens.append(Token(token_type, text, 1, end, start, end - 1))

    def _word(self, word: str, start: int) -> None:
        folded = fold(word)
        token_type = TOKEN_TYPES.get(folded, TokenType.VAR)
        tokens = self.tokens
        if folded in ("by", "sets", "key") and tokens and tokens[-1].text in PAIR_STARTS:
            joined = TOKEN_PAIRS.get((tokens[-1].text, folded))
            if joined is not None and tokens[-1].token_type is not TokenType.IDENTIFIER:
                tokens.pop()
                token_type, folded = joined, "grouping sets" if folded == "sets" else folded
        self._add(token_type, folded, start, start + len(word))

    def _operator(self, start: int, length: int) -> int:
        text = self.sql[start : start + length]
        self._add(_OPERATORS.get(text, OPERATOR), text, start, start + length)
        return start + length

    def _quoted(self, kind: str, match: re.Match[str], start: int) -> int:
        sql = self.sql
        if kind == "ident":
            self._add(TokenType.IDENTIFIER, match.group()[1:-1].replace('""', '"'), start, match.end())
            return match.end()
        if kind == "param":
            self._add(TokenType.PARAMETER, match.group()[1:], start, match.end())
            return match.end()
        if kind == "dollar":
            end = sql.find(match.group(), match.end())
            if end < 0:
                raise _syntax_error(sql, start, "unterminated dollar-quoted string")
            self._add(TokenType.STRING, sql[match.end() : end], start, end + len(match.group()))
            return end + len(match.group())
        if kind == "bits":
            token_type = TokenType.BIT_STRING if match.group()[0] in "bB" else TokenType.HEX_STRING
            self._add(token_type, match.group()[2:-1], start, match.end())
            return match.end()
        if kind == "uident":
            closing = re.compile(r'"((?:[^"]|"")*)"').match(sql, start + 2)
            if closing is None:
                raise _syntax_error(sql, start, "unterminated quoted identifier")
            text, end = self._unicode(closing.group(1).replace('""', '"'), closing.end())
            self._add(TokenType.IDENTIFIER, text, start, end)
            return end
        return self._string(kind, match.end() - 1, start)

    def _string(self, kind: str, quote: int, start: int) -> int:
        """A '...' string of any prefix, with its continuations after a newline."""
        pattern = _ESCAPE_STRING if kind == "estring" else _PLAIN_STRING
        parts: list[str] = []
        while True:
            body = pattern.match(self.sql, quote)
            if body is None:
                raise _syntax_error(self.sql, start, "unterminated quoted string")
            parts.append(body.group(1))
            gap = _CONTINUATION.match(self.sql, body.end())
            if gap is None:
                break
            quote = gap.end()
        text, end = "".join(parts), body.end()
        if kind == "estring":
            text = _decode_backslash(text)
        else:
            text = text.replace("''", "'")
        if kind == "ustring":
            text, end = self._unicode(text, end)
        self._add(TokenType.NATIONAL_STRING if kind == "nstring" else TokenType.STRING, text, start, end)
        return end

    def _unicode(self, text: str, end: int) -> tuple[str, int]:
        escape = _UESCAPE.match(self.sql, end)
        if escape is not None:
            return _decode_unicode(text, escape.group(1)), escape.end()
        return _decode_unicode(text, "\\"), end


def scan(sql: str) -> list[Token]:
    """The tokens of one or more statements; raises SqlSyntaxError 42601."""
    return Scanner(sql).scan()
