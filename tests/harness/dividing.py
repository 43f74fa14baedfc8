"""Plans a query over single tables, derived tables and set operations of them: what stands above joins, without joins.

A plan is run on DuckDB connections that play segments, and its answer compared with DuckDB's on the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from harness.plan_simulator import simulate
from harness.plan_warehouse import Table, Warehouse
from harness.same_rows import difference, misplaced
from mere.plan.above.order import take_ending
from mere.plan.above.ranks import push_rank_limits
from mere.plan.above.root import finish_root
from mere.plan.above.select import finish_select
from mere.plan.above.set_operation import plan_set_operation
from mere.plan.builder import REPLICATED, Builder
from mere.plan.local import Hash, Joined, Local, Place
from mere.plan.nodes import DistributedPlan
from mere.sql.bind import BoundSelect, duckdb_text

ROWS = 400
_TABLES = (
    Table("t", "k integer, a integer, b text, c bigint, d numeric(12,2), e double precision, f date"),
    Table("u", "k integer, a integer, b text, c bigint, d numeric(12,2), e double precision, f date"),
    Table("nothing", "k integer, a integer, b text, c bigint"),
)


def warehouse() -> Warehouse:
    made = Warehouse(_TABLES)
    made.create()
    for name, seed in (("t", 1), ("u", 2)):
        made.connection.execute(
            f"""INSERT INTO {name} SELECT CASE WHEN r % 13 = 0 THEN NULL ELSE (r * 7) % 60 END,
            CASE WHEN r % 5 = 0 THEN NULL ELSE (r * {seed} * 31) % 6 END,
            CASE WHEN r % 7 = 0 THEN NULL ELSE chr((97 + (r * {seed}) % 4)::INTEGER) END,
            (r * 37 * {seed}) % 1000, ((r * 91) % 5000) / 100, (r % 11) / 7.0::DOUBLE,
            DATE '2020-01-01' + ((r * {seed}) % 40)::INTEGER FROM range({ROWS}) AS rows(r)"""
        )
    return made


@dataclass(frozen=True)
class Divided:
    bound: BoundSelect
    plan: DistributedPlan

    @property
    def kinds(self) -> list[str]:
        return [motion.kind.value for motion in self.plan.motions]

    @property
    def root(self) -> str:
        return duckdb_text(self.plan.root.tree)

    def sent(self, place: int) -> str:
        """The text of the slice that runs in this place."""
        return duckdb_text(self.plan.slices[place].tree)

    @property
    def text(self) -> str:
        """The slices with their motions, then the root."""
        motions = {motion.number: motion for motion in self.plan.motions}
        lines = []
        for slice_ in self.plan.slices:
            motion = motions[slice_.number]
            keys = f" by {', '.join(motion.keys)}" if motion.keys else ""
            lines.append(f"{slice_.where.value}: {duckdb_text(slice_.tree)} -> {motion.kind.value}{keys}")
        return "\n".join([*lines, f"{'plain' if self.plan.plain else 'root'}: {duckdb_text(self.plan.root.tree)}"])


def divide(
    tables: Warehouse,
    statement: str,
    segments: int = 3,
    policy: str = "hash",
    stated: float | None = None,
    everywhere_null: bool = False,
) -> Divided:
    """`everywhere_null` pretends that the rows of the scans come from the nullable side of an outer join."""
    distributed = tables.distributed(policy, {} if stated is None else dict.fromkeys(tables.tables, stated))
    bound = distributed.bind(statement)
    builder = Builder(distributed.facts(bound, segments))
    tree, ending = take_ending(bound.tree)
    local = _planned(builder, tree, everywhere_null)
    return Divided(bound, finish_root(builder, local, bound, ending))


def _planned(builder: Builder, tree: exp.Expression, everywhere_null: bool = False) -> Local:
    if isinstance(tree, exp.Subquery):
        return _planned(builder, tree.this)
    if isinstance(tree, exp.SetOperation):
        return plan_set_operation(builder, tree, [_planned(builder, tree.this), _planned(builder, tree.expression)])
    assert isinstance(tree, exp.Select)
    select = tree.copy()
    push_rank_limits(select)
    source = select.args["from_"].this if select.args.get("from_") else None
    if isinstance(source, exp.Subquery):
        local = _planned(builder, source.this)
        source.set("this", local.tree)
        return finish_select(builder, _joined(select, source.alias, local.place, local.rows))
    if source is None:
        return builder.local(select, REPLICATED, 1)
    place = builder.scan_place(source.name)
    if everywhere_null:
        place = replace(place, hashes=frozenset(replace(hash_, everywhere_null=True) for hash_ in place.hashes))
    return finish_select(builder, _joined(select, source.alias, place, builder.facts.statistics[source.name].rows))


def _joined(select: exp.Select, alias: str, place: Place, rows: float) -> Joined:
    hashes = frozenset(
        Hash(tuple(f"{alias}.{column}" for column in hash_.columns), hash_.scheme, hash_.everywhere_null)
        for hash_ in place.hashes
    )

    def distinct(columns: Sequence[str]) -> float:
        return max(1.0, min(rows, float(rows ** (1 - 0.5 ** len(columns))) * 2))

    return Joined(select, Place(place.spread, hashes), rows, distinct, lambda columns: 8.0 * len(columns))


# How the tables lie, the number of segments, and how many rows statistics claim: few rows are gathered, many are
# redistributed.
LAYOUTS: tuple[tuple[str, int, float | None], ...] = (
    ("hash", 3, 3_000_000.0),
    ("random", 5, 3_000_000.0),
    ("replicated", 2, None),
)


def check(tables: Warehouse, statement: str, layouts: Sequence[tuple[str, int, float | None]] = LAYOUTS) -> None:
    """The divided answer is DuckDB's, over any number of segments and however the tables lie."""
    for policy, segments, stated in layouts:
        divided = divide(tables, statement, segments, policy, stated)
        expected = tables.answer(divided.bound)
        run = simulate(tables.distributed(policy), divided.bound, divided.plan, seed=segments)
        wrong = difference(expected, run.rows) or misplaced(divided.bound.tree, expected, run.rows)
        assert wrong is None, f"{policy}, {segments} segments: {wrong}\n{divided.text}"
