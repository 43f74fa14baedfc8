"""What binding an expression gives, and what it asks of the binder. Plain data and protocols; coordinator process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from sqlglot import exp

from mere.sql.types import JSONB, NUMERIC, UNKNOWN, PgType, stored_numeric

if TYPE_CHECKING:
    from mere.sql.expressions.context import Context
    from mere.sql.grammar.nodes import Call

# Marks of an expression, as bits: they travel up from the parts to the whole.
COLUMN = 1  # reads a column of this query level or an outer one
AGGREGATE = 2  # holds an aggregate call of this query level, outside a subquery
WINDOW = 4  # holds a window function call
VOLATILE = 8  # may give another value for another row or run: random(), nextval()
SUBQUERY = 16  # holds a subquery
SET = 32  # holds a set-returning function
PLACEHOLDER = 64  # holds a parameter or a constant that PostgreSQL will evaluate

# How numeric values are carried: DECIMAL(precision, scale), or DOUBLE where no exact form fits.
Carrier = tuple[int, int] | None

# How many decimals of a numeric are shown: the carrier's scale; PostgreSQL's choice for a quotient of this size; or
# as many as are not zero, where PostgreSQL's scale is that of the value itself (text or float8 cast to numeric).
FIXED, QUOTIENT, TRIMMED = 0, 1, 2


class Coercion(IntEnum):
    """pg_cast.castcontext, widening."""

    IMPLICIT = 0
    ASSIGNMENT = 1
    EXPLICIT = 2


@dataclass(frozen=True, slots=True)
class Typed:
    """A DuckDB expression and what PostgreSQL knows about it.

    `sql` is owned by whoever embeds it: embed it once, or copy it. An untyped literal (or NULL) has type UNKNOWN until
    `coerce` decides. `decimal` is (precision, scale) of a numeric in DuckDB, None when the numeric is a DOUBLE there;
    `display` says how many decimals of a numeric are shown, `minimum_scale` the fewest of a QUOTIENT.
    `value` is the Python value of a literal or folded constant (str, int, Decimal, bool, date, datetime).
    `fields` are the members of a ROW(...).
    """

    sql: exp.Expression
    type: PgType
    marks: int = 0
    decimal: Carrier = None
    display: int = FIXED
    minimum_scale: int = 0
    value: object = None
    is_null: bool = False  # the literal NULL
    fields: tuple[Typed, ...] = ()
    row_constructor: bool = False  # ROW(...): its fields are f1, f2 ...; those of a whole row have their columns' names
    label: str = ""  # the column's name, of a field of a whole row
    bare: bool = False  # sql is a bare number whose DuckDB type follows its neighbours

    @property
    def contains_aggregate(self) -> bool:
        return bool(self.marks & AGGREGATE)

    @property
    def contains_window(self) -> bool:
        return bool(self.marks & WINDOW)

    @property
    def contains_set(self) -> bool:
        """Holds a set-returning function: only in a select list; DuckDB's unnest() expands it there alike."""
        return bool(self.marks & SET)

    @property
    def contains_subquery(self) -> bool:
        return bool(self.marks & SUBQUERY)

    @property
    def volatile(self) -> bool:
        return bool(self.marks & VOLATILE)

    @property
    def is_constant(self) -> bool:
        """One value for the whole statement: no column, aggregate, subquery or volatile function."""
        return not self.marks & ~PLACEHOLDER

    @property
    def is_unknown(self) -> bool:
        return self.type.oid == UNKNOWN

    def reference(self, sql: exp.Expression) -> Typed:
        """The same value read as a column of an enclosing query: type and carrier stay, literal facts go."""
        facts = (self.decimal, self.display, self.minimum_scale)
        return Typed(sql, self.type, COLUMN, *facts, fields=self.fields, label=self.label)

    def with_sql(self, sql: exp.Expression) -> Typed:
        return replace(self, sql=sql)


def stored_column(sql: exp.Expression, pg_type: PgType) -> Typed:
    """A column of a lake table (or of rows fetched from PostgreSQL and cast to `duckdb_type`)."""
    carrier = stored_numeric(pg_type.typmod) if pg_type.oid == NUMERIC else None
    return Typed(sql, pg_type, COLUMN, carrier)


def sort_value(typed: Typed) -> exp.Expression:
    """What ORDER BY sorts by: the value, but for jsonb, whose order is not that of its text."""
    if typed.type.oid != JSONB or typed.is_null:
        return typed.sql
    return exp.Anonymous(this="mere_jsonb_key", expressions=[typed.sql.copy()])


@dataclass(frozen=True, slots=True)
class Subquery:
    """A bound subquery: `sql` a DuckDB SELECT without enclosing parentheses; one Typed a column, as `reference`."""

    sql: exp.Expression
    columns: tuple[Typed, ...]
    names: tuple[str, ...] = ()
    marks: int = 0  # VOLATILE, PLACEHOLDER, and COLUMN when correlated


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """A named window of the query's WINDOW clause, still as syntax: partition, order and frame."""

    window: exp.Window


class Environment(Protocol):
    """What the binder answers while one expression is bound."""

    @property
    def time_zone(self) -> str:
        """The session's TimeZone setting."""
        ...

    def column(self, node: exp.Column) -> Typed:
        """Resolve a column reference (1 to 4 parts); raises UndefinedObject 42703 / 42P01 / 42702 (ambiguous)."""
        ...

    def whole_row(self, node: exp.Column | exp.Identifier) -> tuple[Typed, ...] | None:
        """The columns of a relation named where a value is expected (`count(t)`, `t IS NULL`, `t.*`), else None."""
        ...

    def subquery(self, node: exp.Expression) -> Subquery:
        """Bind a nested SELECT with this level's columns visible to it."""
        ...

    def parameter(self, number: int) -> Typed:
        """The parameter $number: PostgreSQL's Describe gave its type, and its value may be known."""
        ...

    def constant(self, sql: str, type: PgType) -> Typed:
        """A constant that PostgreSQL evaluates before the plan runs: `sql` is a PostgreSQL expression."""
        ...

    def call(self, context: Context, node: Call) -> Typed | None:
        """A call of a user's function; None where one of PostgreSQL's is meant."""
        ...

    def written(self, node: exp.Expression) -> exp.Expression:
        """A node without columns as PostgreSQL can evaluate it: inside of a function, with its arguments in place."""
        ...

    def once(self, sql: str, type: PgType) -> Typed | None:
        """A volatile call that PostgreSQL evaluates for this one place; None where it is to run for every row."""
        ...

    def window(self, name: str) -> exp.Window | None:
        """The definition of a named window of this query level."""
        ...


@dataclass(frozen=True, slots=True)
class SetColumn:
    name: str
    typed: Typed  # of type and carrier only; `sql` is the struct field or element as seen below alias `mere_element`


@dataclass(frozen=True, slots=True)
class SetFunction:
    """A set-returning function in FROM.

    `rows` is a DuckDB expression of a LIST whose elements are the rows: of the value itself when there is one column
    and `struct` is false, else of a STRUCT with fields c1, c2, ...: `SELECT unnest(rows)`. `table` is a DuckDB table
    function call giving the same rows in one column without building the list, when there is one and the arguments
    read no column.
    """

    rows: exp.Expression
    columns: tuple[SetColumn, ...]
    struct: bool
    table: exp.Expression | None = None
    marks: int = 0
