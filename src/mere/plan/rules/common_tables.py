"""WITH: a query used once stands where it is used; one used more often is planned once, as a relation of its own.

Names of common tables are unique in a bound statement, as aliases are, so all of them are taken out of the tree at
once. Coordinator process.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlglot import exp

from mere.plan.columns import every, outer_refs, output_names, refs
from mere.plan.rules.derived import prune
from mere.plan.undivided import Undivided


@dataclass(slots=True)
class CommonTable:
    """`columns` are the names under which others read the columns of `query`, in order; `once` says that equal rows
    count once for all of them."""

    name: str
    query: exp.Expression
    columns: tuple[str, ...]
    recursive: bool
    once: bool = False


@dataclass(slots=True)
class CommonTables:
    """Those that are read more than once, or are recursive."""

    shared: dict[str, CommonTable] = field(default_factory=dict)


def take_out(tree: exp.Expression) -> CommonTables:
    """Removes every WITH from the tree, in place."""
    found: dict[str, CommonTable] = {}
    for clause in every(tree, exp.With):
        for table in clause.expressions:
            alias = table.args["alias"]
            columns = tuple(str(column.this) for column in alias.args.get("columns") or [])
            query = table.this
            known = {str(name.name) for name in every(query, exp.Table)}
            recursive = bool(clause.args.get("recursive")) and alias.this.name in known
            found[alias.this.name] = CommonTable(alias.this.name, query, columns, recursive)
        assert clause.parent is not None
        clause.parent.set("with_", None)
    if not found:
        return CommonTables()
    return CommonTables(_inlined(tree, found))


def _inlined(tree: exp.Expression, found: dict[str, CommonTable]) -> dict[str, CommonTable]:
    """What is left to share. A body is inlined in what reads it, so counting comes first, from the outside in."""
    uses = Counter(table.name for table in _tables(tree) if table.name in found)
    waiting = list(uses)
    reached = set(waiting)
    while waiting:
        name = waiting.pop()
        for table in _tables(found[name].query):
            if table.name not in found or (table.name == name and found[name].recursive):
                continue
            uses[table.name] += 1
            if table.name not in reached:
                reached.add(table.name)
                waiting.append(table.name)
    shared = {
        name: common for name, common in found.items() if name in reached and (uses[name] > 1 or common.recursive)
    }
    for common in shared.values():
        if outer_refs(common.query) - _own(common):
            raise Undivided("a WITH query reads the query around it")
    for root in [tree, *(found[name].query for name in reached)]:
        for table in _tables(root):
            if table.name in found and table.name not in shared:
                _stand(table, found[table.name])
    return shared


def _own(common: CommonTable) -> set[tuple[str, str]]:
    return {(common.name, column) for column in common.columns}


def _tables(tree: exp.Expression) -> list[exp.Table]:
    return [table for table in every(tree, exp.Table) if isinstance(table.this, exp.Identifier)]


def _stand(table: exp.Table, common: CommonTable) -> None:
    alias = table.args["alias"]
    columns = [exp.to_identifier(column, quoted=True) for column in common.columns]
    derived = exp.Subquery(this=common.query, alias=exp.TableAlias(this=alias.this, columns=columns))
    if table.args.get("joins"):
        derived.set("joins", table.args["joins"])
    table.replace(derived)


def leave_out_unread(tree: exp.Expression, common: CommonTables) -> None:
    """Drops the columns of shared tables that no reader names, in place."""
    roots = [tree, *(each.query for each in common.shared.values())]
    readers = [table for root in roots for table in _tables(root) if table.name in common.shared]
    read = {ref for root in roots for ref in refs(root)}
    for each in common.shared.values():
        if each.recursive or list(each.columns) != output_names(each.query):
            continue
        aliases = {table.alias_or_name for table in readers if table.name == each.name}
        prune(each.query, {column for alias, column in read if alias in aliases})
        each.columns = tuple(output_names(each.query))


def readers_first(common: CommonTables) -> list[CommonTable]:
    """Each in front of those that it reads."""
    found: list[str] = []
    for name in common.shared:
        if name not in found:
            _behind(common, name, found)
    return [common.shared[name] for name in reversed(found)]


def verbatim(common: CommonTables, name: str) -> exp.Select:
    """SELECT all columns FROM a common table, with the WITH that it needs in front."""
    needed: list[str] = []
    _behind(common, name, needed)
    expressions = [_written(common.shared[each]) for each in needed]
    recursive = any(common.shared[each].recursive for each in needed)
    projections: list[exp.Expression] = [
        exp.Alias(
            this=exp.Column(this=exp.to_identifier(column, quoted=True)), alias=exp.to_identifier(column, quoted=True)
        )
        for column in common.shared[name].columns
    ]
    table = exp.Table(this=exp.to_identifier(name, quoted=True))
    return exp.Select(
        expressions=projections,
        from_=exp.From(this=table),
        with_=exp.With(expressions=expressions, recursive=recursive),
    )


def _behind(common: CommonTables, name: str, found: list[str]) -> None:
    """Adds what a table reads, and then itself."""
    for table in _tables(common.shared[name].query):
        if table.name in common.shared and table.name != name and table.name not in found:
            _behind(common, table.name, found)
    found.append(name)


def _written(common: CommonTable) -> exp.CTE:
    columns = [exp.to_identifier(column, quoted=True) for column in common.columns]
    alias = exp.TableAlias(this=exp.to_identifier(common.name, quoted=True), columns=columns)
    return exp.CTE(this=common.query.copy(), alias=alias)
