"""UPDATE and DELETE of a partitioned table, or through a view of one, as one statement a partition.

Pure functions over syntax trees and what their names mean, in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.bind.evaluated_once import picks_inside
from mere.sql.bind.from_item import table_name, view_tree
from mere.sql.bind.modifying import Parts, WithPart
from mere.sql.bind.scope import Name
from mere.sql.relations import Kind, Relation, Resolved

PARTITIONS = "mere partition"


def divided_target(resolved: Resolved, tree: exp.Expression) -> Relation | None:
    """The partitioned table that an UPDATE or DELETE names; or the view of one, with the partitions below it."""
    if not isinstance(tree, exp.Update | exp.Delete) or not isinstance(tree.this, exp.Table):
        return None
    named = resolved.by_name.get(table_name(tree.this))
    if named is None or named.kind is Kind.PARTITIONED:
        return named
    if named.kind is not Kind.VIEW or named.materialized:
        return None
    key = _only_table(named)
    below = resolved.in_views.get(named.oid, {}).get(key) if key is not None else None
    if below is None or below.kind is not Kind.PARTITIONED:
        return None
    return replace(named, partitions=below.partitions)


def _only_table(view: Relation) -> tuple[str, str] | None:
    """What a view selects from, where its query names a single table. Whether the view can be written through at all
    shows when one of the statements is bound."""
    tables = list(view_tree(view.view_sql or "").find_all(exp.Table))
    if len(tables) != 1 or not isinstance(tables[0].this, exp.Identifier) or tables[0].args.get("only"):
        return None
    name = table_name(tables[0])
    return (name[-2], name[-1]) if len(name) > 1 else None


def with_partitions(resolved: Resolved, table: Relation) -> Resolved:
    """With the targets of `per_partition`, by the names that they have there."""
    names: dict[Name, Relation] = dict(resolved.by_name)
    in_views = dict(resolved.in_views)
    for leaf in table.partitions:
        if table.kind is Kind.VIEW:
            key = _only_table(table)
            assert key is not None
            inside = in_views[table.oid]
            in_views[leaf.oid] = {**inside, key: with_rights_of(inside[key], leaf)}
            names[PARTITIONS, str(leaf.oid)] = replace(table, oid=leaf.oid)
        else:
            names[PARTITIONS, str(leaf.oid)] = with_rights_of(table, leaf)
    return replace(resolved, by_name=names, in_views=in_views)


def per_partition(
    tree: exp.Expression, table: Relation, nothing: exp.Expression | None, volatile: Collection[str]
) -> Parts:
    """UPDATE or DELETE of a partitioned table as one statement a partition. Their targets are called by their oids, in
    the schema PARTITIONS. `nothing` is a query of RETURNING's columns without rows."""
    parts = []
    leaves = () if tree.this.args.get("only") else table.partitions
    if len(leaves) > 1 and picks_inside(tree, tree.this.alias or table.name, volatile):
        raise FeatureNotSupported(
            f'changing partitioned table "{table.name}" by a query with LIMIT, or with a volatile function, is not'
            " supported: each partition would see other rows of it",
            hint="Make it a WITH query, which runs once.",
        )
    for leaf in leaves:
        part = tree.copy()
        target = part.this
        alias = target.args.get("alias") or exp.TableAlias(this=exp.Identifier(this=table.name, quoted=True))
        target.replace(
            exp.Table(
                this=exp.Identifier(this=str(leaf.oid), quoted=True),
                db=exp.Identifier(this=PARTITIONS, quoted=True),
                alias=alias.copy(),
            )
        )
        parts.append(WithPart(f"{PARTITIONS} {leaf.oid}", (), part))
    if tree.args.get("returning") is None:
        return Parts(tuple(parts), None)
    if not parts:
        return Parts((), nothing)
    rows: exp.Expression | None = None
    for part_ in parts:
        named = exp.Table(this=exp.Identifier(this=part_.name, quoted=True))
        member = exp.Select(expressions=[exp.Star()], from_=exp.From(this=named))
        rows = member if rows is None else exp.Union(this=rows, expression=member, distinct=False)
    return Parts(tuple(parts), rows)


def with_rights_of(table: Relation, leaf: Relation) -> Relation:
    """A partition with the rights that the role has to the partitioned table, by which the statement names it, and with
    the columns in the order that they have there."""
    own = {column.name: column for column in leaf.columns}
    columns = tuple(
        replace(own[above.name], readable=above.readable, insertable=above.insertable, updatable=above.updatable)
        for above in table.columns
    )
    return replace(leaf, privileges=table.privileges, columns=columns, named=table.name)
