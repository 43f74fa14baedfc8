"""The Mere dialect of sqlglot: PostgreSQL's lexical rules and expression grammar. Coordinator process."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.generators.postgres import PostgresGenerator
from sqlglot.tokenizer_core import Token

from mere.sql.grammar.nodes import Call, PgOperator
from mere.sql.grammar.primaries import PrimaryParser
from mere.sql.grammar.scanner import scan


def quote_identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quote_string(text: str) -> str:
    """A string constant that reads alike whatever standard_conforming_strings says."""
    quoted = "'" + text.replace("'", "''") + "'"
    return " E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


class MereGenerator(PostgresGenerator):
    """PostgreSQL's text of what the Mere parser made."""

    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        **PostgresGenerator.TRANSFORMS,
        Call: lambda self, node: self.call_sql(node),
        PgOperator: lambda self, node: self.pgoperator_sql(node),
        exp.DataType: lambda self, node: node.args.get("kind") or node.name,
        exp.Cast: lambda self, node: f"CAST({self.sql(node, 'this')} AS {self.sql(node, 'to')})",
        exp.Parameter: lambda self, node: f"${self.sql(node, 'this')}",
        exp.Tuple: lambda self, node: self.row_sql(node),
        exp.Any: lambda self, node: f"ANY {self.quantified_sql(node)}",
        exp.All: lambda self, node: f"ALL {self.quantified_sql(node)}",
        exp.Bracket: lambda self, node: f"{self.sql(node, 'this')}[{self.sql(node.expressions[0])}]",
        exp.Div: lambda self, node: f"({self.sql(node, 'this')} / {self.sql(node, 'expression')})",
        exp.Pow: lambda self, node: f"({self.sql(node, 'this')} ^ {self.sql(node, 'expression')})",
        exp.Collate: lambda self, node: f"({self.sql(node, 'this')} COLLATE {self.sql(node, 'expression')})",
        exp.Kwarg: lambda self, node: f"{self.sql(node, 'this')} => {self.sql(node, 'expression')}",
    }

    def call_sql(self, node: Call) -> str:
        name = node.name
        if node.args.get("keyword"):
            arguments = self.expressions(node, flat=True)
            return f"{name}({arguments})" if arguments or name in ("coalesce", "greatest", "least") else name
        schema = node.args.get("schema")
        prefix = ".".join(quote_identifier(part) for part in schema.split(".")) + "." if schema else ""
        distinct = "DISTINCT " if node.args.get("distinct") else ""
        parts = [self.sql(argument) for argument in node.expressions]
        if node.args.get("variadic"):
            parts[-1] = "VARIADIC " + parts[-1]
        order = self.sql(node, "order")
        return f"{prefix}{quote_identifier(name)}({distinct}{', '.join(parts)}{order})"

    def row_sql(self, node: exp.Tuple) -> str:
        members = self.expressions(node, flat=True)
        return f"ROW({members})" if node.meta.get("row") else f"({members})"

    def quantified_sql(self, node: exp.Any | exp.All) -> str:
        operand = self.sql(node, "this")
        return operand if isinstance(node.this, exp.Subquery) else f"({operand})"

    def pgoperator_sql(self, node: PgOperator) -> str:
        left = self.sql(node, "this")
        return f"({left} {node.args['operator']} {self.sql(node, 'expression')})"

    def literal_sql(self, expression: exp.Literal) -> str:
        return quote_string(expression.this) if expression.is_string else str(expression.this)

    def is_sql(self, expression: exp.Is) -> str:
        negate = "NOT " if expression.args.get("negate") else ""
        return f"({self.sql(expression, 'this')} IS {negate}{self.sql(expression, 'expression')})"


class MereParser(PrimaryParser):
    """Statements by sqlglot, expressions by our grammar."""


class Mere(Postgres):
    Parser = MereParser
    Generator = MereGenerator

    def tokenize(self, sql: str, dialect: Any = None) -> list[Token]:
        return scan(sql)
