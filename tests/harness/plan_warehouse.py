"""Tables for the planner's tests: declared as PostgreSQL would, their rows in one DuckDB, no server and no files.

A `Warehouse` binds statements, says what the lake's statistics would say, and answers a bound query on the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import duckdb
from sqlglot import exp

from mere.execute.types import EngineTypes, scan_columns
from mere.plan.local import ColumnStatistics, Facts, ScanStatistics
from mere.segment.connect import _MEANING, extension_file
from mere.segment.kernels import install
from mere.sql.bind import BindContext, BoundSelect, Constant, Scan, bind, duckdb_text, fill_constants, parse
from mere.sql.grammar.type_names import parse_type
from mere.sql.lexer import quote_identifier
from mere.sql.macros import MACROS
from mere.sql.relations import Column, Kind, Policy, Relation, Resolved
from mere.sql.types import duckdb_type

_ALL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` as "a integer NOT NULL, b text". `key` is what a hash policy goes by.

    `stated_rows` is what statistics say instead of the truth, so that small tables are planned as large ones.
    """

    name: str
    columns: str
    policy: str = "hash"  # | 'random' | 'replicated'
    key: str | None = None
    buckets: int = 16
    stated_rows: float | None = None

    @property
    def hash_column(self) -> str | None:
        if self.policy != "hash":
            return None
        return self.key or self.described[0].name

    @property
    def described(self) -> tuple[Column, ...]:
        columns = []
        for place, text in enumerate(_split(self.columns), 1):
            name, _, type_ = text.strip().partition(" ")
            plain = type_.removesuffix(" NOT NULL")
            columns.append(Column(place, name, parse_type(plain.strip()), not_null=plain != type_))
        return tuple(columns)

    def relation(self, oid: int) -> Relation:
        columns = self.described
        keys = tuple(column.attnum for column in columns if column.name == self.hash_column)
        policy = Policy(self.policy, keys, self.buckets if keys else 0)
        return Relation(oid, "public", self.name, Kind.LAKE, columns, "owner", _ALL, policy=policy)


def engine() -> duckdb.DuckDBPyConnection:
    """A DuckDB of one thread that means what a segment's means."""
    connection = duckdb.connect(":memory:", config={"threads": "1"})
    connection.execute(f"LOAD '{extension_file('ducklake')}'")
    for name, value in _MEANING.items():
        connection.execute(f"SET GLOBAL {name} = {value}")
    install(connection)
    for macro in MACROS:
        connection.execute(macro)
    return connection


class Warehouse:
    """The rows are kept once; the same ones can be had `distributed` another way."""

    def __init__(self, tables: Sequence[Table], connection: duckdb.DuckDBPyConnection | None = None) -> None:
        self.connection = connection or engine()
        self.tables: dict[str, Table] = {table.name: table for table in tables}
        self._statistics: dict[str, dict[str, ColumnStatistics]] = {}
        self._rows: dict[str, int] = {}
        self._answering: duckdb.DuckDBPyConnection | None = None

    def create(self) -> None:
        """The empty tables; rows are put in through `connection`."""
        for table in self.tables.values():
            listed = ", ".join(
                f"{quote_identifier(column.name)} {duckdb_type(column.type)}" for column in table.described
            )
            self.connection.execute(f"CREATE TABLE {table.name} ({listed})")

    def distributed(
        self,
        policy: str | Mapping[str, str],
        stated_rows: Mapping[str, float] | None = None,
        keys: Mapping[str, str] | None = None,
        buckets: Mapping[str, int] | None = None,
    ) -> Warehouse:
        """The same rows otherwise: a policy for all tables or by name, other statistics, other keys."""
        policies = policy if isinstance(policy, Mapping) else dict.fromkeys(self.tables, policy)
        changed = [
            replace(
                table,
                policy=policies.get(name, table.policy),
                stated_rows=(stated_rows or {}).get(name, table.stated_rows),
                key=(keys or {}).get(name, table.key),
                buckets=(buckets or {}).get(name, table.buckets),
            )
            for name, table in self.tables.items()
        ]
        other = Warehouse(changed, self.connection)
        other._statistics, other._rows = self._statistics, self._rows
        return other

    @cached_property
    def resolved(self) -> Resolved:
        return Resolved({(name,): table.relation(oid) for oid, (name, table) in enumerate(self.tables.items(), 1)})

    def bind(self, statement: str) -> BoundSelect:
        bound = bind(parse(statement), self.resolved, BindContext())
        assert isinstance(bound, BoundSelect), statement
        return bound

    def filled(self, tree: exp.Expression, bound: BoundSelect) -> exp.Expression:
        """The tree, which is the statement's or of a plan of it, with constants in place of their placeholders."""
        return fill_constants(tree, self._constants(bound.constants)) if bound.constants else tree

    def _constants(self, constants: Sequence[Constant]) -> dict[Constant, str | None]:
        """What PostgreSQL would say of them; these tests use only such as DuckDB reads alike."""
        answers = {}
        for constant in constants:
            row = self.connection.execute(f"SELECT ({constant.sql})::VARCHAR").fetchone()
            answers[constant] = None if row is None else row[0]
        return answers

    def facts(self, bound: BoundSelect, segments: int, read_everywhere_rows: float = 0) -> Facts:
        """What the planner is told. By default no table is too small to be moved, or tests would see no motions."""
        asking = self.connection.cursor()
        types = EngineTypes(lambda sql: asking.execute(sql).fetchall(), bound.scans, bound.constants)
        return Facts(
            segments,
            {scan.name: scan for scan in bound.scans},
            {scan.name: self._scan_statistics(scan) for scan in bound.scans},
            types,
            read_everywhere_rows,
        )

    def _scan_statistics(self, scan: Scan) -> ScanStatistics:
        table = self.tables[scan.relation.name]
        if table.name not in self._statistics:
            self._statistics[table.name] = self._column_statistics(table)
        found = self._statistics[table.name]
        rows = table.stated_rows or float(self._rows[table.name])
        return ScanStatistics(
            rows,
            {column.name: self._stated(table, rows, column.name, found[column.name]) for column in scan.columns},
            hash_column=table.hash_column,
            buckets=table.buckets if table.hash_column else 0,
            replicated=table.policy == "replicated",
        )

    def _stated(self, table: Table, rows: float, name: str, found: ColumnStatistics) -> ColumnStatistics:
        """As many values as the stated rows would have."""
        if self._rows[table.name]:
            return replace(found, distinct=found.distinct * max(rows / self._rows[table.name], 1.0))
        is_key = name == table.described[0].name
        return replace(found, distinct=rows if is_key else rows**0.5)

    def _column_statistics(self, table: Table) -> dict[str, ColumnStatistics]:
        names = [column.name for column in table.described]
        asked = ", ".join(
            f"approx_count_distinct({name}), min({name})::VARCHAR, max({name})::VARCHAR"
            for name in map(quote_identifier, names)
        )
        row = self.connection.execute(f"SELECT count(*), {asked} FROM {table.name}").fetchone()
        assert row is not None
        self._rows[table.name] = row[0]
        return {
            name: ColumnStatistics(float(row[3 * place + 1]), 4.0, row[3 * place + 2], row[3 * place + 3])
            for place, name in enumerate(names)
        }

    def scan_sql(self, scan: Scan, where: str = "true") -> str:
        """The SELECT that stands for a scan."""
        listed = ", ".join(quote_identifier(column.name) for column in scan.columns)
        if not listed:
            listed = f"NULL::INTEGER AS {scan_columns(scan)[0].name}"
        return f"SELECT {listed} FROM {scan.relation.name} WHERE {where}"

    def answer(self, bound: BoundSelect) -> list[tuple[object, ...]]:
        """DuckDB's own answer, over the whole."""
        cursor = self._answering = self.connection.cursor()
        try:
            for scan in bound.scans:
                cursor.execute(f"CREATE TEMP VIEW {quote_identifier(scan.name)} AS {self.scan_sql(scan)}")
            return cursor.execute(duckdb_text(self.filled(bound.tree, bound))).fetchall()
        finally:
            cursor.close()

    def interrupt(self) -> None:
        """Ends the `answer` that another thread waits for."""
        if self._answering is not None:
            self._answering.interrupt()


def _split(columns: str) -> list[str]:
    """At commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(columns):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(columns[start:place])
            start = place + 1
    return [*parts, columns[start:]]
