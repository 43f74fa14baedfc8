"""What INSERT, UPDATE, DELETE and MERGE share: the target table, column defaults, CHECK, RETURNING.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import takewhile

from sqlglot import exp

from mere.errors import FeatureNotSupported, MereError, SqlSyntaxError, UndefinedObject
from mere.sql.bind.binding import Access, Binding, ScanBuilder, denied
from mere.sql.bind.block import Block, Output
from mere.sql.bind.bound import ROWS, BoundCheck, BoundGenerated, BoundRule, BoundSelect, DefaultColumn
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.finish import finish
from mere.sql.bind.from_item import scan_range, table_name
from mere.sql.bind.parse import parse
from mere.sql.bind.scope import (
    Frame,
    Level,
    Namespace,
    RangeColumn,
    RangeItem,
    Scope,
    column_sql,
    identifier_name,
    refer,
)
from mere.sql.bind.targets import bind_targets
from mere.sql.bind.view_target import UpdatableView, updatable_view
from mere.sql.coercion import coerce
from mere.sql.expressions import Coercion, Typed
from mere.sql.expressions.typed import stored_column
from mere.sql.lexer import quote_identifier
from mere.sql.raised import BOUNDS
from mere.sql.relations import Check, Column, Kind, Relation
from mere.sql.types import duckdb_type

FILE, POSITION = "mere_file", "mere_pos"


@dataclass(slots=True)
class TargetTable:
    """The table that a statement changes, and the name by which it calls it; `view` if it writes through one."""

    relation: Relation
    shown: str
    aliased: bool
    view: UpdatableView | None = None

    def column(self, name: str) -> Column:
        if self.view is not None and name in self.view.columns:
            return self._at(self.view.columns[name])
        if self.view is not None and any(column.name == name for column in self.view.view.columns):
            raise FeatureNotSupported(f'cannot write to column "{name}" of view "{self.view.view.name}"')
        for column in self.relation.columns if self.view is None else ():
            if column.name == name:
                return column
        named = self.relation if self.view is None else self.view.view
        raise UndefinedObject(f'column "{name}" of relation "{named.name}" does not exist', sqlstate="42703")

    def columns(self) -> list[Column]:
        """What INSERT without a column list fills, in order; of a view up to the first that is none of the table's,
        beyond which PostgreSQL has let nothing pass."""
        if self.view is None:
            return list(self.relation.columns)
        plain = takewhile(self.view.columns.__contains__, (column.name for column in self.view.view.columns))
        return [self.column(name) for name in plain]

    def _at(self, attnum: int) -> Column:
        return next(column for column in self.relation.columns if column.attnum == attnum)

    def check(self, privilege: str, columns: Sequence[Column] = ()) -> None:
        """The right to write: of the user on what the statement names, and of a view's owner on the table below."""
        check_write(self.relation, privilege, columns)
        if self.view is not None:
            below = {attnum: name for name, attnum in self.view.columns.items()}
            names = {below.get(column.attnum) for column in columns}
            check_write(self.view.view, privilege, [c for c in self.view.view.columns if c.name in names])


def find_target(binding: Binding, frame: Frame, node: exp.Expression) -> TargetTable:
    if not isinstance(node, exp.Table):
        raise FeatureNotSupported("this target is not supported over lake tables")
    name = table_name(node)
    relation = frame.lookup(name)
    if relation is None:
        raise UndefinedObject(f'relation "{".".join(name)}" does not exist')
    if relation.materialized:
        raise MereError(f'cannot change materialized view "{relation.name}"', sqlstate="42809")
    alias = node.args.get("alias")
    named = alias is not None and alias.this is not None
    shown = identifier_name(alias.this) if alias is not None and named else relation.name
    if relation.kind is Kind.VIEW:
        if relation.guarded:
            raise FeatureNotSupported(f'writing through view "{relation.name}", which has a CHECK OPTION or a trigger')
        view = updatable_view(binding, relation)
        return TargetTable(view.base, shown, named, view)
    return TargetTable(relation, shown, named)


def require_lake(target: TargetTable, verb: str) -> None:
    if target.relation.kind is Kind.PARTITIONED:
        raise FeatureNotSupported(
            f'{verb} of partitioned lake table "{target.relation.name}" is not supported here',
            hint="Name the partition.",
        )
    if target.relation.kind is not Kind.LAKE:
        message = f'{verb} of "{target.relation.name}", which is not a lake table, cannot read lake tables'
        raise FeatureNotSupported(message)


def check_write(relation: Relation, privilege: str, columns: Iterable[Column] = ()) -> None:
    """The privilege on the table; INSERT and UPDATE also by grants on each of the columns."""
    if privilege in relation.privileges:
        return
    listed = list(columns)
    granted = {"INSERT": "insertable", "UPDATE": "updatable"}.get(privilege)
    if granted is None or not listed or not all(getattr(column, granted) for column in listed):
        raise denied(relation)


@dataclass(frozen=True, slots=True)
class TargetScan:
    """The target as a scan that tells file and position of each row. `item` is what the statement sees of it;
    `condition` limits it to what a view shows."""

    tree: exp.Table
    item: RangeItem
    builder: ScanBuilder
    access: Access
    condition: exp.Expression | None = None


def target_scan(binding: Binding, target: TargetTable) -> TargetScan:
    access = binding.access(target.relation, target=True)
    emitted = binding.alias(target.shown)
    builder = binding.scan(emitted, access)
    builder.row_identity = True
    tree = exp.Table(
        this=exp.Identifier(this=builder.name, quoted=False),
        alias=exp.TableAlias(this=exp.Identifier(this=emitted, quoted=True)),
    )
    if target.view is not None:
        seen = binding.access(target.view.view, target=True)
        below = target.view.below(access, emitted)
        item = target.view.above(binding, below, seen, target.shown)
        condition = target.view.condition(binding, below)
        if not target.aliased:
            item.relation = target.view.view
        return TargetScan(tree, item, builder, seen, condition)
    item = scan_range(target.relation, access, target.shown, emitted)
    if not target.aliased:
        item.relation = target.relation
    return TargetScan(tree, item, builder, access)


def assign(environment: ScopeEnvironment, typed: Typed, column: Column) -> exp.Expression:
    """A value as the column stores it: an assignment cast, then exactly the stored DuckDB type."""
    return store(coerce(typed, column.type, Coercion.ASSIGNMENT, environment, column=column.name).sql, column)


def store(sql: exp.Expression, column: Column) -> exp.Expression:
    duckdb = duckdb_type(column.type)
    return exp.Cast(this=sql, to=_data_type(duckdb).copy()) if duckdb else sql


@lru_cache(maxsize=512)
def _data_type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="duckdb")


def null_of(column: Column) -> exp.Expression:
    return store(exp.Null(), column)


def is_default(node: exp.Expression) -> bool:
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, exp.Var) and str(node.this).upper() == "DEFAULT"


def default_text(relation: Relation, column: Column) -> str | None:
    """The expression by which PostgreSQL fills the column; None for NULL."""
    if column.generated:
        return None  # computed of the finished row: see bind_checks
    if column.identity and column.default is None:
        table = f"{quote_identifier(relation.schema)}.{quote_identifier(relation.name)}".replace("'", "''")
        name = column.name.replace("'", "''")
        owner = f"'{table}'" if relation.bounds is None else f"pg_catalog.pg_partition_root('{table}')::text"
        return f"pg_catalog.nextval(pg_catalog.pg_get_serial_sequence({owner}, '{name}'))"
    return column.default


def bind_default(environment: ScopeEnvironment, relation: Relation, column: Column) -> exp.Expression | DefaultColumn:
    """The default as DuckDB computes it; what only PostgreSQL can give (nextval) stays as text."""
    text = default_text(relation, column)
    if text is None:
        return null_of(column)
    if "nextval" in text:
        return DefaultColumn(column, text)
    alone = ScopeEnvironment(environment.binding, Scope(Level(), None, environment.scope.frame))
    try:
        return assign(alone, alone.expression(expression_of(text)), column)
    except MereError:
        return DefaultColumn(column, text)


def expression_of(text: str) -> exp.Expression:
    """The syntax of one expression that PostgreSQL printed."""
    node = parse(f"SELECT {text}").expressions[0]
    assert isinstance(node, exp.Expression)
    return node


def rows_item(relation: Relation, shown: str) -> RangeItem:
    """The columns of `mere_rows`: the rows as they are to be written."""
    columns = [
        RangeColumn(column.name, stored_column(column_sql(ROWS, column.name), column.type))
        for column in relation.columns
    ]
    return RangeItem(shown, columns, emitted=ROWS)


def _written(binding: Binding, target: TargetTable, access: Access) -> RangeItem:
    """What RETURNING calls by the target's name: the new row, or a view's columns over it."""
    if target.view is not None:
        return target.view.above(binding, target.view.below(None, ROWS), access, target.shown)
    return scan_range(target.relation, access, target.shown, ROWS)


def bind_checks(binding: Binding, relation: Relation) -> tuple[BoundRule, ...]:
    """Generated columns, then CHECKs: one passes where it is true or null; so what is false breaks it."""
    computed = [column for column in relation.columns if column.generated and column.default is not None]
    bounds = (Check(BOUNDS, relation.bounds),) if relation.bounds else ()
    if not relation.checks and not computed and not bounds:
        return ()
    item = rows_item(relation, relation.name)
    scope = Scope(Level(), None, replace(binding.frame(), printed=True), Namespace([item], list(item.columns)))
    environment = ScopeEnvironment(binding, scope)
    rules: list[BoundRule] = []
    with binding.apart():
        for column in computed:
            value = environment.expression(expression_of(str(column.default)))
            rules.append(BoundGenerated(column, assign(environment, value, column)))
        for check in (*relation.checks, *bounds):
            condition = environment.boolean(expression_of(check.expression), "CHECK").sql
            violation = exp.Is(this=exp.Paren(this=condition), expression=exp.Boolean(this=False))
            rules.append(BoundCheck(check.name, violation))
    return tuple(rules)


@dataclass(slots=True)
class Extras:
    """Columns that the changing query gives besides the row, because RETURNING reads them."""

    found: dict[str, exp.Expression] = field(default_factory=dict)

    def column(self, source: RangeColumn, name: str) -> RangeColumn:
        """`source`, read from `mere_rows` under `name`; noted when it is used."""

        def used() -> None:
            if name not in self.found:
                self.found[name] = source.read().sql

        return RangeColumn(source.name, refer(source.typed, column_sql(ROWS, name)), used, source.origin)


def returning_scope(
    binding: Binding,
    target: TargetTable,
    access: Access,
    old: RangeItem | None,
    others: Sequence[RangeItem],
    extras: Extras,
    frame: Frame,
) -> Scope:
    """What RETURNING sees: the row as written, `old` and `new`, and the other tables of the statement.

    `access` is to what the statement names. `old` is the row before: None for INSERT, where all of it is NULL.
    """
    new = _written(binding, target, access)
    if not target.aliased:
        new.relation = access.relation
    items = [new, RangeItem("new", list(new.columns), emitted=ROWS)]
    if old is None:
        before = [
            RangeColumn(column.name, stored_column(null_of(column), column.type)) for column in access.relation.columns
        ]
    else:
        before = [extras.column(column, f"mere_old_{place + 1}") for place, column in enumerate(old.columns)]
    items.append(RangeItem("old", before))
    shown = list(new.columns)
    number = 0
    for other in others:
        columns = []
        for column in other.columns:
            columns.append(extras.column(column, f"mere_from_{number}"))
            number += 1
        items.append(RangeItem(other.name, columns, other.relation))
        shown += columns
    return Scope(Level(), None, frame, Namespace(items, shown))


def bind_returning(binding: Binding, node: exp.Returning, scope: Scope) -> BoundSelect:
    """RETURNING as a query over `mere_rows`."""
    if not node.expressions:
        raise SqlSyntaxError("RETURNING must have at least one column")
    environment = ScopeEnvironment(binding, scope)
    targets = bind_targets(environment, node.expressions)
    rows = exp.Table(this=exp.Identifier(this=ROWS, quoted=False))
    outputs: list[Output] = [target.output for target in targets]
    block = Block(exp.Select(from_=exp.From(this=rows)), outputs)
    block.marks = scope.level.marks
    return finish(binding, block)
