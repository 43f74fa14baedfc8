"""Writing through a view: which views PostgreSQL updates by themselves, and what their columns are of the table below.

Lives in the gateway's process.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.bind.binding import Access, Binding
from mere.sql.bind.environment import ScopeEnvironment, column_parts
from mere.sql.bind.from_item import rename, scan_range, table_name, view_tree
from mere.sql.bind.scope import Frame, Level, Namespace, RangeColumn, RangeItem, Scope, identifier_name
from mere.sql.expressions import Typed
from mere.sql.relations import Kind, Relation

_CLAUSES = ("with_", "distinct", "group", "having", "limit", "offset", "windows", "joins", "laterals")


@dataclass(frozen=True, slots=True)
class UpdatableView:
    """A view over one lake table. `columns` says, by the view's names, the attnum of the plain columns below."""

    view: Relation
    base: Relation
    tree: exp.Select
    columns: dict[str, int]

    def below(self, access: Access | None, emitted: str) -> RangeItem:
        """The table below, as the view's own query sees it, its columns read from `emitted`."""
        table = self.tree.args["from_"].this
        alias = table.args.get("alias")
        named = alias is not None and alias.this is not None
        shown = identifier_name(alias.this) if named else self.base.name
        item = scan_range(self.base, access or Access(self.base), shown, emitted)
        if not named:
            item.relation = self.base
        rename(item, alias)
        return item

    def above(self, binding: Binding, below: RangeItem, access: Access, shown: str) -> RangeItem:
        """The view's columns as expressions over the table below."""
        columns = [
            RangeColumn(column.name, typed, access.use(column), (self.view.oid, column.attnum))
            for column, typed in zip(self.view.columns, self._values(binding, below), strict=True)
        ]
        return RangeItem(shown, columns, emitted=below.emitted)

    def condition(self, binding: Binding, below: RangeItem) -> exp.Expression | None:
        """The view's WHERE: what it does not show cannot be changed through it."""
        where = self.tree.args.get("where")
        return None if where is None else self._environment(binding, below).boolean(where.this, "WHERE").sql

    def _values(self, binding: Binding, below: RangeItem) -> list[Typed]:
        environment = self._environment(binding, below)
        values = [environment.known(environment.expression(_unnamed(node))) for node in self.tree.expressions]
        if any(value.contains_aggregate or value.contains_window or value.contains_set for value in values):
            raise not_updatable(self.view)
        return values

    def _environment(self, binding: Binding, below: RangeItem) -> ScopeEnvironment:
        frame = Frame(binding.view_lookup(self.view.oid), {}, (self.view.oid,), printed=True)
        return ScopeEnvironment(binding, Scope(Level(), None, frame, Namespace([below], list(below.columns))))


def updatable_view(binding: Binding, view: Relation) -> UpdatableView:
    """Raises 0A000 for a view that PostgreSQL would not update by itself, or that lies over another view."""
    tree = view_tree(view.view_sql or "")
    if not isinstance(tree, exp.Select) or any(tree.args.get(clause) for clause in _CLAUSES):
        raise not_updatable(view)
    clause = tree.args.get("from_")
    table = clause.this if clause is not None else None
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier) or table.args.get("joins"):
        raise not_updatable(view)
    base = binding.view_lookup(view.oid)(table_name(table))
    if base is None or base.kind not in (Kind.LAKE, Kind.PARTITIONED):
        raise not_updatable(view)
    found = UpdatableView(view, base, tree, {})
    below = found.below(None, "")
    scope = Scope(Level(), None, Frame(dict[tuple[str, ...], Relation]().get), Namespace([below], list(below.columns)))
    for column, node in zip(view.columns, tree.expressions, strict=True):
        plain = _unnamed(node)
        if isinstance(plain, exp.Column) and (source := scope.try_resolve(column_parts(plain))) is not None:
            found.columns[column.name] = source.origin[1]
    return found


def _unnamed(node: exp.Expression) -> exp.Expression:
    inner = node.this if isinstance(node, exp.Alias) else node
    assert isinstance(inner, exp.Expression)
    return inner


def not_updatable(view: Relation) -> FeatureNotSupported:
    return FeatureNotSupported(f'writing through view "{view.name}" is not supported over lake tables')
