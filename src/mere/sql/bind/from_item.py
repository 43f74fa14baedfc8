"""One member of FROM: a table, a view, a WITH query, a subquery, VALUES, or a function.

Lives in the gateway's process.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from sqlglot import exp

from mere.errors import FeatureNotSupported, MereError, SqlSyntaxError, UndefinedObject
from mere.sql.bind.binding import Access, Binding
from mere.sql.bind.bound import TimeTravel
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.from_function import bind_function
from mere.sql.bind.growth import apart, note_weights
from mere.sql.bind.parse import parse
from mere.sql.bind.postgres_scan import carried_type
from mere.sql.bind.scope import (
    CommonTable,
    Frame,
    Name,
    Namespace,
    RangeColumn,
    RangeItem,
    Scope,
    column_sql,
    identifier_name,
    quoted,
    refer,
)
from mere.sql.coercion import coerce
from mere.sql.expressions import Coercion, Typed
from mere.sql.expressions.typed import stored_column
from mere.sql.lexer import quote_identifier
from mere.sql.relations import Kind, Relation
from mere.sql.types import FLOAT8, INT8, OID, TIMESTAMPTZ, UNKNOWN, PgType, format_type


@dataclass(frozen=True, slots=True)
class Item:
    """A bound member of FROM; `alias` is its name in the DuckDB tree."""

    tree: exp.Expression
    range: RangeItem
    alias: str


def bind_item(binding: Binding, node: exp.Expression, scope: Scope, seen: Namespace) -> Item:
    """`seen` is what stands to the left, for LATERAL and for the arguments of functions."""
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        return _bind_named(binding, node, scope)
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Values):  # so the parser wraps it in parentheses
        return _bind_derived(binding, node.this, node.args.get("alias"), scope.parent, scope.frame, lateral=False)
    if isinstance(node, exp.Table | exp.Unnest) or (
        isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Subquery)
    ):
        tree, item = bind_function(binding, node, scope.beside(seen))
        return Item(tree, item, item.emitted)
    if isinstance(node, exp.Lateral):
        return _bind_derived(binding, node.this, node.args.get("alias"), scope.beside(seen), scope.frame, lateral=True)
    if isinstance(node, exp.Subquery | exp.Values):
        return _bind_derived(binding, node, node.args.get("alias"), scope.parent, scope.frame, lateral=False)
    raise FeatureNotSupported(f"{type(node).__name__} in FROM is not supported")


def table_name(node: exp.Table) -> Name:
    return tuple(identifier_name(node.args[key]) for key in ("catalog", "db", "this") if node.args.get(key) is not None)


def _bind_named(binding: Binding, node: exp.Table, scope: Scope) -> Item:
    name = table_name(node)
    alias = node.args.get("alias")
    shown = identifier_name(alias.this) if alias is not None and alias.this is not None else name[-1]
    common = scope.frame.common_tables.get(name[0]) if len(name) == 1 else None
    if common is not None:
        if node.args.get("when") is not None:
            raise FeatureNotSupported(f'time travel is not supported on "{shown}", which is a query')
        return _bind_common(binding, common, shown, alias)
    relation = scope.frame.lookup(name)
    if relation is None:
        raise UndefinedObject(f'relation "{".".join(name)}" does not exist')
    if not relation.populated:
        raise MereError(
            f'materialized view "{relation.name}" has not been populated',
            sqlstate="55000",
            hint="Use the REFRESH MATERIALIZED VIEW command.",
        )
    if relation.kind is Kind.VIEW and not binding.reads_lake(relation.oid):
        # PostgreSQL answers such a view itself, with its own rights and functions.
        relation = replace(relation, kind=Kind.POSTGRES)
    access = binding.access(relation)
    if relation.kind is Kind.PARTITIONED:
        item = _bind_partitioned(binding, relation, access, shown, node, scope)
    elif relation.kind is Kind.VIEW:
        item = _bind_view(binding, relation, access, shown, node, scope)
    else:
        item = _bind_scan(binding, relation, access, shown, node, scope)
    if alias is None or alias.this is None:
        item.range.relation = relation
    rename(item.range, alias)
    if node.args.get("sample") is not None:
        item.tree.set("sample", _sample(binding, node.args["sample"], scope))
    return item


def rename(item: RangeItem, alias: exp.TableAlias | None) -> None:
    """Column aliases: the first columns get the names given."""
    names = [identifier_name(column) for column in alias.args.get("columns") or []] if alias is not None else []
    if len(names) > len(item.columns):
        message = f'table "{item.name}" has {len(item.columns)} columns available but {len(names)} columns specified'
        raise SqlSyntaxError(message, sqlstate="42P10")
    for place, name in enumerate(names):
        item.columns[place] = item.columns[place].renamed(name)


def _bind_common(binding: Binding, common: CommonTable, shown: str, alias: exp.TableAlias | None) -> Item:
    emitted = binding.alias(shown)
    binding.common_of[emitted] = common.emitted
    binding.reads_held = binding.reads_held or common.held
    columns = [RangeColumn(name, refer(typed, column_sql(emitted, inner))) for name, inner, typed in common.columns]
    tree = exp.Table(this=quoted(common.emitted), alias=exp.TableAlias(this=quoted(emitted)))
    item = RangeItem(shown, columns, emitted=emitted)
    rename(item, alias)
    return Item(tree, item, emitted)


def _bind_scan(binding: Binding, relation: Relation, access: Access, shown: str, node: exp.Table, scope: Scope) -> Item:
    emitted = binding.alias(shown)
    builder = binding.scan(emitted, access, _time_travel(binding, node, relation, scope))
    tree = exp.Table(this=exp.Identifier(this=builder.name, quoted=False), alias=exp.TableAlias(this=quoted(emitted)))
    return Item(tree, scan_range(relation, access, shown, emitted), emitted)


def scan_range(relation: Relation, access: Access, shown: str, emitted: str) -> RangeItem:
    """A table's own columns under an alias; each notes in `access` that it is read."""
    columns = [
        RangeColumn(
            column.name,
            stored_column(column_sql(emitted, column.name), carried_type(column)),
            access.use(column),
            (relation.oid, column.attnum),
        )
        for column in relation.columns
    ]
    return RangeItem(shown, columns, hidden=_system_columns(relation), emitted=emitted)


def _system_columns(relation: Relation) -> dict[str, RangeColumn]:
    """tableoid is the table's own; what PostgreSQL keeps with each row of a heap does not exist in files."""

    def refuse() -> None:
        raise FeatureNotSupported("system columns other than tableoid are not supported on lake tables")

    hidden = {
        name: RangeColumn(name, Typed(exp.Null(), PgType(UNKNOWN)), refuse)
        for name in ("ctid", "xmin", "xmax", "cmin", "cmax")
    }
    oid = exp.Cast(this=exp.Literal.number(relation.oid), to=exp.DataType.build("UINTEGER", dialect="duckdb"))
    hidden["tableoid"] = RangeColumn("tableoid", Typed(oid, PgType(OID)))
    return hidden


def _time_travel(binding: Binding, node: exp.Table, relation: Relation, scope: Scope) -> TimeTravel | None:
    when = node.args.get("when")
    if when is None:
        return scope.frame.at if relation.kind is not Kind.POSTGRES else None
    if relation.kind is Kind.POSTGRES:
        raise FeatureNotSupported(f'time travel is not supported on "{relation.name}", which is not a lake table')
    kind = str(when.args["kind"]).lower()
    environment = ScopeEnvironment(binding, scope.beside(Namespace()))
    typed = environment.expression(when.args["expression"])
    target = PgType(INT8) if kind == "version" else PgType(TIMESTAMPTZ)
    if not typed.is_constant:
        raise SqlSyntaxError("AT takes a constant", sqlstate="42P10")
    return TimeTravel(kind, coerce(typed, target, Coercion.EXPLICIT, environment).sql)


def _sample(binding: Binding, node: exp.TableSample, scope: Scope) -> exp.TableSample:
    environment = ScopeEnvironment(binding, scope.beside(Namespace()))
    percent = coerce(environment.expression(node.args["percent"]), PgType(FLOAT8), Coercion.ASSIGNMENT, environment)
    seed = node.args.get("seed")
    value = percent.value if percent.value is not None else percent.sql.name
    return exp.TableSample(
        method=exp.Var(this=str(node.args["method"]).upper()),
        percent=exp.Literal.number(str(value)),
        seed=seed.copy() if seed is not None else None,
    )


@lru_cache(maxsize=512)
def view_tree(sql: str) -> exp.Expression:
    """The syntax of a view's query, kept by its text."""
    return parse(sql.rstrip().rstrip(";"))


def _bind_view(binding: Binding, relation: Relation, access: Access, shown: str, node: exp.Table, scope: Scope) -> Item:
    """A view stands as a subquery over what it reads, in which names mean what they mean to the view."""
    frame = scope.frame
    if relation.view_sql is None:
        raise FeatureNotSupported(f'view "{relation.name}" has no definition')
    if relation.oid in frame.views:
        raise SqlSyntaxError(f'infinite recursion detected in rules for relation "{relation.name}"', sqlstate="42P17")
    tree = view_tree(relation.view_sql)
    lookup = binding.view_lookup(relation.oid)
    at = _time_travel(binding, node, relation, scope)
    block = binding.query(tree, None, Frame(lookup, {}, (*frame.views, relation.oid), at, printed=True))
    emitted = binding.alias(shown)
    query = block.close()
    binding.derived[emitted] = block.lineage
    if not note_weights(binding, emitted, block):
        query = apart(binding, query, correlated=False)
    columns = [
        RangeColumn(column.name, typed, access.use(column), (relation.oid, column.attnum))
        for column, (_, typed) in zip(relation.columns, block.references(emitted), strict=True)
    ]
    derived = exp.Subquery(this=query, alias=exp.TableAlias(this=quoted(emitted)))
    return Item(derived, RangeItem(shown, columns, emitted=emitted), emitted)


def _bind_partitioned(
    binding: Binding, relation: Relation, access: Access, shown: str, node: exp.Table, scope: Scope
) -> Item:
    """The union of its partitions; files that a condition rules out are not read, whatever partition they are of."""
    read = () if node.args.get("only") else relation.partitions
    leaves = {(leaf.schema, leaf.name): leaf for leaf in read}
    names = ", ".join(quote_identifier(column.name) for column in relation.columns)
    members = [f"SELECT {names} FROM {quote_identifier(schema)}.{quote_identifier(name)}" for schema, name in leaves]
    nulls = ", ".join(
        f"NULL::{format_type(column.type)} AS {quote_identifier(column.name)}" for column in relation.columns
    )
    tree = view_tree(" UNION ALL ".join(members) or f"SELECT {nulls} WHERE false")
    frame = scope.frame
    at = _time_travel(binding, node, relation, scope)
    block = binding.query(tree, None, Frame(lambda name: leaves.get((name[-2], name[-1])), {}, frame.views, at))
    emitted = binding.alias(shown)
    query = block.close()
    binding.derived[emitted] = block.lineage
    columns = [
        RangeColumn(column.name, typed, access.use(column), (relation.oid, column.attnum))
        for column, (_, typed) in zip(relation.columns, block.references(emitted), strict=True)
    ]
    hidden = _system_columns(relation)
    hidden["tableoid"] = hidden["ctid"].renamed("tableoid")
    derived = exp.Subquery(this=query, alias=exp.TableAlias(this=quoted(emitted)))
    return Item(derived, RangeItem(shown, columns, hidden=hidden, emitted=emitted), emitted)


def _bind_derived(
    binding: Binding,
    node: exp.Expression,
    alias: exp.TableAlias | None,
    outer: Scope | None,
    frame: Frame,
    lateral: bool,
) -> Item:
    query = node.this if isinstance(node, exp.Subquery) and not _has_modifiers(node) else node
    block = binding.query(query, outer, frame)
    shown = identifier_name(alias.this) if alias is not None and alias.this is not None else ""
    emitted = binding.alias(shown or "mere_subquery")
    tree = block.close()
    binding.derived[emitted] = block.lineage
    if not note_weights(binding, emitted, block):
        tree = apart(binding, tree, correlated=block.correlated)
    columns = [
        RangeColumn(name, typed, origin=output.origin)
        for (name, typed), output in zip(block.references(emitted), block.outputs, strict=True)
    ]
    item = RangeItem(shown, columns, emitted=emitted)
    rename(item, alias)
    table_alias = exp.TableAlias(this=quoted(emitted))
    if lateral and block.correlated:
        return Item(exp.Lateral(this=exp.Subquery(this=tree), alias=table_alias), item, emitted)
    return Item(exp.Subquery(this=tree, alias=table_alias), item, emitted)


def _has_modifiers(node: exp.Subquery) -> bool:
    return any(node.args.get(key) for key in ("with_", "order", "limit", "offset"))
