"""A reading position over the tokens of one statement, for the small parsers of single commands.

Owns no syntax. Lives in the gateway's process.
"""

from __future__ import annotations

from mere.errors import SqlSyntaxError
from mere.sql.lexer import Token, tokens

Name = tuple[str, ...]


class Cursor:
    """A reading position over the tokens of one statement."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(tokens(text))
        self.index = 0

    @property
    def token(self) -> Token | None:
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    def peek(self, ahead: int = 0) -> Token | None:
        place = self.index + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def word(self, *words: str) -> bool:
        """Takes one of the words, if it is next."""
        if (token := self.token) is not None and token.is_word(*words):
            self.index += 1
            return True
        return False

    def words(self, *sequence: str) -> bool:
        """Takes the whole sequence of words, or nothing."""
        found = self.tokens[self.index : self.index + len(sequence)]
        if len(found) == len(sequence) and all(t.is_word(w) for t, w in zip(found, sequence, strict=True)):
            self.index += len(sequence)
            return True
        return False

    def mark(self, mark: str) -> bool:
        if (token := self.token) is not None and (
            token.is_mark(mark) or (token.kind == "operator" and token.value == mark)
        ):
            self.index += 1
            return True
        return False

    def name(self) -> str:
        token = self.token
        if token is None or not token.is_name:
            raise self.error()
        self.index += 1
        return token.value

    def qualified_name(self) -> Name:
        parts = [self.name()]
        while self.mark("."):
            parts.append(self.name())
        return tuple(parts)

    def names_in_parentheses(self) -> tuple[str, ...]:
        self.expect("(")
        names = [self.name()]
        while self.mark(","):
            names.append(self.name())
        self.expect(")")
        return tuple(names)

    def string(self) -> str:
        token = self.token
        if token is None or token.kind not in ("string", "dollar"):
            raise self.error()
        self.index += 1
        return token.value

    def expect(self, mark: str) -> None:
        if not self.mark(mark):
            raise self.error()

    def skip_parentheses(self) -> str:
        """Steps over a pair of parentheses and gives the text between them."""
        opening = self.token
        self.expect("(")
        assert opening is not None
        while (token := self.token) is not None:
            self.index += 1
            if token.is_mark(")") and token.depth == opening.depth:
                return self.text[opening.end : token.start]
        raise self.error()

    def rest(self) -> tuple[str, int]:
        """What is left, with its offset."""
        token = self.token
        if token is None:
            return "", len(self.text)
        return self.text[token.start :], token.start

    @property
    def done(self) -> bool:
        return self.index >= len(self.tokens)

    def error(self) -> SqlSyntaxError:
        token = self.token
        if token is None:
            return SqlSyntaxError("syntax error at end of input", position=len(self.text) + 1)
        written = self.text[token.start : token.end]
        return SqlSyntaxError(f'syntax error at or near "{written}"', position=token.start + 1)
