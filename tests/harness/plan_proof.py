"""Whether a plan is right: its simulated answer beside DuckDB's own on the whole."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import duckdb
from sqlglot import exp

from harness.plan_simulator import BrokenPlan, Run, simulate
from harness.plan_warehouse import Warehouse
from harness.same_rows import difference, misplaced
from mere.plan.distribute import distribute
from mere.plan.nodes import DistributedPlan
from mere.sql.bind import BoundSelect

Row = tuple[object, ...]
_OF_THE_DATA = "More than one row returned"  # an error that the answer is made of, wherever the rows lie


class Refused(Exception):
    """DuckDB itself cannot run the query on the whole."""


@dataclass(frozen=True, slots=True)
class Expected:
    rows: list[Row]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """`wrong` is None for a right answer."""

    wrong: str | None
    plan: DistributedPlan | None = None
    run: Run | None = None


def expected(warehouse: Warehouse, bound: BoundSelect, seconds: float = 100) -> Expected:
    """DuckDB's answer. Refused where it has none, or not in time: a random query may be a product of everything."""
    try:
        with _deadline(warehouse, seconds):
            return Expected(warehouse.answer(bound))
    except duckdb.Error as error:
        if _OF_THE_DATA in str(error):
            return Expected([], str(error))
        raise Refused(str(error)) from error


@contextmanager
def _deadline(warehouse: Warehouse, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, warehouse.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def prove(
    warehouse: Warehouse,
    bound: BoundSelect,
    wanted: Expected,
    segments: int,
    *,
    read_everywhere_rows: float = 0,
    seed: int = 0,
) -> Proof:
    """Plans, runs, compares. What the planner or a slice raises counts as wrong."""
    try:
        plan = distribute(bound, warehouse.facts(bound, segments, read_everywhere_rows))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Proof(f"no plan: {error!r} in {place.filename.rpartition('/')[2]}:{place.lineno}")
    try:
        run = simulate(warehouse, bound, plan, seed)
    except duckdb.Error as error:
        if wanted.error is not None and _OF_THE_DATA in str(error):
            return Proof(None, plan)
        return Proof(f"a slice fails: {error}", plan)
    except BrokenPlan as error:
        return Proof(f"broken plan: {error}", plan)
    if wanted.error is not None:
        if whatever_the_values(warehouse, bound, run.rows):
            return Proof(None, plan, run)
        return Proof(f"no error, but {len(run.rows)} rows; the whole raises {wanted.error}", plan, run)
    wrong = difference(wanted.rows, run.rows) or misplaced(bound.tree, wanted.rows, run.rows)
    return Proof(wrong, plan, run)


# PostgreSQL evaluates no more of a condition than it needs, in any order ("Expression Evaluation Rules"): a query that
# gives too many rows is no error where nobody asks for its value.


def whatever_the_values(warehouse: Warehouse, bound: BoundSelect, rows: list[Row]) -> bool:
    """Are these the rows whichever value each scalar subquery has: its least, its greatest, or none?"""
    for choice in ("min", "max", None):
        tree = bound.tree.copy()
        for query in [each for each in tree.find_all(exp.Subquery) if _is_scalar(each)][::-1]:  # from the inside out
            query.replace(_chosen(query, choice))
        try:
            with _deadline(warehouse, 5):
                answer = warehouse.answer(replace(bound, tree=tree))
        except duckdb.Error:
            return False
        if difference(answer, rows) or misplaced(bound.tree, answer, rows):
            return False
    return True


def _is_scalar(query: exp.Subquery) -> bool:
    elsewhere = exp.From | exp.Join | exp.In | exp.Exists | exp.SetOperation | exp.Lateral | exp.Any | exp.All | exp.CTE
    return not query.alias and isinstance(query.this, exp.Query) and not isinstance(query.parent, elsewhere)


def _chosen(query: exp.Subquery, choice: str | None) -> exp.Expression:
    if choice is None:
        return exp.Null()
    name = query.this.named_selects[0]
    value = exp.Anonymous(this=choice, expressions=[exp.column(name, "mere_values", quoted=True)])
    source = exp.Subquery(this=query.this.copy(), alias=exp.TableAlias(this=exp.to_identifier("mere_values")))
    return exp.Subquery(this=exp.Select(expressions=[value], from_=exp.From(this=source)))
