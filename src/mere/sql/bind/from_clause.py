"""FROM: items and joins, to a DuckDB FROM with the same shape and the namespace that the query sees.

Joins keep PostgreSQL's order and nesting. USING and NATURAL become ON with PostgreSQL's own operators, so that merged
columns have its types. Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.bind.binding import Binding
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.from_item import Item, bind_item
from mere.sql.bind.merged import merge_columns, natural_names
from mere.sql.bind.pruning import collect
from mere.sql.bind.scope import Namespace, RangeColumn, RangeItem, Scope, identifier_name, quoted, refer


@dataclass(slots=True)
class FromPart:
    """A part of FROM that stands for itself: the first item and the joins behind it.

    `scans` are the aliases of its members; `nullable` those that an outer join may leave without a row.
    """

    tree: exp.Expression
    namespace: Namespace
    joins: list[exp.Join] = field(default_factory=list)
    scans: set[str] = field(default_factory=set)
    nullable: set[str] = field(default_factory=set)

    def nested(self) -> exp.Expression:
        """As one operand of a join: in parentheses where it is a join itself."""
        if not self.joins:
            return self.tree
        if isinstance(self.tree, exp.Lateral):
            raise FeatureNotSupported("LATERAL as the first member of a parenthesized join is not supported")
        self.tree.set("joins", self.joins)
        return exp.Subquery(this=self.tree)


def bind_from(binding: Binding, node: exp.Expression, scope: Scope) -> FromPart | None:
    """Binds the FROM and joins of a SELECT (or of UPDATE and DELETE) and leaves its namespace in `scope`."""
    clause = node.args.get("from_")
    if clause is None:
        return None
    return bind_from_list(binding, [clause.this], node.args.get("joins") or [], scope)


def bind_from_list(binding: Binding, first: list[exp.Expression], joins: list[exp.Join], scope: Scope) -> FromPart:
    """A comma list: each member with the joins up to the next comma."""
    groups: list[tuple[exp.Expression, list[exp.Join]]] = []
    for member in first:
        groups.append((member, []))
        _split(member.args.get("joins") or [], groups)
    _split(joins, groups)
    whole: FromPart | None = None
    seen = Namespace()
    for member, own in groups:
        part = _bind_chain(binding, member, own, scope, seen)
        whole = part if whole is None else _comma(whole, part)
        seen = seen + part.namespace
    assert whole is not None
    scope.namespace = whole.namespace
    return whole


def _split(joins: Sequence[exp.Join], groups: list[tuple[exp.Expression, list[exp.Join]]]) -> None:
    for join in joins:
        if is_comma(join):
            groups.append((join.this, []))
            _split(join.this.args.get("joins") or [], groups)
        else:
            groups[-1][1].append(join)


def is_comma(join: exp.Join) -> bool:
    return not any(join.args.get(key) for key in ("kind", "side", "method", "on", "using"))


def _comma(left: FromPart, right: FromPart) -> FromPart:
    joins = [*left.joins, exp.Join(this=right.tree), *right.joins]
    return FromPart(
        left.tree, left.namespace + right.namespace, joins, left.scans | right.scans, left.nullable | right.nullable
    )


def _bind_chain(
    binding: Binding, member: exp.Expression, joins: list[exp.Join], scope: Scope, seen: Namespace
) -> FromPart:
    part = _bind_member(binding, member, scope, seen)
    for join in joins:
        part = _bind_join(binding, part, join, scope, seen)
    return part


def _bind_member(binding: Binding, member: exp.Expression, scope: Scope, seen: Namespace) -> FromPart:
    inner = member.this
    if isinstance(member, exp.Subquery) and _is_from_item(inner):
        part = _bind_chain(binding, inner, inner.args.get("joins") or [], scope, seen)
        alias = member.args.get("alias")
        return part if alias is None else _aliased_join(binding, part, alias)
    item = bind_item(binding, member, scope, seen)
    return FromPart(item.tree, _namespace(item), scans={item.alias})


def _is_from_item(inner: exp.Expression) -> bool:
    """In parentheses: a join, and not a query."""
    if isinstance(inner, exp.Table):
        return True
    return isinstance(inner, exp.Subquery | exp.Values) and bool(inner.args.get("alias") or inner.args.get("joins"))


def _namespace(item: Item) -> Namespace:
    return Namespace([item.range], list(item.range.columns))


def _aliased_join(binding: Binding, part: FromPart, alias: exp.TableAlias) -> FromPart:
    """(a JOIN b ...) AS j: a derived table with all the columns, under one name."""
    name = identifier_name(alias.this)
    emitted = binding.alias(name)
    select = exp.Select(from_=exp.From(this=part.tree), joins=part.joins)
    columns: list[RangeColumn] = []
    projections: list[exp.Expression] = []
    given = [identifier_name(column) for column in alias.args.get("columns") or []]
    for number, column in enumerate(part.namespace.columns):
        typed = column.read()
        inner = f"mere_column_{number}"
        projections.append(exp.Alias(this=typed.sql, alias=quoted(inner)))
        reference = refer(typed, exp.Column(this=quoted(inner), table=quoted(emitted)))
        shown = given[number] if number < len(given) else column.name
        columns.append(RangeColumn(shown, reference, column.used, column.origin))
    select.set("expressions", projections)
    tree = exp.Subquery(this=select, alias=exp.TableAlias(this=quoted(emitted)))
    return FromPart(tree, Namespace([RangeItem(name, columns, emitted=emitted)], list(columns)))


def _bind_join(binding: Binding, left: FromPart, join: exp.Join, scope: Scope, seen: Namespace) -> FromPart:
    side, kind = str(join.args.get("side") or ""), str(join.args.get("kind") or "")
    method = str(join.args.get("method") or "")
    right = _bind_chain(binding, join.this, join.this.args.get("joins") or [], scope, seen + left.namespace)
    both = left.namespace + right.namespace
    environment = ScopeEnvironment(binding, scope.beside(both))
    namespace, condition = both, None
    names = [identifier_name(name) for name in join.args.get("using") or []]
    if method == "NATURAL":
        names = natural_names(left.namespace, right.namespace)
        kind = kind if names or side else "CROSS"
    if names:
        namespace, condition = merge_columns(left.namespace, right.namespace, names, side, environment)
    elif join.args.get("on") is not None:
        condition = environment.boolean(join.args["on"], "JOIN/ON").sql
    elif side:
        condition = exp.true()
    emitted = exp.Join(this=right.nested(), side=side or None, kind=_kind(kind, condition), on=condition)
    result = FromPart(
        left.tree,
        namespace,
        [*left.joins, emitted],
        left.scans | right.scans,
        left.nullable
        | right.nullable
        | (right.scans if side in ("LEFT", "FULL") else set())
        | (left.scans if side in ("RIGHT", "FULL") else set()),
    )
    if condition is not None:
        _prune(binding, condition, left, right, side)
    return result


def _kind(kind: str, condition: exp.Expression | None) -> str | None:
    if condition is None:
        return "CROSS"
    return None if kind in ("", "OUTER", "CROSS") else kind


def _prune(binding: Binding, condition: exp.Expression, left: FromPart, right: FromPart, side: str) -> None:
    """An ON condition prunes the sides whose unmatched rows are not kept."""
    if side in ("", "LEFT"):
        collect(binding, condition, right.scans - right.nullable, strict_only=False)
        collect(binding, condition, right.nullable, strict_only=True)
    if side in ("", "RIGHT"):
        collect(binding, condition, left.scans - left.nullable, strict_only=False)
        collect(binding, condition, left.nullable, strict_only=True)
