"""jsonpath as PostgreSQL prints it, so checked already: its tree. Pure; segments, once a path.

A node is a tuple: its kind, then its parts. A path is `("path", start, steps)`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from mere.sql.jsonb.document import JsonError

Node: TypeAlias = tuple[Any, ...]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<sign>\*\*|\$"(?:[^"\\]|\\.)*"|==|!=|<>|<=|>=|&&|\|\||[-+*/%$@.?()\[\]{},<>!]))""",
    re.DOTALL,
)
_COMPARISONS = frozenset(("==", "!=", "<>", "<", "<=", ">", ">="))
_SUPPORTED = frozenset(
    ("type", "size", "double", "ceiling", "floor", "abs", "keyvalue", "number", "decimal", "integer", "bigint",
     "boolean", "string")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Path:
    lax: bool
    root: Node


@lru_cache(maxsize=1000)
def parse_path(text: str) -> Path:
    """The tree; 0A000 for what is not evaluated here."""
    return _Parser(text).path()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise JsonError("0A000", f"jsonpath {text} is not supported over lake data")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self.at = 0
        self.text = text

    def path(self) -> Path:
        lax = True
        if self.word("strict"):
            lax = False
        else:
            self.word("lax")
        root = self.disjunction()
        if self.at != len(self.tokens):
            raise self.unsupported()
        return Path(lax, root)

    # -- tokens -------------------------------------------------------------------------------------------------------

    def unsupported(self) -> JsonError:
        return JsonError("0A000", f"jsonpath {self.text} is not supported over lake data")

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        index = self.at + ahead
        return self.tokens[index] if index < len(self.tokens) else ("end", "")

    def sign(self, *signs: str) -> str:
        return self.taken("sign", signs)

    def word(self, *words: str) -> str:
        return self.taken("word", words)

    def taken(self, kind: str, values: tuple[str, ...]) -> str:
        found, value = self.peek()
        if found == kind and value in values:
            self.at += 1
            return value
        return ""

    def expect(self, sign: str) -> None:
        if not self.sign(sign):
            raise self.unsupported()

    def string(self) -> str:
        kind, value = self.peek()
        if kind != "string":
            raise self.unsupported()
        self.at += 1
        return str(json.loads(value, strict=False))

    # -- predicates ---------------------------------------------------------------------------------------------------

    def disjunction(self) -> Node:
        node = self.conjunction()
        while self.sign("||"):
            node = ("or", node, self.conjunction())
        return node

    def conjunction(self) -> Node:
        node = self.predicate()
        while self.sign("&&"):
            node = ("and", node, self.predicate())
        return node

    def predicate(self) -> Node:
        if self.sign("!"):
            return ("not", self.predicate())
        if self.word("exists"):
            self.expect("(")
            inner = self.disjunction()
            self.expect(")")
            return ("exists", inner)
        left = self.sum()
        sign = self.sign(*_COMPARISONS)
        if sign:
            return ("compare", "!=" if sign == "<>" else sign, left, self.sum())
        if self.word("starts"):
            if not self.word("with"):
                raise self.unsupported()
            return ("starts", left, self.sum())
        if self.word("like_regex"):
            pattern = self.string()
            return ("regex", left, pattern, self.string() if self.word("flag") else "")
        if self.word("is"):
            if not self.word("unknown"):
                raise self.unsupported()
            return ("unknown", left)
        return left

    # -- values -------------------------------------------------------------------------------------------------------

    def sum(self) -> Node:
        node = self.product()
        while sign := self.sign("+", "-"):
            node = ("arithmetic", sign, node, self.product())
        return node

    def product(self) -> Node:
        node = self.signed()
        while sign := self.sign("*", "/", "%"):
            node = ("arithmetic", sign, node, self.signed())
        return node

    def signed(self) -> Node:
        sign = self.sign("+", "-")
        return ("signed", sign, self.signed()) if sign else self.accessed()

    def accessed(self) -> Node:
        start = self.primary()
        steps: list[Node] = []
        while (step := self.step()) is not None:
            steps.append(step)
        return ("path", start, tuple(steps)) if steps else start

    def primary(self) -> Node:
        if self.sign("("):
            inner = self.disjunction()
            self.expect(")")
            return inner
        if self.sign("$"):
            return ("root",)
        if self.sign("@"):
            return ("current",)
        kind, value = self.peek()
        self.at += 1
        if kind == "sign" and value.startswith('$"'):
            return ("variable", str(json.loads(value[1:], strict=False)))
        if kind == "number":
            return ("value", Decimal(value))
        if kind == "string":
            return ("value", json.loads(value, strict=False))
        if kind == "word" and value in ("true", "false", "null"):
            return ("value", {"true": True, "false": False, "null": None}[value])
        if kind == "word" and value == "last":
            return ("last",)
        raise self.unsupported()

    def step(self) -> Node | None:
        if self.sign("["):
            return self.subscripts()
        if self.sign("?"):
            self.expect("(")
            inner = self.disjunction()
            self.expect(")")
            return ("filter", inner)
        if not self.sign("."):
            return None
        if self.sign("**"):
            return ("deep", *self.levels())
        if self.sign("*"):
            return ("members",)
        if self.peek()[0] == "string":
            return ("key", self.string())
        name = self.peek()[1]
        self.at += 1
        if name not in _SUPPORTED or not self.sign("(") or not self.sign(")"):
            raise self.unsupported()
        return ("method", name)

    def subscripts(self) -> Node:
        if self.sign("*"):
            self.expect("]")
            return ("elements",)
        ranges = []
        while True:
            low = self.sum()
            ranges.append((low, self.sum() if self.word("to") else low))
            if not self.sign(","):
                break
        self.expect("]")
        return ("subscripts", tuple(ranges))

    def levels(self) -> tuple[int, int | None]:
        if not self.sign("{"):
            return 0, None
        low = self.level()
        high = self.level() if self.word("to") else low
        self.expect("}")
        if low is None:  # {last}: the leaves alone
            raise self.unsupported()
        return low, high

    def level(self) -> int | None:
        if self.word("last"):
            return None
        self.at += 1
        return int(self.peek(-1)[1])
