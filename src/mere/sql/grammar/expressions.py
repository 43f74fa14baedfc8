"""PostgreSQL's expression grammar (gram.y: a_expr, b_expr, c_expr) over sqlglot's token stream.

`ExpressionParser` replaces the expression half of sqlglot's parser and leaves statements to it. Coordinator process.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.parsers.postgres import PostgresParser
from sqlglot.tokenizer_core import TokenType

from mere.sql.grammar.keywords import NOT_COLUMN, RESERVED
from mere.sql.grammar.nodes import Call, PgOperator
from mere.sql.grammar.scanner import OPERATOR

# Precedence, low to high, as the %left and %nonassoc lines of gram.y.
OR, AND, NOT, IS, COMPARE, RANGE, OTHER, ADD, MULTIPLY, POWER, AT, COLLATE, MINUS = range(1, 14)

_BINARY: dict[TokenType, tuple[int, type[exp.Expression]]] = {
    TokenType.OR: (OR, exp.Or),
    TokenType.AND: (AND, exp.And),
    TokenType.LT: (COMPARE, exp.LT),
    TokenType.GT: (COMPARE, exp.GT),
    TokenType.EQ: (COMPARE, exp.EQ),
    TokenType.LTE: (COMPARE, exp.LTE),
    TokenType.GTE: (COMPARE, exp.GTE),
    TokenType.NEQ: (COMPARE, exp.NEQ),
    TokenType.PLUS: (ADD, exp.Add),
    TokenType.DASH: (ADD, exp.Sub),
    TokenType.STAR: (MULTIPLY, exp.Mul),
    TokenType.SLASH: (MULTIPLY, exp.Div),
    TokenType.MOD: (MULTIPLY, exp.Mod),
    TokenType.CARET: (POWER, exp.Pow),
}
_NAMED_OPERATORS = {"~~": exp.Like, "~~*": exp.ILike}
_TERMINATORS = frozenset(
    {
        TokenType.COMMA,
        TokenType.R_PAREN,
        TokenType.R_BRACKET,
        TokenType.SENTINEL,
        TokenType.FROM,
        TokenType.ALIAS,
        TokenType.WHERE,
        TokenType.SEMICOLON,
    }
)


class ExpressionParser(PostgresParser):
    """Precedence climbing; `self._curr` and friends are sqlglot's."""

    # -- entries that sqlglot's statement parser calls -------------------------------------------------------------

    def _parse_assignment(self) -> Any:
        return self._operators(OR)

    def _parse_disjunction(self) -> Any:
        return self._operators(OR)

    def _parse_conjunction(self) -> Any:
        return self._operators(AND)

    def _parse_equality(self, parse_is: bool = True) -> Any:
        return self._operators(COMPARE)

    def _parse_update_assignment(self) -> Any:
        """SET column = value of UPDATE, MERGE and ON CONFLICT: the value is a whole expression or DEFAULT."""
        target = self._operators(RANGE)
        if target is None or not self._match(TokenType.EQ):
            return target
        if self._match(TokenType.DEFAULT):
            return exp.EQ(this=target, expression=exp.var("DEFAULT"))
        return exp.EQ(this=target, expression=self._operators(OR))

    def _parse_comparison(self, this: Any = None) -> Any:
        return self._operators(COMPARE)

    def _parse_range(self, this: Any = None, parse_is: bool = False) -> Any:
        return self._operators(RANGE)

    def _parse_bitwise(self) -> Any:
        """b_expr, roughly: no AND, which may belong to what is around it."""
        return self._operators(COMPARE)

    def _parse_term(self, parse_mod: bool = True) -> Any:
        return self._operators(ADD)

    def _parse_factor(self, parse_mod: bool = True) -> Any:
        return self._operators(MULTIPLY)

    def _parse_unary(self) -> Any:
        return self._operators(MINUS)

    def _parse_type(self, parse_interval: bool = True, fallback_to_identifier: bool = False) -> Any:
        return self._parse_id_var() if fallback_to_identifier else self._operators(MINUS)

    def _parse_interval(self, require_interval: bool = True, parse_function_unit: bool = True) -> Any:
        return None

    def _parse_column(self) -> Any:
        return self._operators(MINUS)

    # -- operators -------------------------------------------------------------------------------------------------

    def _operators(self, lowest: int) -> Any:
        left: Any = self._prefix()
        while left is not None:
            token_type = self._curr.token_type
            if token_type in _TERMINATORS:
                break
            binary = _BINARY.get(token_type)
            if binary is not None:
                level, node = binary
                if level < lowest:
                    break
                self._advance()
                left = self._binary(left, level, node)
                continue
            following = self._infix(left, lowest)
            if following is None:
                break
            left = following
        return left

    def _operand(self, level: int) -> Any:
        operand = self._operators(level)
        if operand is None:
            self.raise_error("syntax error")
        return operand

    def _binary(self, left: Any, level: int, node: type[exp.Expression]) -> Any:
        if self._curr.token_type in (TokenType.ANY, TokenType.ALL, TokenType.SOME) and level == COMPARE:
            right = self._quantified()
        else:
            right = self._operand(level + 1)
        if node is exp.Div:
            return exp.Div(this=left, expression=right, typed=True)
        return node(this=left, expression=right)

    def _quantified(self) -> Any:
        """ANY (...) or ALL (...) after an operator, over an array or a subquery."""
        node = exp.All if self._curr.token_type is TokenType.ALL else exp.Any
        self._advance()
        operand: Any = self._parse_paren()
        if isinstance(operand, exp.Paren):
            operand = operand.this
        return node(this=operand)

    def _infix(self, left: Any, lowest: int) -> Any:
        """One operator that is no single token of `_BINARY`; None when none follows at this level."""
        token = self._curr
        if token.token_type is OPERATOR:
            return self._symbol(left, lowest)
        if token.token_type in (TokenType.IDENTIFIER, TokenType.STRING):
            return None
        word = token.text
        if word == "is" and lowest <= IS:
            self._advance()
            return self._is(left)
        if word in ("isnull", "notnull") and lowest <= IS:
            self._advance()
            return exp.Is(this=left, expression=exp.Null(), negate=word == "notnull")
        if word == "at" and lowest <= AT and self._next.text in ("time", "local"):
            return self._at(left)
        if word == "collate" and lowest <= COLLATE:
            self._advance()
            return exp.Collate(this=left, expression=exp.to_identifier(".".join(self._dotted_name()), quoted=True))
        if word == "operator" and lowest <= OTHER and self._next.token_type is TokenType.L_PAREN:
            return self._symbol_by_name(left)
        if word == "overlaps" and lowest <= RANGE:
            self._advance()
            right = self._operand(RANGE + 1)
            return Call(this="overlaps", expressions=[*left.expressions, *right.expressions])
        return self._range_operator(left) if lowest <= RANGE else None

    def _symbol(self, left: Any, lowest: int) -> Any:
        if lowest > OTHER:
            return None
        operator = self._curr.text
        self._advance()
        return self._apply_symbol(left, operator)

    def _symbol_by_name(self, left: Any) -> Any:
        """left OPERATOR(pg_catalog.+) right, as deparsed views spell it."""
        self._advance(2)
        while self._next.token_type is TokenType.DOT:
            self._advance(2)
        operator = self._curr.text
        self._advance()
        self._match_r_paren()
        return self._apply_symbol(left, operator)

    def _apply_symbol(self, left: Any, operator: str) -> Any:
        if self._curr.token_type in (TokenType.ANY, TokenType.ALL, TokenType.SOME):
            right = self._quantified()
        else:
            right = self._operand(OTHER + 1)
        return PgOperator(this=left, operator=operator, expression=right)

    def _at(self, left: Any) -> Any:
        self._advance()
        if self._match_text_seq("LOCAL"):
            return Call(this="timezone", expressions=[left])
        self._match_text_seq("TIME", "ZONE")
        return Call(this="timezone", expressions=[self._operand(AT + 1), left])

    def _is(self, left: Any) -> Any:
        negate = bool(self._match(TokenType.NOT))
        if self._match(TokenType.DISTINCT):
            self._match(TokenType.FROM)
            node = exp.NullSafeEQ if negate else exp.NullSafeNEQ
            return node(this=left, expression=self._operand(IS + 1))
        word = self._curr.text
        self._advance()
        if word == "document" or word == "json" or word in ("normalized", "nfc", "nfd", "nfkc", "nfkd"):
            if word.startswith("nf"):
                self._match_text_seq("NORMALIZED")
            return self._is_form(left, word, negate)
        right: exp.Expression = exp.Null()
        if word in ("true", "false"):
            right = exp.Boolean(this=word == "true")
        elif word == "unknown":
            right = exp.var("unknown")
        return exp.Is(this=left, expression=right, negate=negate)

    def _is_form(self, left: Any, word: str, negate: bool) -> Any:
        """IS JSON [kind] and IS NORMALIZED, as calls of our own names."""
        kind = ""
        if word == "json":
            for form in ("value", "scalar", "array", "object"):
                if self._match_text_seq(form.upper()):
                    kind = form
            if self._match_text_seq("WITH") or self._match_text_seq("WITHOUT"):
                self._match_text_seq("UNIQUE")
                self._match_text_seq("KEYS")
        call = Call(this=f"is_{word}", expressions=[left, exp.Literal.string(kind)], keyword=True)
        return exp.Not(this=call) if negate else call

    def _range_operator(self, left: Any) -> Any:
        negate = self._curr.text == "not" and self._next.text in ("between", "in", "like", "ilike", "similar")
        if negate:
            self._advance()
        word = self._curr.text
        if word == "similar" and self._next.text != "to":  # SUBSTRING(text SIMILAR pattern ESCAPE e)
            return None
        if word not in ("between", "in", "like", "ilike", "similar"):
            return None
        self._advance()
        if word == "between":
            node = self._between(left)
        elif word == "in":
            node = self._in(left)
        else:
            node = self._like(left, word)
        return exp.Not(this=node) if negate else node

    def _between(self, left: Any) -> Any:
        symmetric = bool(self._match_text_seq("SYMMETRIC"))
        self._match_text_seq("ASYMMETRIC")
        low = self._operand(RANGE + 1)
        self._match(TokenType.AND)
        return exp.Between(this=left, low=low, high=self._operand(RANGE + 1), symmetric=symmetric or None)

    def _in(self, left: Any) -> Any:
        operand: Any = self._parse_paren()
        if isinstance(operand, exp.Subquery):
            return exp.In(this=left, query=operand)
        members = operand.expressions if isinstance(operand, exp.Tuple) else [operand.this]
        return exp.In(this=left, expressions=members)

    def _like(self, left: Any, word: str) -> Any:
        if word == "similar":
            self._match_text_seq("TO")
        node = {"like": exp.Like, "ilike": exp.ILike, "similar": exp.SimilarTo}[word]
        if self._curr.token_type in (TokenType.ANY, TokenType.ALL, TokenType.SOME):
            return PgOperator(this=left, operator="~~" if word == "like" else "~~*", expression=self._quantified())
        like = node(this=left, expression=self._operand(RANGE + 1))
        if self._match(TokenType.ESCAPE):
            return exp.Escape(this=like, expression=self._operand(RANGE + 1))
        return like

    # -- operands --------------------------------------------------------------------------------------------------

    def _prefix(self) -> Any:
        token_type, text = self._curr.token_type, self._curr.text
        if token_type is TokenType.DASH:
            self._advance()
            return _negated(self._operand(MINUS))
        if token_type is TokenType.PLUS:
            self._advance()
            return PgOperator(operator="+", expression=self._operand(MINUS))
        if token_type is TokenType.NOT:
            self._advance()
            return exp.Not(this=self._operand(NOT))
        if token_type is OPERATOR:
            self._advance()
            return PgOperator(operator=text, expression=self._operand(OTHER))
        primary = self._primary()
        return None if primary is None else self._postfix(primary)

    def _postfix(self, node: Any) -> Any:
        while True:
            token_type = self._curr.token_type
            if token_type is TokenType.DCOLON:
                self._advance()
                node = exp.Cast(this=node, to=self._type_name())
            elif token_type is TokenType.L_BRACKET:
                node = self._subscript(node)
            elif token_type is TokenType.DOT and not isinstance(node, exp.Column):
                self._advance()
                field = exp.Star() if self._match(TokenType.STAR) else self._parse_id_var()
                node = exp.Dot(this=node, expression=field)
            else:
                return node

    def _subscript(self, node: Any) -> Any:
        self._advance()
        low = None if self._curr.token_type is TokenType.COLON else self._operators(OR)
        if self._match(TokenType.COLON):
            high = None if self._curr.token_type is TokenType.R_BRACKET else self._operators(OR)
            low = exp.Slice(this=low, expression=high)
        self._match(TokenType.R_BRACKET)
        return exp.Bracket(this=node, expressions=[low])

    def _column_or_call(self) -> Any:
        """columnref, func_name(...), or `type 'literal'`."""
        token = self._curr
        quoted = token.token_type is TokenType.IDENTIFIER
        next_type = self._next.token_type
        if not quoted and next_type is TokenType.STRING and token.text not in RESERVED:
            return exp.Cast(to=self._type_name(), this=self._string_constant())
        if next_type is TokenType.L_PAREN and (quoted or token.text not in RESERVED):
            return None if token.text == "values" and not quoted else self._call([])
        if not quoted and token.text in NOT_COLUMN:
            return None
        parts = [self._name_part()]
        while self._curr.token_type is TokenType.DOT:
            self._advance()
            if self._match(TokenType.STAR):
                return _column([*parts, exp.Star()])
            if self._next.token_type is TokenType.L_PAREN:
                return self._call([part.name for part in parts])
            parts.append(self._name_part())
        if self._curr.token_type is TokenType.STRING and len(parts) == 2 and parts[0].name == "pg_catalog":
            name = exp.DataType(this=exp.DType.USERDEFINED, kind=parts[1].name)
            return exp.Cast(to=name, this=self._string_constant())
        return _column(parts)

    def _name_part(self) -> exp.Identifier:
        token = self._curr
        self._advance()
        return exp.Identifier(this=token.text, quoted=token.token_type is TokenType.IDENTIFIER)

    def _dotted_name(self) -> list[str]:
        names = [self._name_part().name]
        while self._match(TokenType.DOT):
            names.append(self._name_part().name)
        return names

    def _string_constant(self) -> exp.Expression:
        text = self._curr.text
        self._advance()
        return exp.Literal.string(text)

    def _primary(self) -> Any:
        raise NotImplementedError

    def _call(self, schema: list[str]) -> Any:
        raise NotImplementedError

    def _type_name(self) -> exp.DataType:
        raise NotImplementedError


def _negated(operand: exp.Expression) -> exp.Expression:
    """A minus before a number is part of the number (doNegate), so that the smallest integers can be written."""
    if isinstance(operand, exp.Literal) and not operand.is_string:
        text = operand.this
        return exp.Literal(this=text[1:] if text.startswith("-") else "-" + text, is_string=False)
    return exp.Neg(this=operand)


def _column(parts: list[Any]) -> exp.Expression:
    keys = ("this", "table", "db", "catalog")
    if len(parts) > len(keys):
        base = exp.Column(**dict(zip(keys, reversed(parts[:4]), strict=False)))
        return exp.Dot.build([base, *parts[4:]])
    return exp.Column(**dict(zip(keys, reversed(parts), strict=False)))
