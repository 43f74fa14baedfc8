"""WITH queries that change tables, taken apart: each statement by itself, in order, then the main one.

Every part sees the same snapshot, so the order decides nothing. A WITH query that two parts read, or that may give
other rows each time, is a part too: it must be the same rows for all. Another goes with the part that reads it. Pure
functions over syntax trees, in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError
from mere.sql.bind.bound import OutputColumn
from mere.sql.bind.evaluated_once import picks
from mere.sql.bind.scope import CommonTable, identifier_name

CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)


@dataclass(frozen=True, slots=True)
class WithPart:
    """One WITH query to be run: `columns` are the names that the clause gives to its first columns."""

    name: str
    columns: tuple[str, ...]
    tree: exp.Expression

    @property
    def changes(self) -> bool:
        return isinstance(self.tree, CHANGES)


@dataclass(frozen=True, slots=True)
class Parts:
    """What to run before the main statement, which names the parts' rows by their names; None where that is all."""

    before: tuple[WithPart, ...]
    main: exp.Expression | None


def has_changes(tree: exp.Expression) -> bool:
    """Whether a WITH query of the statement changes a table."""
    return any(isinstance(table.this, CHANGES) for clause in _clauses(tree) for table in clause.expressions)


def _clauses(tree: exp.Expression) -> list[exp.With]:
    """The statement's own WITH, and that of the query of an INSERT."""
    query = tree.args.get("expression") if isinstance(tree, exp.Insert) else None
    nodes = [tree, query] if isinstance(query, exp.Query) else [tree]
    return [clause for node in nodes if isinstance(clause := node.args.get("with_"), exp.With)]


def take_apart(tree: exp.Expression, volatile: Collection[str]) -> Parts:
    """The parts of a statement. The tree itself stays as it is. `volatile`: the users' functions that are, by name."""
    if tree.meta.get("overriding"):  # the parser does not say of which INSERT
        raise FeatureNotSupported("OVERRIDING beside WITH queries that change tables is not supported over lake tables")
    main = tree.copy()
    clauses = _clauses(main)
    recursive = any(clause.args.get("recursive") for clause in clauses)
    for clause in clauses:
        if clause.args.get("search"):
            raise FeatureNotSupported("SEARCH and CYCLE are not supported over lake tables")
        clause.pop()
    tables = [table for clause in clauses for table in clause.expressions]
    names = [identifier_name(table.args["alias"].this) for table in tables]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise SqlSyntaxError(f'WITH query name "{name}" specified more than once', sqlstate="42712")
        if recursive and _named(tables[place].this, names[place + 1 :]):
            raise FeatureNotSupported(
                "WITH RECURSIVE that changes lake tables and names a later WITH query is not supported"
            )
    return _assign(dict(zip(names, tables, strict=True)), main, recursive, volatile)


def _assign(tables: Mapping[str, exp.CTE], main: exp.Expression, recursive: bool, volatile: Collection[str]) -> Parts:
    """Which WITH query stands by itself, and which goes with the only part that reads it."""
    earlier: list[str] = []
    readers = dict.fromkeys(tables, 0)
    read: dict[str, list[str]] = {}
    for name, table in tables.items():
        read[name] = _named(table.this, earlier)
        earlier.append(name)
    in_main = _named(main, earlier)
    for found in (*read.values(), in_main):
        for name in found:
            readers[name] += 1
    alone = [
        name
        for name, table in tables.items()
        if isinstance(table.this, CHANGES) or readers[name] > 1 or (readers[name] and picks(table.this, volatile))
    ]

    def carried(found: Collection[str]) -> list[str]:
        """The WITH queries that come along, those that they read before them."""
        wanted: list[str] = []
        for name in found:
            if name not in alone:
                wanted += [*carried(read[name]), name]
        return wanted

    before = []
    for name in alone:
        table = tables[name]
        columns = tuple(identifier_name(column) for column in table.args["alias"].args.get("columns") or [])
        if isinstance(table.this, CHANGES):
            before.append(WithPart(name, columns, _with(table.this, carried(read[name]), tables, recursive)))
        else:
            query = exp.Select(
                expressions=[exp.Star()], from_=exp.From(this=exp.Table(this=table.args["alias"].this.copy()))
            )
            before.append(WithPart(name, (), _with(query, [*carried(read[name]), name], tables, recursive)))
    return Parts(tuple(before), _with(main, carried(in_main), tables, recursive))


def _with(
    tree: exp.Expression, names: Collection[str], tables: Mapping[str, exp.CTE], recursive: bool
) -> exp.Expression:
    if not names:
        return tree
    tree = tree.copy()
    own = tree.args.get("with_")
    later = list(own.expressions) if own is not None else []
    recursive = recursive or bool(own is not None and own.args.get("recursive"))
    tree.set("with_", exp.With(expressions=[*(tables[name].copy() for name in names), *later], recursive=recursive))
    return tree


def _named(node: exp.Expression, names: Collection[str]) -> list[str]:
    """Those of the names that the node may read; one that is hidden inside counts too, and costs a table more."""
    found = {
        identifier_name(table.this)
        for table in node.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and table.args.get("db") is None
    }
    return [name for name in names if name in found]


def held_table(part: WithPart, number: int, columns: Collection[OutputColumn]) -> CommonTable:
    """How the parts after it see the rows of a part: a table of the engine, under the columns' aliases."""
    if len(part.columns) > len(columns):
        raise SqlSyntaxError(
            f'WITH query "{part.name}" has {len(columns)} columns available but {len(part.columns)} columns specified',
            sqlstate="42P10",
        )
    named = [*part.columns, *(column.name for column in list(columns)[len(part.columns) :])]
    shown = tuple((name, column.alias, column.typed) for name, column in zip(named, columns, strict=True))
    return CommonTable(f"mere_with_{number}", shown, held=True)
