"""A generator of random queries over two tables: typed expressions, joins, grouping, windows, set operations."""

from __future__ import annotations

import random
from collections.abc import Callable

SETUP = (
    "CREATE TABLE a (id int, i int, b bigint, n numeric(10,2), f float8, t text, d date, ts timestamp, ok boolean)",
    "CREATE TABLE b (id int, a_id int, s smallint, n numeric(12,4), t varchar(10), d date, ok boolean)",
)


def rows(seed: int) -> list[str]:
    """INSERT statements with the same data for both sides."""
    dice = random.Random(seed)

    def maybe(text: str) -> str:
        return "NULL" if dice.random() < 0.15 else text

    def a(number: int) -> str:
        return ", ".join(
            (
                str(number),
                maybe(str(dice.randint(-5, 5))),
                maybe(str(dice.choice((0, 1, -1, 10**12, dice.randint(-99, 99))))),
                maybe(f"{dice.randint(-500, 500) / 100}"),
                maybe(dice.choice(("0", "1.5", "-2.25", "1e10", "0.1", str(dice.randint(-9, 9))))),
                maybe(dice.choice(("''", "'x'", "'Xy'", "'abc'", "'a b'", "'10'", "'%'", "'ü'"))),
                maybe(f"date '2024-01-01' + {dice.randint(-40, 400)}"),
                maybe(f"timestamp '2024-02-28 23:30' + interval '1 hour' * {dice.randint(-50, 900)}"),
                maybe(dice.choice(("true", "false"))),
            )
        )

    def b(number: int) -> str:
        return ", ".join(
            (
                str(number),
                maybe(str(dice.randint(1, 30))),
                maybe(str(dice.randint(-3, 3))),
                maybe(f"{dice.randint(-90000, 90000) / 10000}"),
                maybe(dice.choice(("''", "'x'", "'Xy'", "'abc'", "'zz'"))),
                maybe(f"date '2024-01-01' + {dice.randint(-40, 400)}"),
                maybe(dice.choice(("true", "false"))),
            )
        )

    return [
        "INSERT INTO a VALUES " + ", ".join(f"({a(number)})" for number in range(1, 31)),
        "INSERT INTO b VALUES " + ", ".join(f"({b(number)})" for number in range(1, 26)),
    ]


COLUMNS = {
    "int": ("a.id", "a.i", "b.s", "b.id"),
    "bigint": ("a.b",),
    "numeric": ("a.n", "b.n"),
    "float": ("a.f",),
    "text": ("a.t", "b.t"),
    "date": ("a.d", "b.d"),
    "timestamp": ("a.ts",),
    "bool": ("a.ok", "b.ok"),
}
KINDS = tuple(COLUMNS)


class Query:
    """One random query; `sql` is its text; it has no ORDER BY, so the rows are compared as a set."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.tables = self.dice.choice(("a", "b", "ab", "ab"))

    def column(self, kind: str) -> str | None:
        fitting = [column for column in COLUMNS[kind] if column[0] in self.tables]
        return self.dice.choice(fitting) if fitting else None

    def literal(self, kind: str) -> str:
        dice = self.dice
        if dice.random() < 0.07:
            names = {"float": "float8", "bool": "boolean"}
            return f"NULL::{names.get(kind, kind)}"
        return {
            "int": str(dice.randint(-4, 9)),
            "bigint": f"{dice.randint(-4, 9)}::bigint",
            "numeric": f"{dice.randint(-300, 300) / 100}",
            "float": f"{dice.choice(('0.5', '2', '-1.25'))}::float8",
            "text": dice.choice(("'x'", "'abc'", "''", "'B'")),
            "date": f"date '2024-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}'",
            "timestamp": f"timestamp '2024-03-0{dice.randint(1, 9)} 10:00'",
            "bool": dice.choice(("true", "false")),
        }[kind]

    def expression(self, kind: str, depth: int = 2) -> str:
        if depth == 0 or self.dice.random() < 0.25:
            return (self.column(kind) if self.dice.random() < 0.8 else None) or self.literal(kind)
        makers: dict[str, tuple[Callable[[int], str], ...]] = {
            "int": (self.arithmetic("int"), self.length, self.part, self.conditional("int"), self.subtract_dates),
            "bigint": (self.arithmetic("bigint"), self.conditional("bigint")),
            "numeric": (self.arithmetic("numeric"), self.rounding, self.conditional("numeric")),
            "float": (self.float_arithmetic, self.conditional("float")),
            "text": (self.text, self.conditional("text"), self.shown),
            "date": (self.shift, self.conditional("date")),
            "timestamp": (self.moment, self.conditional("timestamp")),
            "bool": (self.comparison, self.comparison, self.logic, self.logic, self.null_test, self.membership),
        }
        return self.dice.choice(makers[kind])(depth - 1)

    def arithmetic(self, kind: str) -> Callable[[int], str]:
        def make(depth: int) -> str:
            left, right = self.expression(kind, depth), self.expression(kind, depth)
            operator = self.dice.choice(("+", "-", "*", "/", "%"))
            if operator in "/%":
                return f"({left} {operator} nullif({right}, 0))"
            if operator == "*" and kind == "bigint":
                return f"({left} % 1000 * ({right} % 1000))"
            return f"({left} {operator} {right})" if depth else f"({left} {operator} {self.literal(kind)})"

        return make

    def conditional(self, kind: str) -> Callable[[int], str]:
        def make(depth: int) -> str:
            one, two = self.expression(kind, depth), self.expression(kind, depth)
            return self.dice.choice(
                (
                    f"CASE WHEN {self.expression('bool', depth)} THEN {one} ELSE {two} END",
                    f"coalesce({one}, {two})",
                    f"nullif({one}, {two})",
                    f"greatest({one}, {two})",
                    f"least({one}, {two})",
                )
            )

        return make

    def length(self, depth: int) -> str:
        return f"{self.dice.choice(('length', 'ascii', 'octet_length'))}({self.expression('text', depth)})"

    def part(self, depth: int) -> str:
        field = self.dice.choice(("year", "month", "day", "dow", "doy", "quarter", "week"))
        return f"extract({field} FROM {self.expression(self.dice.choice(('date', 'timestamp')), depth)})::int"

    def subtract_dates(self, depth: int) -> str:
        return f"({self.expression('date', depth)} - {self.expression('date', depth)})"

    def rounding(self, depth: int) -> str:
        value = self.expression("numeric", depth)
        return self.dice.choice(
            (f"round({value}, 1)", f"trunc({value})", f"abs({value})", f"ceil({value})", f"-{value}")
        )

    def float_arithmetic(self, depth: int) -> str:
        return f"({self.expression('float', depth)} {self.dice.choice('+-*')} {self.expression('int', depth)})"

    def text(self, depth: int) -> str:
        value, other = self.expression("text", depth), self.expression("text", depth)
        return self.dice.choice(
            (
                f"({value} || {other})", f"upper({value})", f"lower({value})", f"substr({value}, 2, 2)",
                f"left({value}, 1)",
                f"replace({value}, 'x', {other})", f"trim({value})", f"lpad({value}, 4, '*')", f"reverse({value})",
                f"split_part({value}, ' ', 1)", f"concat({value}, {other})", f"regexp_replace({value}, '[a-c]', '-')",
                f"translate({value}, 'abx', '12')", f"initcap({value})",
            )
        )  # fmt: skip

    def shown(self, depth: int) -> str:
        kind = self.dice.choice(("int", "date", "bool", "numeric", "timestamp", "bigint"))
        return f"({self.expression(kind, 0)})::text"

    def shift(self, depth: int) -> str:
        value = self.expression("date", depth)
        return self.dice.choice((f"({value} + {self.dice.randint(-9, 9)})", f"date_trunc('month', {value})::date"))

    def moment(self, depth: int) -> str:
        value = self.expression("timestamp", depth)
        return self.dice.choice(
            (
                f"({value} + interval '{self.dice.choice(('1 month', '36 hours', '1 year 2 days'))}')",
                f"date_trunc('{self.dice.choice(('day', 'week', 'hour', 'year'))}', {value})",
                f"({self.expression('date', depth)})::timestamp",
            )
        )

    def comparison(self, depth: int) -> str:
        kind = self.dice.choice(KINDS)
        operator = self.dice.choice(("=", "<", "<=", ">", ">=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"))
        other = self.dice.choice(("int", "numeric", "bigint")) if kind in ("int", "numeric", "bigint") else kind
        return f"({self.expression(kind, depth)} {operator} {self.expression(other, depth)})"

    def logic(self, depth: int) -> str:
        left, right = self.expression("bool", depth), self.expression("bool", depth)
        return self.dice.choice((f"({left} AND {right})", f"({left} OR {right})", f"(NOT {left})"))

    def null_test(self, depth: int) -> str:
        value = self.expression(self.dice.choice(KINDS), depth)
        return f"({value} IS {self.dice.choice(('', 'NOT '))}NULL)"

    def membership(self, depth: int) -> str:
        dice = self.dice
        text = self.expression("text", depth)
        number = self.expression("int", depth)
        pattern = dice.choice(("'%a%'", "'_'", "'x%'", "''"))
        expression = dice.choice(("'^[a-z]+$'", "'b'", "'^$'"))
        inner = self.dice.choice(("SELECT s FROM b", "SELECT id FROM a WHERE i > 0", "SELECT a_id FROM b WHERE ok"))
        return dice.choice(
            (
                f"({text} LIKE {pattern})",
                f"({text} ILIKE 'X%')",
                f"({text} ~ {expression})",
                f"({number} BETWEEN {self.literal('int')} AND {self.literal('int')})",
                f"({number} IN ({self.literal('int')}, {self.literal('int')}, 3))",
                f"({number} NOT IN ({self.literal('int')}, 2))",
                f"({number} {dice.choice(('IN', 'NOT IN'))} ({inner}))",
                f"(EXISTS (SELECT FROM b x WHERE x.s = {number}))",
            )
        )

    def source(self) -> str:
        if self.tables != "ab":
            return f"FROM {self.tables}"
        join = self.dice.choice(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"))
        condition = "a.id = b.a_id" if join == "FULL JOIN" or self.dice.random() < 0.7 else "a.id < b.a_id AND b.ok"
        return f"FROM a {join} b ON {condition}"

    def where(self) -> str:
        return f" WHERE {self.expression('bool')}" if self.dice.random() < 0.6 else ""

    def aggregate(self) -> str:
        dice = self.dice
        number = self.expression(dice.choice(("int", "numeric", "bigint")), 1)
        text = self.expression("text", 1)
        plain = dice.choice(
            (
                "count(*)", f"count({text})", f"count(DISTINCT {number})", f"sum({number})", f"min({number})",
                f"max({text})", f"avg({number})::numeric(30,4)", f"bool_or({self.expression('bool', 1)})",
                f"string_agg({text}, ',' ORDER BY {text})", f"max({self.expression('date', 1)})",
                f"array_agg({number} ORDER BY {number} DESC)",
            )
        )  # fmt: skip
        return f"{plain} FILTER (WHERE {self.expression('bool', 1)})" if dice.random() < 0.2 else plain

    def window(self) -> str:
        dice = self.dice
        key = "a.id" if "a" in self.tables else "b.id"
        order = f"ORDER BY {self.expression(dice.choice(KINDS), 1)}{dice.choice(('', ' DESC', ' NULLS FIRST'))}, {key}"
        if self.tables == "ab":
            order += ", b.id"
        partition = f"PARTITION BY {self.expression(dice.choice(KINDS), 0)} " if dice.random() < 0.5 else ""
        function = dice.choice(
            (
                "row_number()", "rank()", f"lag({self.expression('int', 1)})", f"sum({self.expression('int', 1)})",
                f"first_value({self.expression('text', 1)})", "count(*)", f"max({self.expression('numeric', 1)})",
            )
        )  # fmt: skip
        return f"{function} OVER ({partition}{order})"

    @property
    def sql(self) -> str:
        dice = self.dice
        shape = dice.choice(("plain", "plain", "grouped", "grouped", "window", "distinct", "union", "nested"))
        if shape == "grouped":
            keys = [self.expression(dice.choice(KINDS), 1) for _ in range(dice.randint(0, 2))]
            outputs = ", ".join([*keys, *(self.aggregate() for _ in range(dice.randint(1, 3)))])
            grouping = "GROUP BY " + ", ".join(str(number + 1) for number in range(len(keys))) if keys else ""
            having = f" HAVING count(*) > {dice.randint(0, 3)}" if dice.random() < 0.3 else ""
            return f"SELECT {outputs} {self.source()}{self.where()} {grouping}{having}"
        kinds = [dice.choice(KINDS) for _ in range(dice.randint(1, 3))]
        outputs = ", ".join(self.expression(kind) for kind in kinds)
        if shape == "window":
            return f"SELECT {outputs}, {self.window()} {self.source()}{self.where()}"
        if shape == "distinct":
            return f"SELECT DISTINCT {outputs} {self.source()}{self.where()}"
        if shape == "union":
            again = ", ".join(self.expression(kind) for kind in kinds)
            operator = dice.choice(("UNION", "UNION ALL", "EXCEPT", "INTERSECT"))
            first, second = f"{self.source()}{self.where()}", f"{self.source()}{self.where()}"
            return f"SELECT {outputs} {first} {operator} SELECT {again} {second}"
        if shape == "nested":
            named = ", ".join(f"{self.expression(kind)} AS c{number}" for number, kind in enumerate(kinds))
            inner = f"SELECT {named} {self.source()}{self.where()}"
            counted = f"(SELECT count(*) FROM b z WHERE z.id > {dice.randint(0, 9)} AND (q.c0 IS NOT NULL) = z.ok)"
            return f"SELECT q.*, {counted} FROM ({inner}) q WHERE q.c0 IS NOT NULL"
        return f"SELECT {outputs} {self.source()}{self.where()}"
