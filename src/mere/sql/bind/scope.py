"""What names mean inside one query level: range items, their columns, and the levels around them.

Owns PostgreSQL's lookup rules (parse_relation.c): unqualified names over all visible columns of the nearest level that
has one, qualified names over the nearest range item of that name. Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from mere.errors import UndefinedObject
from mere.sql.bind.bound import TimeTravel
from mere.sql.expressions import Typed
from mere.sql.lexer import fold
from mere.sql.relations import Relation

if TYPE_CHECKING:
    from mere.sql.bind.user_function import Called

Name = tuple[str, ...]


def identifier_name(node: exp.Expression | str) -> str:
    """The name that an identifier node means."""
    if isinstance(node, str):
        return fold(node)
    name = str(node.this)
    return name if node.args.get("quoted") else fold(name)


def quoted(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def column_sql(alias: str, name: str) -> exp.Column:
    return exp.Column(this=quoted(name), table=quoted(alias))


def refer(typed: Typed, sql: exp.Expression) -> Typed:
    """The value as a column of an enclosing query; the members of a row as members of that column."""
    reference = typed.reference(sql)
    if not typed.fields:
        return reference
    members = [
        exp.Anonymous(this="struct_extract", expressions=[sql.copy(), exp.Literal.number(place + 1)])
        for place in range(len(typed.fields))
    ]
    fields = tuple(refer(member, path) for member, path in zip(typed.fields, members, strict=True))
    return replace(reference, fields=fields)


def copy_of(typed: Typed) -> Typed:
    """The same expression to be embedded once more."""
    copied = typed.with_sql(typed.sql.copy())
    return replace(copied, fields=tuple(map(copy_of, typed.fields))) if typed.fields else copied


@dataclass(slots=True)
class RangeColumn:
    """A column that a range item shows. `typed.sql` is its DuckDB reference; `used` notes that the statement reads it.

    `origin` is (relation oid, attnum) of a plain table column, for RowDescription.
    """

    name: str
    typed: Typed
    used: Callable[[], None] | None = None
    origin: tuple[int, int] = (0, 0)

    def read(self) -> Typed:
        if self.used is not None:
            self.used()
        return copy_of(self.typed)

    def renamed(self, name: str) -> RangeColumn:
        return RangeColumn(name, self.typed, self.used, self.origin)


@dataclass(slots=True)
class RangeItem:
    """One member of FROM under the name that qualifies its columns.

    `relation` is the table's (schema, name) while no alias hides it; `hidden` are columns that only a qualified name
    reaches (system columns). `scalar` says that a function gives plain values: the item's name means the value.
    """

    name: str
    columns: list[RangeColumn]
    relation: Relation | None = None
    hidden: dict[str, RangeColumn] = field(default_factory=dict)
    emitted: str = ""  # its alias in the DuckDB tree
    scalar: bool = False

    def find(self, name: str) -> RangeColumn | None:
        found = [column for column in self.columns if column.name == name]
        if len(found) > 1:
            raise ambiguous(name)
        return found[0] if found else self.hidden.get(name)


@dataclass(slots=True)
class Namespace:
    """`items` answer qualified names, `columns` unqualified ones and the star (JOIN USING merges some)."""

    items: list[RangeItem] = field(default_factory=list)
    columns: list[RangeColumn] = field(default_factory=list)

    def __add__(self, other: Namespace) -> Namespace:
        return Namespace(self.items + other.items, self.columns + other.columns)

    def unqualified(self, name: str) -> RangeColumn | None:
        found = [column for column in self.columns if column.name == name]
        if len(found) > 1:
            raise ambiguous(name)
        if found:
            return found[0]
        hidden = [item.hidden[name] for item in self.items if name in item.hidden]
        return hidden[0] if len(hidden) == 1 else None

    def item(self, name: str, schema: str | None) -> RangeItem | None:
        for item in self.items:
            if schema is None:
                if item.name == name:
                    return item
            elif item.relation is not None and (item.relation.schema, item.relation.name) == (schema, name):
                return item
        return None


@dataclass(frozen=True, slots=True)
class CommonTable:
    """A WITH query that FROM may name: its name in the DuckDB tree and its columns (name, DuckDB alias, type).

    `held`: it has run, and its rows are the engine's table of that name.
    """

    emitted: str
    columns: tuple[tuple[str, str, Typed], ...]
    held: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What relation names mean at one place: the names that the catalog resolved, and the WITH queries around.

    `lookup` differs inside a view, whose names the view's owner reads; `at` is the AT clause that the view was named
    with, and holds for every lake table in it. `called` is the function whose body this is.
    """

    lookup: Callable[[Name], Relation | None]
    common_tables: Mapping[str, CommonTable] = field(default_factory=dict)
    views: tuple[int, ...] = ()
    at: TimeTravel | None = None
    called: Called | None = None
    printed: bool = False  # by PostgreSQL: names of functions without a schema are its own

    def with_table(self, name: str, table: CommonTable) -> Frame:
        return replace(self, common_tables={**self.common_tables, name: table})


@dataclass(slots=True)
class Level:
    """One query level, shared by the scopes of its clauses: its expressions' marks, and whether it reads outside."""

    marks: int = 0
    correlated: bool = False


@dataclass(slots=True)
class Scope:
    """Where an expression stands: a level, what FROM shows there, the scope around, and the frame of names."""

    level: Level
    parent: Scope | None
    frame: Frame
    namespace: Namespace = field(default_factory=Namespace)
    windows: dict[str, exp.Expression] = field(default_factory=dict)

    def beside(self, namespace: Namespace) -> Scope:
        """The same level with other columns in sight: an ON clause, or what LATERAL may see."""
        return Scope(self.level, self.parent, self.frame, namespace, self.windows)

    def resolve(self, parts: Sequence[str]) -> RangeColumn:
        """A column by its one to four parts, from this level outwards."""
        column = self.try_resolve(parts)
        if column is not None:
            return column
        if len(parts) == 1:
            raise UndefinedObject(f'column "{parts[0]}" does not exist', sqlstate="42703")
        written = ".".join(parts)
        if self.find_item(parts[:-1]) is not None:
            raise UndefinedObject(f"column {written} does not exist", sqlstate="42703")
        raise UndefinedObject(f'missing FROM-clause entry for table "{parts[-2]}"')

    def try_resolve(self, parts: Sequence[str]) -> RangeColumn | None:
        if len(parts) > 1:
            found = self.find_item(parts[:-1])
            if found is None:
                return None
            item, crossed = found
            column = item.find(parts[-1])
            if column is not None:
                mark_correlated(crossed)
            return column
        crossed = []
        scope: Scope | None = self
        while scope is not None:
            column = scope.namespace.unqualified(parts[0])
            if column is not None:
                mark_correlated(crossed)
                return column
            crossed.append(scope)
            scope = scope.parent
        return None

    def find_item(self, parts: Sequence[str]) -> tuple[RangeItem, list[Scope]] | None:
        """A range item by `name` or `schema.name`, with the scopes that lie between."""
        schema = parts[-2] if len(parts) > 1 else None
        crossed: list[Scope] = []
        scope: Scope | None = self
        while scope is not None:
            item = scope.namespace.item(parts[-1], schema)
            if item is not None:
                return item, crossed
            crossed.append(scope)
            scope = scope.parent
        return None


def mark_correlated(crossed: Iterable[Scope]) -> None:
    for scope in crossed:
        scope.level.correlated = True


def ambiguous(name: str) -> UndefinedObject:
    return UndefinedObject(f'column reference "{name}" is ambiguous', sqlstate="42702")
