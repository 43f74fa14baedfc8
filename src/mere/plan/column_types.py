"""The types of a query's columns where they follow from a few rules, so that the engine need not be asked.

Columns, casts, counts, sums, extremes. What is not certain is not said: then the engine binds the query. Pure;
coordinator process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sqlglot import exp

from mere.plan.nodes import MotionColumn

Tables = Callable[[str], tuple[MotionColumn, ...] | None]

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})
_SURE = frozenset({"BIGINT", "BOOLEAN", "DATE", "DOUBLE", "INTEGER", "SMALLINT", "VARCHAR"})
_CAST = {"INT": "INTEGER", "TEXT": "VARCHAR"}


def column_types(tree: exp.Expression, tables: Tables) -> tuple[MotionColumn, ...] | None:
    """The columns of a SELECT over scans and motions; None where one is not certain."""
    if not isinstance(tree, exp.Select) or tree.args.get("with_"):
        return None
    sources: dict[str, Mapping[str, str]] = {}
    for item in [tree.args.get("from_"), *(tree.args.get("joins") or [])]:
        if item is None or not _add_source(item.this, tables, sources):
            return None
    found = []
    for projection in tree.expressions:
        known = _type(projection.unalias(), sources)
        if known is None or not isinstance(projection, exp.Alias):
            return None
        found.append(MotionColumn(projection.alias, known))
    return tuple(found)


def _add_source(node: exp.Expression, tables: Tables, sources: dict[str, Mapping[str, str]]) -> bool:
    """Notes the columns that a member of FROM shows, by its alias."""
    columns: tuple[MotionColumn, ...] | None = None
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        columns = tables(node.name)
    elif isinstance(node, exp.Subquery) and node.alias:
        columns = column_types(node.this, tables)
    elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Subquery):
        inner = [node.this, *(join.this for join in node.this.args.get("joins") or [])]
        return all(_add_source(each, tables, sources) for each in inner)
    if columns is None:
        return False
    sources[node.alias_or_name] = {column.name: column.duckdb_type for column in columns}
    return all(_add_source(join.this, tables, sources) for join in node.args.get("joins") or [])


def _type(node: exp.Expression, sources: Mapping[str, Mapping[str, str]]) -> str | None:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Column):
        return _column(node, sources)
    if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
        name = node.to.sql("duckdb").replace(", ", ",")
        name = _CAST.get(name, name)
        return name if name in _SURE or _DECIMAL.fullmatch(name) else None
    if isinstance(node, exp.Filter):
        node = node.this
    if isinstance(node, exp.Anonymous):
        return _call(str(node.this).lower(), node.expressions, sources)
    if isinstance(node, exp.Count):
        return "BIGINT"
    if isinstance(node, exp.Sum | exp.Min | exp.Max):
        return _call(node.key, [node.this], sources)
    return None


def _column(node: exp.Column, sources: Mapping[str, Mapping[str, str]]) -> str | None:
    if node.table:
        return sources.get(node.table, {}).get(node.name)
    found = [columns[node.name] for columns in sources.values() if node.name in columns]
    return found[0] if len(found) == 1 else None


def _call(name: str, arguments: list[exp.Expression], sources: Mapping[str, Mapping[str, str]]) -> str | None:
    if name == "count":
        return "BIGINT"
    if len(arguments) != 1 or name not in ("sum", "min", "max"):
        return None
    argument = arguments[0]
    if isinstance(argument, exp.Distinct):
        (argument,) = argument.expressions
    known = _type(argument, sources)
    if name != "sum":
        return known if known is not None and (known in _SURE or _DECIMAL.fullmatch(known)) else None
    if known == "DOUBLE":
        return "DOUBLE"
    if known in _INTEGERS:
        return "HUGEINT"
    scale = _scale(argument, sources)
    return None if scale is None else f"DECIMAL(38,{scale})"


def _scale(node: exp.Expression, sources: Mapping[str, Mapping[str, str]]) -> int | None:
    """Of a decimal: its digits behind the point. None where it may be none."""
    scale, is_decimal = _number(node, sources) or (0, False)
    return scale if is_decimal and scale <= 38 else None


def _number(node: exp.Expression, sources: Mapping[str, Mapping[str, str]]) -> tuple[int, bool] | None:
    """(scale, whether it is a decimal) of sums and products of integers and decimals."""
    while isinstance(node, exp.Paren | exp.Neg):
        node = node.this
    if isinstance(node, exp.Literal):
        if node.is_string or not re.fullmatch(r"\d+(\.\d+)?", node.name):
            return None
        digits = node.name.partition(".")[2]
        return len(digits), "." in node.name
    if isinstance(node, exp.Add | exp.Sub | exp.Mul):
        one, other = _number(node.this, sources), _number(node.expression, sources)
        if one is None or other is None:
            return None
        scale = one[0] + other[0] if isinstance(node, exp.Mul) else max(one[0], other[0])
        return scale, one[1] or other[1]
    known = _type(node, sources)
    if known is None:
        return None
    match = _DECIMAL.fullmatch(known)
    return (int(match[2]), True) if match else (0, False) if known in _INTEGERS else None
