"""The c_expr half of the grammar: constants, CASE, calls, SQL's special call forms, type names. Coordinator process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from mere.sql.grammar.expressions import MINUS, OR, OTHER, RANGE, ExpressionParser
from mere.sql.grammar.keywords import RESERVED, words
from mere.sql.grammar.nodes import Call

_BARE_CALLS = words(
    """current_date current_time current_timestamp localtime localtimestamp current_user session_user user current_role
    current_catalog current_schema system_user"""
)
_WITH_PRECISION = frozenset({"current_time", "current_timestamp", "localtime", "localtimestamp"})
_KEYWORD_CALLS = frozenset({"coalesce", "nullif", "greatest", "least", "grouping"})
_INTERVAL_UNITS = ("year", "month", "day", "hour", "minute", "second")
_QUERY_STARTS = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.VALUES, TokenType.TABLE})
_WORD_SYNONYMS = {"timestamp": "timestamp", "time": "time", "timestamptz": "timestamptz", "timetz": "timetz"}


class PrimaryParser(ExpressionParser):
    """Operands. Every method leaves `self._curr` after what it consumed; None means: no expression starts here."""

    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}

    def _primary(self) -> Any:
        token = self._curr
        token_type = token.token_type
        if token_type is TokenType.IDENTIFIER or (token_type is TokenType.VAR and token.text not in _SPECIAL):
            return self._column_or_call()
        constant = self._constant()
        if constant is not None:
            return constant
        if token_type is TokenType.L_PAREN:
            return self._parse_paren()
        if token_type is TokenType.STAR:
            self._advance()
            return exp.Star()
        if not token.text.isidentifier():
            return None
        special = _SPECIAL.get(token.text)
        if special is not None:
            node = special(self)
            if node is not None:
                return node
        if token.text in RESERVED:
            return None
        return self._column_or_call()

    def _constant(self) -> Any:
        token = self._curr
        token_type = token.token_type
        if token_type is TokenType.NUMBER:
            node: exp.Expression = exp.Literal.number(_plain_number(token.text))
        elif token_type is TokenType.STRING:
            node = exp.Literal.string(token.text)
        elif token_type is TokenType.NATIONAL_STRING:
            node = exp.Cast(this=exp.Literal.string(token.text), to=_data_type("bpchar"))
        elif token_type in (TokenType.BIT_STRING, TokenType.HEX_STRING):
            node = _bit_string(token.text, 1 if token_type is TokenType.BIT_STRING else 4)
        elif token_type is TokenType.PARAMETER:
            node = exp.Parameter(this=exp.Literal.number(token.text))
        elif token_type is TokenType.NULL:
            node = exp.Null()
        elif token_type in (TokenType.TRUE, TokenType.FALSE):
            node = exp.Boolean(this=token_type is TokenType.TRUE)
        else:
            return None
        self._advance()
        return node

    def _parse_paren(self) -> Any:
        """( expression ), ( row, row ), () or ( query )."""
        if not self._match(TokenType.L_PAREN):
            return None
        token_type = self._curr.token_type
        if token_type in _QUERY_STARTS or token_type is TokenType.L_PAREN:
            self._retreat(self._index - 1)
            return super()._parse_paren()
        if self._match(TokenType.R_PAREN):
            return exp.Tuple(expressions=[])
        members = [self._operand(OR)]
        while self._match(TokenType.COMMA):
            members.append(self._operand(OR))
        self._match_r_paren()
        return exp.Paren(this=members[0]) if len(members) == 1 else exp.Tuple(expressions=members)

    # -- calls -----------------------------------------------------------------------------------------------------

    def _parse_function_call(
        self,
        functions: Any = None,
        anonymous: bool = False,
        optional_parens: bool = True,
        any_token: bool = False,
    ) -> Any:
        """sqlglot asks this where a function may stand (FROM); a plain word followed by a parenthesis is one."""
        token = self._curr
        quoted = token.token_type is TokenType.IDENTIFIER
        if not quoted and (token.text in RESERVED or not token.text.isidentifier()):
            if optional_parens and token.text in _BARE_CALLS:
                return self._primary()
            return None
        if token.token_type is TokenType.STRING or self._next.token_type is not TokenType.L_PAREN:
            return None
        special = None if quoted else _SPECIAL.get(token.text)
        if special is not None and (node := special(self)) is not None:
            return node
        return self._call([])

    def _call(self, schema: list[str]) -> Any:
        token = self._curr
        quoted = token.token_type is TokenType.IDENTIFIER
        special = None if quoted or schema else _SPECIAL.get(token.text)
        if special is not None and (node := special(self)) is not None:
            return node
        self._advance(2)
        call = Call(this=token.text, expressions=[])
        if schema:
            call.set("schema", ".".join(schema))
        if token.text in _KEYWORD_CALLS and not quoted:
            call.set("keyword", True)
        self._arguments(call)
        return self._parse_window(call)

    def _arguments(self, call: Call) -> None:
        """What stands between the parentheses of func_application, the closing one included."""
        if self._match(TokenType.R_PAREN):
            return
        if self._curr.token_type is TokenType.STAR and self._next.token_type is TokenType.R_PAREN:
            self._advance(2)
            call.append("expressions", exp.Star())
            return
        if self._match(TokenType.DISTINCT):
            call.set("distinct", True)
        else:
            self._match(TokenType.ALL)
        call.append("expressions", self._argument(call))
        while self._match(TokenType.COMMA):
            call.append("expressions", self._argument(call))
        if self._curr.token_type is TokenType.ORDER_BY:
            call.set("order", self._parse_order())
        self._match_r_paren(call)

    def _argument(self, call: Call) -> Any:
        if self._match_text_seq("VARIADIC"):
            call.set("variadic", True)
        if self._next.token_type in (TokenType.FARROW, TokenType.COLON_EQ):
            name = self._name_part().name
            self._advance()
            return exp.Kwarg(this=exp.var(name), expression=self._operand(OR))
        return self._operand(OR)

    def _open(self) -> bool:
        """Past `word (` of a special form, when a parenthesis follows."""
        if self._next.token_type is not TokenType.L_PAREN:
            return False
        self._advance(2)
        return True

    def _rest(self, name: str, arguments: list[Any]) -> Any:
        while self._match(TokenType.COMMA):
            arguments.append(self._operand(OR))
        self._match_r_paren()
        return Call(this=name, expressions=arguments)

    def _case(self) -> Any:
        self._advance()
        subject = None if self._curr.token_type is TokenType.WHEN else self._operand(OR)
        branches = []
        while self._match(TokenType.WHEN):
            condition = self._operand(OR)
            self._match(TokenType.THEN)
            branches.append(exp.If(this=condition, true=self._operand(OR)))
        default = self._operand(OR) if self._match(TokenType.ELSE) else None
        if not self._match(TokenType.END):
            self.raise_error("Expected END after CASE")
        return exp.Case(this=subject, ifs=branches, default=default)

    def _cast(self) -> Any:
        if not self._open():
            return None
        operand = self._operand(OR)
        self._match(TokenType.ALIAS)
        target = self._type_name()
        self._match_r_paren()
        return exp.Cast(this=operand, to=target)

    def _extract(self) -> Any:
        if not self._open():
            return None
        field = exp.Literal.string(self._curr.text)
        self._advance()
        self._match(TokenType.FROM)
        operand = self._operand(OR)
        self._match_r_paren()
        return Call(this="extract", expressions=[field, operand])

    def _substring(self) -> Any:
        if not self._open():
            return None
        source = self._operand(OR)
        start = length = None
        if self._match_text_seq("SIMILAR"):
            pattern = self._operand(OR)
            self._match(TokenType.ESCAPE)
            return self._rest("substring", [source, pattern, self._operand(OR)])
        while self._curr.text in ("from", "for"):
            self._advance()
            if self._prev.text == "from":
                start = self._operand(OR)
            else:
                length = self._operand(OR)
        if start is None and length is None:
            return self._rest("substring", [source])
        arguments = [source, start or exp.Literal.number("1")]
        return self._rest("substring", [*arguments, length] if length is not None else arguments)

    def _position(self) -> Any:
        if not self._open():
            return None
        needle = self._operand(RANGE + 1)
        if not self._match(TokenType.IN):
            return self._rest("position", [needle])
        return self._rest("position", [self._operand(OTHER), needle])

    def _overlay(self) -> Any:
        if not self._open():
            return None
        arguments = [self._operand(OR)]
        for word in ("PLACING", "FROM", "FOR"):
            if self._match_text_seq(word):
                arguments.append(self._operand(OR))
        return self._rest("overlay", arguments)

    def _trim(self) -> Any:
        if not self._open():
            return None
        name = "btrim"
        for word, function in (("BOTH", "btrim"), ("LEADING", "ltrim"), ("TRAILING", "rtrim")):
            if self._match_text_seq(word):
                name = function
        if self._match(TokenType.FROM):
            return self._rest(name, [self._operand(OR)])
        first = self._operand(OR)
        if self._match(TokenType.FROM):
            return self._rest(name, [self._operand(OR), first])
        return self._rest(name, [first])

    def _exists(self) -> Any:
        if not self._open():
            return None
        self._retreat(self._index - 1)
        query = self._parse_paren()
        return exp.Exists(this=query.this if isinstance(query, exp.Subquery) else query)

    def _array(self) -> Any:
        self._advance()
        if self._match(TokenType.L_BRACKET):
            return self._array_members()
        query = self._parse_paren()
        if not isinstance(query, exp.Subquery):
            self.raise_error("syntax error after ARRAY")
        return exp.Array(expressions=[query.this])

    def _array_members(self) -> Any:
        members = []
        while not self._match(TokenType.R_BRACKET):
            if self._curr.token_type is TokenType.L_BRACKET:
                self._advance()
                members.append(self._array_members())
            else:
                members.append(self._operand(OR))
            self._match(TokenType.COMMA)
        return exp.Array(expressions=members, bracket_notation=True)

    def _row(self) -> Any:
        if not self._open():
            return None
        members = []
        while not self._match(TokenType.R_PAREN):
            members.append(self._operand(OR))
            self._match(TokenType.COMMA)
        row = exp.Tuple(expressions=members)
        row.meta["row"] = True
        return row

    def _normalize(self) -> Any:
        if not self._open():
            return None
        arguments = [self._operand(OR)]
        if self._match(TokenType.COMMA):
            arguments.append(exp.Literal.string(self._curr.text))
            self._advance()
        return self._rest("normalize", arguments)

    def _bare(self) -> Any:
        name = self._curr.text
        self._advance()
        arguments = []
        if name in _WITH_PRECISION and self._match(TokenType.L_PAREN):
            arguments = [self._operand(OR)]
            self._match_r_paren()
        return Call(this=name, expressions=arguments, keyword=True)

    def _collation_for(self) -> Any:
        if self._next.text != "for":
            return None
        self._advance(2)
        operand = self._parse_paren()
        return Call(this="pg_collation_for", expressions=[operand])

    def _typed_literal(self) -> Any:
        """timestamp with time zone '...', interval(3) '...' day, double precision '...', char(3) 'x'."""
        start = self._index
        name = self._curr.text
        if name == "interval":
            self._advance()
            precision = self._modifiers()
            if self._curr.token_type is not TokenType.STRING:
                self._retreat(start)
                return None
            text = self._string_constant()
            fields = self._interval_fields()
            return exp.Cast(this=text, to=_data_type("interval" + fields + (precision or self._interval_precision())))
        target = self._type_name()
        if self._curr.token_type is TokenType.STRING and "[" not in target.args["kind"]:
            return exp.Cast(this=self._string_constant(), to=target)
        self._retreat(start)
        return None

    # -- type names ------------------------------------------------------------------------------------------------

    def _parse_types(
        self,
        check_func: bool = False,
        schema: bool = False,
        allow_identifiers: bool = True,
        with_collation: bool = False,
    ) -> Any:
        if self._curr.token_type is TokenType.STRING or not self._curr.text.isidentifier():
            return None
        return self._type_name()

    def _type_name(self) -> exp.DataType:
        quoted = self._curr.token_type is TokenType.IDENTIFIER
        word = self._name_part().name
        while self._match(TokenType.DOT):
            quoted = self._curr.token_type is TokenType.IDENTIFIER
            word = self._name_part().name if word == "pg_catalog" else f"{word}.{self._name_part().name}"
        if quoted:
            return self._array_suffix('"char"' if word == "char" else word)
        if word == "double" and self._match_text_seq("PRECISION"):
            return self._array_suffix("double precision")
        if word in ("national", "nchar"):
            word = self._name_part().name if word == "national" else "char"
        if word in ("character", "char", "bit") and self._match_text_seq("VARYING"):
            word = "varbit" if word == "bit" else "varchar"
        if word == "interval":
            modifiers = self._modifiers() or self._interval_fields() + self._interval_precision()
            return self._array_suffix(word + modifiers)
        modifiers = self._modifiers()
        if word in _WORD_SYNONYMS and self._curr.text in ("with", "without") and self._next.text == "time":
            zone = " with time zone" if self._curr.text == "with" else " without time zone"
            self._advance(3)
            return self._array_suffix(f"{word}{modifiers}{zone}")
        return self._array_suffix(word + modifiers)

    def _modifiers(self) -> str:
        if self._curr.token_type is not TokenType.L_PAREN:
            return ""
        self._advance()
        parts = []
        while not self._match(TokenType.R_PAREN):
            parts.append(self._curr.text)
            self._advance()
        return "(" + "".join(parts) + ")"

    def _interval_fields(self) -> str:
        fields = ""
        if self._curr.text in _INTERVAL_UNITS and self._curr.token_type is not TokenType.IDENTIFIER:
            fields = " " + self._name_part().name
            if self._curr.text == "to" and self._next.text in _INTERVAL_UNITS:
                self._advance()
                fields += " to " + self._name_part().name
        return fields

    def _interval_precision(self) -> str:
        return self._modifiers() if self._prev.text == "second" else ""

    def _array_suffix(self, name: str) -> exp.DataType:
        suffix = ""
        if self._curr.text == "array" and self._curr.token_type is not TokenType.IDENTIFIER:
            self._advance()
            suffix = "[]"
        while self._curr.token_type is TokenType.L_BRACKET:
            self._advance()
            self._match(TokenType.NUMBER)
            self._match(TokenType.R_BRACKET)
            suffix = "[]"
        return _data_type(name + suffix)


def _bit_string(text: str, digit: int) -> exp.Expression:
    """B'101' and X'1F': a cast of its width, as whose `bits` the value is known where it can be read."""
    width = len(text) * digit
    kind = _data_type(f"bit({width})" if width else "varbit")
    node = exp.Cast(this=exp.Literal.string(("b" if digit == 1 else "x") + text), to=kind)
    if set(text) <= set("01" if digit == 1 else "0123456789abcdefABCDEF"):
        node.meta["bits"] = "".join(f"{int(character, 16):0{digit}b}" for character in text)
    return node


def _data_type(name: str) -> exp.DataType:
    return exp.DataType(this=exp.DType.USERDEFINED, kind=name)


def _plain_number(text: str) -> str:
    """0x1F, 0o17, 0b101 in decimal; others as written."""
    if text[:2].lower() in ("0x", "0o", "0b"):
        return str(int(text, 0))
    return text


_SPECIAL: dict[str, Callable[[PrimaryParser], Any]] = {
    "case": PrimaryParser._case,
    "cast": PrimaryParser._cast,
    "extract": PrimaryParser._extract,
    "substring": PrimaryParser._substring,
    "position": PrimaryParser._position,
    "overlay": PrimaryParser._overlay,
    "trim": PrimaryParser._trim,
    "exists": PrimaryParser._exists,
    "array": PrimaryParser._array,
    "row": PrimaryParser._row,
    "normalize": PrimaryParser._normalize,
    "collation": PrimaryParser._collation_for,
}
for _name in _BARE_CALLS:
    _SPECIAL[_name] = PrimaryParser._bare
for _name in words(
    """timestamp time interval double numeric decimal dec char character varchar float bit national nchar
    boolean int integer smallint bigint real timestamptz timetz"""
):
    _SPECIAL[_name] = PrimaryParser._typed_literal

__all__ = ["MINUS", "PrimaryParser"]
