"""The same expressions over the same rows: in PostgreSQL, and bound, rendered and run in DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import psycopg
from psycopg.types.string import TextLoader
from sqlglot import exp

from mere.errors import MereError, UndefinedObject
from mere.segment.errors import translate
from mere.segment.kernels import install
from mere.sql.bind import BindContext, bind, duckdb_text, fill_constants, parse
from mere.sql.expressions import Subquery, Typed, bind_expression
from mere.sql.expressions.context import Context
from mere.sql.expressions.typed import stored_column
from mere.sql.grammar.nodes import Call
from mere.sql.grammar.type_names import parse_type
from mere.sql.literals import literal
from mere.sql.macros import MACROS
from mere.sql.relations import Column, Kind, Relation, Resolved
from mere.sql.render import SessionFormat, render_text
from mere.sql.types import BPCHAR, PgType, duckdb_type

COLUMNS = {
    "id": "int4",
    "i2": "int2",
    "i4": "int4",
    "i8": "int8",
    "f4": "float4",
    "f8": "float8",
    "n": "numeric(15,2)",
    "m": "numeric(10,4)",
    "t": "text",
    "vc": "varchar(10)",
    "bp": "char(5)",
    "b": "bool",
    "d": "date",
    "ts": "timestamp",
    "tz": "timestamptz",
    "ti": "time",
    "iv": "interval",
    "u": "uuid",
    "j": "json",
    "jb": "jsonb",
    "ba": "bytea",
    "ai": "int4[]",
    "ta": "text[]",
}
ROWS: tuple[tuple[str | None, ...], ...] = (
    (
        *("0", "1", "10", "100", "1.5", "2.5", "10.25", "1.5000", "Hello", "abc", "xy", "t", "2020-02-29"),
        *("2020-02-29 13:14:15.5", "2020-07-01 12:00:00+00", "12:34:56", "1 day 02:00:00"),
        *("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", '{"a":1,"b":[1,2],"c":"x"}', '{"a": 1, "b": [1, 2], "c": "x"}'),
        *("\\x01ff", "{1,2,3}", '{a,"b c"}'),
    ),
    (
        *("1", "-2", "-20", "-200", "-2.5", "-1e10", "-0.05", "-2.2500", "a%b_c", "", "", "f", "1999-12-31"),
        *("1999-12-31 23:59:59.999999", "2000-01-01 00:00:00+00", "00:00:00", "-1 mons -3 days"),
        *("00000000-0000-0000-0000-000000000000", "{}", "{}", "\\x", "{}", "{}"),
    ),
    (
        *("2", "3", "0", "3", "0.1", "0.1", "0.00", "0.0000", "  spaced  ", "long enoug", "zz", "t", "2024-03-15"),
        *("2024-03-15 00:00:00", "2024-03-15 06:30:00+00", "23:59:59.999", "1 year 2 mons 3 days 04:05:06.7"),
        *("ffffffff-ffff-ffff-ffff-ffffffffffff", '[1,"two",null]', '[1, "two", null]', "\\xdeadbeef"),
        *("{3,NULL,3}", '{x,NULL,"q\\"uote"}'),
    ),
    ("3", *(None,) * 22),
    (
        *("4", "7", "2147483647", "9223372036854775807", "3.25", "1e15", "9999999999999.99", "999999.9999", "ümläut"),
        *("q", "é", "f", "1970-01-01", "1970-01-01 00:00:00", "1970-01-01 00:00:00+00", "06:07:08", "00:00:00"),
        *("12345678-1234-1234-1234-123456789012", "null", "null", "\\x00", "{7}", '{""}'),
    ),
)
ENGINE_SETTINGS = (
    "SET integer_division = true",
    "SET default_null_order = 'nulls_last_on_asc_first_on_desc'",
    "SET TimeZone = 'UTC'",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Type oids and rows as text, or the SQLSTATE of an error with its message (which is not compared)."""

    types: tuple[int, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    sqlstate: str = ""
    message: str = ""

    def same_as(self, other: Answer, ordered: bool) -> bool:
        if self.sqlstate or other.sqlstate:
            return self.sqlstate == other.sqlstate
        if self.types != other.types:
            return False
        return self.rows == other.rows if ordered else sorted(map(repr, self.rows)) == sorted(map(repr, other.rows))


class Table:
    """`Environment` over the one table, with constants asked of the peer."""

    def __init__(self, peer: psycopg.Connection[Any], time_zone: str) -> None:
        self.peer = peer
        self.time_zone = time_zone
        self.wide_decimals = False

    def column(self, node: exp.Column) -> Typed:
        if node.name not in COLUMNS:
            raise UndefinedObject(f'column "{node.name}" does not exist', sqlstate="42703")
        return stored_column(exp.column(node.name), parse_type(COLUMNS[node.name]))

    def whole_row(self, node: exp.Column | exp.Identifier) -> tuple[Typed, ...] | None:
        return None

    def subquery(self, node: exp.Expression) -> Subquery:
        raise AssertionError("subqueries are tested with the binder")

    def parameter(self, number: int) -> Typed:
        raise AssertionError("there are no parameters here")

    def constant(self, sql: str, type: PgType) -> Typed:
        return literal(asked(self.peer, sql), type)

    def call(self, context: Context, node: Call) -> Typed | None:
        return None

    def written(self, node: exp.Expression) -> exp.Expression:
        return node

    def once(self, sql: str, type: PgType) -> Typed | None:
        return None

    def window(self, name: str) -> exp.Window | None:
        return None


def asked(peer: psycopg.Connection[Any], sql: str) -> str | None:
    """What PostgreSQL says of a constant expression."""
    try:
        row = peer.execute(f"SELECT ({sql})".encode()).fetchone()
    except psycopg.Error as error:
        raise MereError(str(error), sqlstate=error.sqlstate) from error
    assert row is not None
    text: str | None = row[0]
    return text


class Evaluator:
    """Both sides with the table `v`, in one session time zone."""

    def __init__(self, conninfo: str, time_zone: str = "UTC") -> None:
        self.peer = psycopg.connect(conninfo, autocommit=True)
        for oid in range(16, 6000):
            self.peer.adapters.register_loader(oid, TextLoader)
        self.time_zone = time_zone
        self.engine = duckdb.connect()
        install(self.engine)
        for statement in (*ENGINE_SETTINGS, *MACROS):
            self.engine.execute(statement)
        self._fill()
        columns = tuple(Column(n + 1, name, parse_type(kind)) for n, (name, kind) in enumerate(COLUMNS.items()))
        relation = Relation(1000, "public", "v", Kind.LAKE, columns, "mere", frozenset({"SELECT"}))
        self.resolved = Resolved(by_name={("v",): relation})

    def close(self) -> None:
        self.peer.close()
        self.engine.close()

    def _fill(self) -> None:
        definition = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self.peer.execute(f"SET timezone = '{self.time_zone}'".encode())
        self.peer.execute(f"CREATE TEMPORARY TABLE v ({definition})".encode())
        for row in ROWS:
            self.peer.execute("INSERT INTO v VALUES (" + ", ".join(["%s"] * len(row)) + ")", row)
        types = [parse_type(kind) for kind in COLUMNS.values()]
        stored = ", ".join(f"{name} {duckdb_type(kind)}" for name, kind in zip(COLUMNS, types, strict=True))
        self.engine.execute(f"CREATE TABLE v ({stored})")
        for values in self.peer.execute("SELECT * FROM v ORDER BY id").fetchall():
            constants = [_stored(text, kind) for text, kind in zip(values, types, strict=True)]
            self.engine.execute(f"INSERT INTO v VALUES ({', '.join(constants)})")

    # -- PostgreSQL ---------------------------------------------------------------------------------------------------

    def in_postgres(self, sql: str) -> Answer:
        try:
            cursor = self.peer.execute(sql.encode())
            rows = tuple(tuple(row) for row in cursor.fetchall())
        except psycopg.Error as error:
            return Answer(sqlstate=error.sqlstate or "?", message=str(error).split("\n")[0])
        return Answer(tuple(column.type_code for column in cursor.description or ()), rows)

    # -- Mere ---------------------------------------------------------------------------------------------------------

    def expression_in_mere(self, text: str, ordered: bool) -> Answer:
        environment = Table(self.peer, self.time_zone)
        suffix = " ORDER BY id" if ordered else ""
        try:
            try:
                return self._expression(text, environment, suffix)
            except duckdb.OutOfRangeException:
                environment.wide_decimals = True
                return self._expression(text, environment, suffix)
        except (MereError, duckdb.Error) as error:
            return _failed(error)

    def _expression(self, text: str, environment: Table, suffix: str) -> Answer:
        tree = parse(f"SELECT {text}").expressions[0]
        typed = bind_expression(tree.this if isinstance(tree, exp.Alias) else tree, environment)
        sql = duckdb_text(render_text(typed, SessionFormat(self.time_zone)))
        rows = self.engine.execute(f"SELECT {sql} FROM v{suffix}").fetchall()
        oid = 25 if typed.is_unknown else typed.type.oid
        return Answer((oid,), tuple(rows))

    def query_in_mere(self, text: str) -> Answer:
        try:
            bound = bind(parse(text), self.resolved, BindContext(time_zone=self.time_zone))
            values = {constant: asked(self.peer, constant.sql) for constant in bound.constants}  # type: ignore[union-attr]
            tree = fill_constants(bound.tree, values)  # type: ignore[union-attr]
            for scan in bound.scans:  # type: ignore[union-attr]
                for table in tree.find_all(exp.Table):
                    if table.name == scan.name:
                        table.set("this", exp.to_identifier("v"))
            return self._rendered(duckdb_text(tree), bound.columns)  # type: ignore[union-attr]
        except (MereError, duckdb.Error) as error:
            return _failed(error)

    def _rendered(self, sql: str, columns: Sequence[Any]) -> Answer:
        shown = [duckdb_text(render_text(column.typed, SessionFormat(self.time_zone))) for column in columns]
        rows = self.engine.execute(f"SELECT {', '.join(shown)} FROM ({sql}) mere_result").fetchall()
        return Answer(tuple(column.type.oid for column in columns), tuple(rows))


def _stored(text: str | None, kind: PgType) -> str:
    """A value as the lake keeps it: character(n) without its trailing blanks."""
    if text is not None and kind.oid == BPCHAR:
        text = text.rstrip(" ")
    return duckdb_text(literal(text, kind).sql)


def _failed(error: MereError | duckdb.Error) -> Answer:
    known = error if isinstance(error, MereError) else translate(error)
    return Answer(sqlstate=known.sqlstate, message=known.message)
