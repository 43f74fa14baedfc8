"""Random SELECTs for the planner: every kind of join, subquery, grouping, window and set operation, over few values.

Each has one right answer as a bag of rows: what depends on an order is ordered by all that can tell rows apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from .distributed_tables import COLUMNS

Column = tuple[str, str]  # its text; 'i' integer, 's' text, 'n' numeric, 'f' float, 'd' date, 't' timestamp
_SETS = ("UNION", "UNION ALL", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL")
_JOINS = ("JOIN", "JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN")
_EQUALS = (("i",), ("i",), ("i",), ("s",), ("n", "i"), ("f", "i", "n"), ("d", "t"))


@dataclass(frozen=True, slots=True)
class Member:
    """A member of FROM: its text, and its columns as they are named outside."""

    sql: str
    columns: tuple[Column, ...]


class QueryMaker:
    """Makes one query from a seed: `QueryMaker(7).query()`."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._names = 0
        self._shared: list[tuple[str, tuple[Column, ...]]] = []  # CTEs by name

    def query(self) -> str:
        depth = self._dice.choice((1, 1, 2, 2, 3))
        ctes = [self._cte(depth - 1) for _ in range(self._dice.choice((0, 0, 0, 1, 1, 2)))]
        sql, columns = self._select(depth, [])
        if self._chance(0.35):
            sql = self._ordered(sql, columns)
        return f"WITH {', '.join(ctes)} {sql}" if ctes else sql

    # Small parts.

    def _chance(self, share: float) -> bool:
        return self._dice.random() < share

    def _pick(self, items: Sequence[str]) -> str:
        return self._dice.choice(items)

    def _name(self, letter: str = "x") -> str:
        self._names += 1
        return f"{letter}{self._names}"

    def _of(self, columns: Sequence[Column], kinds: str) -> list[str]:
        return [name for name, kind in columns if kind in kinds]

    @contextmanager
    def _names_again(self) -> Iterator[None]:
        """A query that reads nothing around it may use the names that are in use there."""
        before = self._names
        if self._chance(0.5):
            self._names = 0
        yield
        self._names = max(self._names, before)

    def _ordered(self, sql: str, columns: Sequence[Column]) -> str:
        """By every column, so that a LIMIT has one answer."""
        keys = [str(place) for place in range(1, len(columns) + 1)]
        self._dice.shuffle(keys)
        order = ", ".join(f"{key}{self._pick(('', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'))}" for key in keys)
        limit = self._pick(("", "", f" LIMIT {self._dice.randint(0, 9)}", " LIMIT 5 OFFSET 2", " OFFSET 3"))
        return f"SELECT * FROM ({sql}) {self._name('o')} ORDER BY {order}{limit}"

    def _cte(self, depth: int) -> str:
        name = self._name("c")
        if self._chance(0.15):
            sql = (
                "SELECT k, 0 FROM t0 WHERE k < 3 UNION ALL"
                f" SELECT z.k + 1, z.step + 1 FROM {name} z JOIN t1 y ON y.k = z.k AND y.id < 6 WHERE z.step < 3"
            )
            self._shared.append((name, (("k", "i"), ("step", "i"))))
            return f"RECURSIVE {name}(k, step) AS ({sql})" if len(self._shared) == 1 else self._plain_cte(name, depth)
        return self._plain_cte(name, depth)

    def _plain_cte(self, name: str, depth: int) -> str:
        if self._shared and self._shared[-1][0] == name:
            self._shared.pop()
        sql, columns = self._select(max(depth, 0), [])
        self._shared.append((name, tuple(columns)))
        return f"{name} AS {self._pick(('', '', 'MATERIALIZED ', 'NOT MATERIALIZED '))}({sql})"

    # FROM.

    def _member(self, depth: int, around: Sequence[Column]) -> Member:
        """`around` are columns before it, which a LATERAL one may read."""
        alias = self._name()
        if self._shared and self._chance(0.4):
            shared, known = self._dice.choice(self._shared)
            return Member(f"{shared} {alias}", tuple((f"{alias}.{column}", kind) for column, kind in known))
        if depth <= 0 or self._chance(0.7):
            name = "e" if self._chance(0.04) else self._pick(("t0", "t0", "t1", "t1", "t2", "t2", "u", "r"))
            return Member(f"{name} {alias}", tuple((f"{alias}.{column}", kind) for column, kind in COLUMNS[name]))
        if around and self._chance(0.25):
            sql, columns = self._select(depth - 1, around)
            return Member(f"LATERAL ({sql}) {alias}", tuple((f"{alias}.{column}", kind) for column, kind in columns))
        with self._names_again():
            sql, columns = self._select(depth - 1, [])
        if self._chance(0.15):
            sql = self._ordered(sql, columns)
        return Member(f"({sql}) {alias}", tuple((f"{alias}.{column}", kind) for column, kind in columns))

    def _from(self, depth: int) -> tuple[str, list[Column]]:
        first = self._member(depth, ())
        sql, shown = first.sql, list(first.columns)
        for _ in range(self._dice.choice((0, 0, 1, 1, 1, 2, 3))):
            lateral = self._chance(0.5)
            other = self._member(depth, shown if lateral else ())
            join = self._pick(_JOINS)
            if other.sql.startswith("LATERAL"):
                join = self._pick(("CROSS JOIN", "LEFT JOIN", "JOIN"))
            if join == "CROSS JOIN" and not self._chance(0.4) and not other.sql.startswith("LATERAL"):
                join = "JOIN"
            if join == "LEFT JOIN" and other.sql.startswith("LATERAL"):
                sql = f"{sql} LEFT JOIN {other.sql} ON true"
            elif join == "CROSS JOIN":
                sql = f"{sql} CROSS JOIN {other.sql}"
            else:
                sql = f"{sql} {join} {other.sql} ON {self._on(shown, other.columns, join)}"
            shown += other.columns
        return sql, shown

    def _on(self, left: Sequence[Column], right: Sequence[Column], join: str) -> str:
        equalities = [self._equality(left, right) for _ in range(self._dice.choice((1, 1, 1, 2)))]
        both = [*left, *right]
        if join != "FULL JOIN" and self._chance(0.25):
            equalities.append(self._comparison(both))
        if join == "LEFT JOIN" and self._chance(0.1):
            equalities.append(self._comparison(left))
        return " AND ".join(equalities)

    def _equality(self, left: Sequence[Column], right: Sequence[Column]) -> str:
        for _ in range(4):
            kinds = "".join(self._dice.choice(_EQUALS))
            ones, others = self._of(left, kinds), self._of(right, kinds)
            if ones and others:
                return f"{self._key(ones)} = {self._key(others)}"
        return "true"

    def _key(self, names: Sequence[str]) -> str:
        """Mostly the columns whose values meet."""
        likely = [name for name in names if name.endswith((".k", ".v"))]
        return self._pick(likely if likely and self._chance(0.75) else names)

    # Conditions.

    def _comparison(self, columns: Sequence[Column]) -> str:
        numbers = self._of(columns, "i")
        texts, dates = self._of(columns, "s"), self._of(columns, "dt")
        roll = self._dice.random()
        if texts and roll < 0.15:
            return f"{self._pick(texts)} {self._pick(('=', '<', '<>', 'LIKE'))} 'a'"
        if dates and roll < 0.3:
            day = self._pick(("date '2024-01-03'", "date '2024-01-03'", "(now() - interval '100 years')::date"))
            return f"{self._pick(dates)} {self._pick(('>', '<='))} {day}"
        if not numbers:
            return self._pick(("true", "true", "true", "false"))
        if roll < 0.4:
            return f"{self._pick(numbers)} IS {self._pick(('', 'NOT ', 'NOT '))}NULL"
        if roll < 0.6:
            test = self._pick(("=", "<", "<=", "<>", "IS DISTINCT FROM"))
            return f"{self._pick(numbers)} {test} {self._pick(numbers)}"
        test = self._pick(("=", "<", ">", "<=", ">=", ">=", "<>", "<>"))
        return f"{self._pick(numbers)} {test} {self._dice.randint(0, 4)}"

    def _condition(self, columns: Sequence[Column], depth: int) -> str:
        if self._chance(0.25):
            glue = self._pick((" AND ", " AND ", " OR "))
            return f"({self._condition(columns, depth)}{glue}{self._condition(columns, depth)})"
        if depth > 0 and self._chance(0.45):
            return self._subquery_test(columns, depth - 1)
        if self._chance(0.1):
            return f"NOT ({self._comparison(columns)})"
        return self._comparison(columns)

    def _subquery_test(self, columns: Sequence[Column], depth: int) -> str:
        numbers = self._of(columns, "i") or ["1"]
        correlated = columns if self._chance(0.4) else ()
        match self._dice.randint(0, 5):
            case 0:
                return f"{self._pick(numbers)} IN ({self._one(depth, correlated, 'i')})"
            case 1:
                return f"{self._pick(numbers)} NOT IN ({self._one(depth, correlated, 'i')})"
            case 2 | 3:
                return f"{self._pick(('', 'NOT '))}EXISTS ({self._exists(depth, columns)})"
            case 4:
                return f"{self._pick(numbers)} {self._pick(('=', '<', '>='))} ({self._scalar(depth, columns)})"
            case _:
                test = self._pick(("= ANY", "> ALL", "<= ANY", "<> ALL"))
                return f"{self._pick(numbers)} {test} ({self._one(depth, correlated, 'i')})"

    def _inner(self, depth: int, outer: Sequence[Column]) -> tuple[str, list[Column]]:
        """FROM and WHERE of a subquery, most of the time tied to what is around it by an equality."""
        if not outer:
            with self._names_again():
                source, shown = self._from(depth)
        else:
            source, shown = self._from(depth)
        tests = []
        if outer and self._chance(0.85):
            tests.append(self._equality(shown, outer))
        if self._chance(0.4):
            mixed = [*shown, *outer] if self._chance(0.3) else shown
            tests.append(self._condition(mixed, depth))
        return f"FROM {source}" + (f" WHERE {' AND '.join(tests)}" if tests else ""), shown

    def _exists(self, depth: int, outer: Sequence[Column]) -> str:
        return f"SELECT 1 {self._inner(depth, outer)[0]}"

    def _one(self, depth: int, outer: Sequence[Column], kind: str) -> str:
        source, shown = self._inner(depth, outer)
        return f"SELECT {self._pick(self._of(shown, kind) or ['1'])} {source}"

    def _scalar(self, depth: int, outer: Sequence[Column]) -> str:
        source, shown = self._inner(depth, outer if self._chance(0.7) else ())
        numbers = self._of(shown, "i") or ["1"]
        if self._chance(0.06):  # may be more than one row: an error, wherever the rows lie
            return f"SELECT {self._pick(numbers)} {source}"
        return f"SELECT {self._pick(('max', 'min', 'count', 'sum'))}({self._pick(numbers)}) {source}"

    # SELECT.

    def _select(self, depth: int, outer: Sequence[Column]) -> tuple[str, list[Column]]:
        """A query with its output columns, by their names. `outer` are columns that it may read from around it."""
        if depth > 0 and not outer and self._chance(0.12):
            return self._set_operation(depth - 1)
        source, shown = self._from(depth)
        tests = []
        if outer:
            tests.append(self._equality(shown, outer))
        if self._chance(0.6):
            tests.append(self._condition(shown, depth))
        body = f"FROM {source}" + (f" WHERE {' AND '.join(tests)}" if tests else "")
        roll = self._dice.random()
        if roll < 0.3:
            return self._grouped(body, shown, depth)
        if roll < 0.36:
            return self._aggregated(body, shown)
        if roll < 0.5:
            return self._windowed(body, shown)
        chosen = self._dice.sample(shown, min(len(shown), self._dice.choice((1, 2, 3, 4))))
        outputs = [name for name, _ in chosen]
        kinds = [kind for _, kind in chosen]
        if depth > 0 and self._chance(0.2):
            outputs.append(f"({self._scalar(depth - 1, shown)})")
            kinds.append("i")
        if self._chance(0.2):
            outputs.append(self._computed(shown))
            kinds.append("i")
        if roll < 0.6:
            return self._distinct(body, outputs, kinds)
        return self._finished("SELECT", outputs, kinds, body)

    def _finished(self, head: str, outputs: Sequence[str], kinds: Sequence[str], body: str) -> tuple[str, list[Column]]:
        columns = [(f"o{place}", kind) for place, kind in enumerate(kinds)]
        listed = ", ".join(f"{text} AS {name}" for text, (name, _) in zip(outputs, columns, strict=True))
        return f"{head} {listed} {body}", columns

    def _computed(self, shown: Sequence[Column]) -> str:
        numbers = self._of(shown, "i") or ["2"]
        one, two = self._pick(numbers), self._pick(numbers)
        return self._pick(
            (
                f"{one} + 1", f"coalesce({one}, {two})", f"CASE WHEN {one} > {two} THEN 1 ELSE 0 END", f"{one} % 3",
                f"coalesce({one}, -1)", f"{one} + date_part('year', current_date)::int", f"length({one}::text)",
                f"{one} / 2", "7",
            )
        )  # fmt: skip

    def _distinct(self, body: str, outputs: Sequence[str], kinds: Sequence[str]) -> tuple[str, list[Column]]:
        if self._chance(0.3):
            order = ", ".join(str(place) for place in range(1, len(outputs) + 1))
            sql, columns = self._finished(f"SELECT DISTINCT ON ({outputs[0]})", outputs, kinds, body)
            return f"{sql} ORDER BY {outputs[0]}, {order}", columns
        return self._finished("SELECT DISTINCT", outputs, kinds, body)

    def _set_operation(self, depth: int) -> tuple[str, list[Column]]:
        width = self._dice.choice((1, 2))
        branches = [self._branch(depth, width) for _ in range(self._dice.choice((2, 2, 3)))]
        sql = branches[0]
        for branch in branches[1:]:
            sql = f"({sql}) {self._pick(_SETS)} ({branch})"
        return sql, [(f"o{place}", "i") for place in range(width)]

    def _branch(self, depth: int, width: int) -> str:
        source, shown = self._inner(depth, ())
        numbers = self._of(shown, "i") or ["1"]
        if self._chance(0.2):
            keys = [self._pick(numbers) for _ in range(width)]
            listed = ", ".join(f"{key} AS o{place}" for place, key in enumerate(keys))
            return f"SELECT {listed} {source} GROUP BY {', '.join(keys)}"
        distinct = self._pick(("", "", "", "DISTINCT "))
        outputs = [self._computed(shown) if self._chance(0.2) else self._pick(numbers) for _ in range(width)]
        listed = ", ".join(f"{text} AS o{place}" for place, text in enumerate(outputs))
        return f"SELECT {distinct}{listed} {source}"

    # Aggregates and windows.

    def _aggregate(self, shown: Sequence[Column]) -> Column:
        number = self._pick(self._of(shown, "i") or ["1"])
        exact = self._pick(self._of(shown, "in") or ["1"])
        name, kind = self._dice.choice(shown)
        floats = self._of(shown, "f") or [number]
        texts = self._of(shown, "s") or ["'a'"]
        choices = (
            ("count(*)", "i"), (f"count({name})", "i"), (f"sum({number})", "i"), (f"sum({exact})", "n"),
            (f"avg({exact})::numeric(20,4)", "n"), (f"min({name})", kind), (f"max({name})", kind),
            (f"count(DISTINCT {name})", "i"), (f"sum(DISTINCT {number})", "i"), (f"avg({number})::float8", "f"),
            (f"bool_or({number} > 2)::int", "i"), (f"bool_and({number} > 2)::int", "i"), (f"bit_or({number})", "i"),
            (f"stddev({number})::float8", "f"), (f"var_pop({number})::float8", "f"), (f"sum({number} + 1)", "i"),
            (f"max({self._pick(floats)})", "f"), (f"count(DISTINCT {number} % 2)", "i"),
            (f"string_agg({texts[0]}, ',' ORDER BY {texts[0]})", "s"),
            (f"array_length(array_agg({number} ORDER BY {number}), 1)", "i"),
            (f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {number})", "f"),
        )  # fmt: skip
        weights = [3] * 7 + [2] * 2 + [1] * (len(choices) - 9)
        text, of_kind = self._dice.choices(choices, weights)[0]
        plain = "::" not in text and "WITHIN" not in text and "array_length" not in text
        if plain and self._chance(0.2):
            text = f"{text} FILTER (WHERE {self._comparison(shown)})"
        return text, of_kind

    def _grouped(self, body: str, shown: Sequence[Column], depth: int) -> tuple[str, list[Column]]:
        chosen = self._dice.sample(list(shown), min(len(shown), self._dice.choice((1, 1, 2, 2, 3))))
        if self._chance(0.2):
            chosen.append((f"({self._computed(shown)})::int", "i"))
        keys = [name for name, _ in chosen]
        grouping = ", ".join(keys)
        sets = self._dice.random()
        if sets < 0.08:
            grouping = f"ROLLUP ({grouping})"
        elif sets < 0.14:
            grouping = f"CUBE ({grouping})"
        elif sets < 0.2:
            grouping = f"GROUPING SETS (({grouping}), ({keys[0]}), ())"
        aggregates = [self._aggregate(shown) for _ in range(self._dice.choice((0, 1, 1, 2, 3)))]
        outputs = [*keys, *(text for text, _ in aggregates)]
        kinds = [kind for _, kind in [*chosen, *aggregates]]
        if sets < 0.2 and self._chance(0.5):
            outputs.append(f"GROUPING({keys[0]})")
            kinds.append("i")
        if aggregates and aggregates[0][1] == "i" and self._chance(0.15):
            outputs.append(f"rank() OVER (ORDER BY {aggregates[0][0]})")
            kinds.append("i")
        if self._chance(0.3) and sets >= 0.2:  # outputs need not show every key
            kept = self._dice.randrange(len(keys))
            del outputs[kept], kinds[kept]
            if not outputs:
                outputs, kinds = ["count(*)"], ["i"]
        having = ""
        if self._chance(0.25):
            having = f" HAVING {self._pick(('count(*)', f'max({keys[0]})', 'count(*)'))} {self._pick(('> 1', '<= 2'))}"
            if "max(" in having and chosen[0][1] not in "inf":
                having = " HAVING count(*) > 1"
        return self._finished("SELECT", outputs, kinds, f"{body} GROUP BY {grouping}{having}")

    def _aggregated(self, body: str, shown: Sequence[Column]) -> tuple[str, list[Column]]:
        aggregates = [self._aggregate(shown) for _ in range(self._dice.choice((1, 2, 3)))]
        having = f" HAVING count(*) {self._pick(('> 3', '>= 0', '= 0'))}" if self._chance(0.2) else ""
        outputs, kinds = [text for text, _ in aggregates], [kind for _, kind in aggregates]
        return self._finished("SELECT", outputs, kinds, body + having)

    def _windowed(self, body: str, shown: Sequence[Column]) -> tuple[str, list[Column]]:
        chosen = self._dice.sample(list(shown), min(len(shown), self._dice.choice((1, 2, 3))))
        numbers = self._of(shown, "i") or ["1"]
        outputs, kinds = [name for name, _ in chosen], [kind for _, kind in chosen]
        for _ in range(self._dice.choice((1, 1, 2))):
            over = []
            if self._chance(0.75):
                keys = [self._dice.choice(shown)[0] for _ in range(self._dice.choice((1, 1, 2)))]
                if self._chance(0.15):
                    keys = [self._computed(shown)]
                over.append(f"PARTITION BY {', '.join(keys)}")
            ordered = self._chance(0.6)
            if ordered:
                over.append(f"ORDER BY {self._pick(numbers)}{self._pick(('', ' DESC'))}")
            functions = ["count(*)", f"sum({self._pick(numbers)})", f"max({self._pick(numbers)})"]
            if ordered:
                functions += ["rank()", "dense_rank()", "cume_dist()"]
            function = self._pick(functions)
            outputs.append(f"{function} OVER ({' '.join(over)})")
            kinds.append("f" if function == "cume_dist()" else "i")
        return self._finished("SELECT", outputs, kinds, body)
