"""Shows one random query and its plan, cut down while it fails: `python -m differential.distributed_failure 7`.

Run from the tests' directory.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import sqlglot
from golden.plan_text import plan_text
from sqlglot import exp
from sqlglot.errors import SqlglotError

from .distributed_queries import QueryMaker
from .distributed_tables import warehouse
from .test_distributed import Cluster, bind_and_answer, proof

_PARTS = ("where", "having", "order", "limit", "offset", "distinct", "group", "qualify")


def shrunk(sql: str, fails: Callable[[str], bool]) -> str:
    """A smaller query that fails still; every step takes away one part of the tree."""
    current = sql
    while True:
        for candidate in _smaller(sqlglot.parse_one(current, read="postgres")):
            if len(candidate) < len(current) and fails(candidate):
                current = candidate
                break
        else:
            return current


def _smaller(tree: exp.Expr) -> Iterator[str]:
    """Texts of the tree with one thing left out, large things first."""
    for place in range(len([*tree.walk()])):
        for change in _CHANGES:
            for attempt in range(8):
                copy = tree.copy()
                node = [*copy.walk()][place]
                changed = change(copy, node, attempt)
                if changed is None:
                    break
                try:
                    yield changed.sql(dialect="postgres")
                except SqlglotError:
                    continue


def _inner_query(tree: exp.Expr, node: exp.Expr, attempt: int) -> exp.Expr | None:
    if attempt == 0 and isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
        return node.this
    return None


def _one_branch(tree: exp.Expr, node: exp.Expr, attempt: int) -> exp.Expr | None:
    if attempt > 1 or not isinstance(node, exp.SetOperation | exp.And | exp.Or):
        return None
    kept = node.this if attempt == 0 else node.expression
    return _put(tree, node, kept.unnest() if isinstance(node, exp.SetOperation) else kept)


def _without_part(tree: exp.Expr, node: exp.Expr, attempt: int) -> exp.Expr | None:
    present = [part for part in _PARTS if node.args.get(part)] if isinstance(node, exp.Query) else []
    if attempt >= len(present):
        return None
    node.set(present[attempt], None)
    return tree


def _without_item(tree: exp.Expr, node: exp.Expr, attempt: int) -> exp.Expr | None:
    """One output, join, CTE, or key less."""
    found = []
    for name in ("joins", "expressions"):
        items = node.args.get(name)
        if isinstance(items, list) and (len(items) > 1 or name == "joins"):
            found += [(name, place) for place in range(len(items))]
    if isinstance(node, exp.With) and len(node.expressions) == 1 and attempt == 0 and node.parent is not None:
        node.pop()
        return tree
    if attempt >= len(found) or not isinstance(node, exp.Select | exp.With | exp.Group | exp.Window | exp.Order):
        return None
    name, place = found[attempt]
    del node.args[name][place]
    return tree


def _true(tree: exp.Expr, node: exp.Expr, attempt: int) -> exp.Expr | None:
    if attempt == 0 and isinstance(node, exp.Predicate | exp.Exists | exp.Not) and node.parent is not None:
        return _put(tree, node, exp.true())
    return None


def _argument(tree: exp.Expr, node: exp.Expr, attempt: int) -> exp.Expr | None:
    if attempt == 0 and isinstance(node, exp.Window | exp.Filter | exp.Cast | exp.Func) and node.this is not None:
        return _put(tree, node, node.this) if isinstance(node.this, exp.Expr) else None
    return None


_CHANGES = (_inner_query, _one_branch, _without_part, _without_item, _true, _argument)


def _put(tree: exp.Expr, node: exp.Expr, other: exp.Expr) -> exp.Expr:
    if node is tree:
        return other
    node.replace(other)
    return tree


def report(seed: int) -> str:
    rows = warehouse()

    def fails(sql: str) -> bool:
        try:
            found = proof(rows, sql, seed)
        except Exception:  # the planner's own mistakes are failures too
            return True
        return found is not None and found.wrong is not None

    sql = QueryMaker(seed).query()
    if not fails(sql):
        return f"seed {seed} is right\n{sql}"
    sql = shrunk(sql, fails)
    cluster = Cluster.random(seed)
    lines = [f"seed {seed}, {cluster.segments} segments, small <= {cluster.read_everywhere_rows} rows", sql]
    tables = cluster.spread(rows)
    used = {scan.relation.name for scan in tables.bind(sql).scans}
    lines += [
        f"  {name}: {table.policy}, {table.stated_rows or 0:,.0f} rows stated"
        for name, table in tables.tables.items()
        if name in used
    ]
    found = proof(rows, sql, seed)
    assert found is not None
    lines.append(f"  {found.wrong}")
    known = bind_and_answer(tables, sql)
    if found.plan is not None and known is not None:
        lines.append(plan_text(replace(found.plan)))
    return "\n".join(lines)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(report(int(argument)))
