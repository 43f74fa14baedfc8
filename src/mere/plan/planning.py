"""One query being planned: its builder, what is known of its columns, its shared WITH queries. Coordinator process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from mere.plan.builder import SINGLE, Builder, share_number
from mere.plan.columns import every, named
from mere.plan.group import Group, Known, leaf, standing
from mere.plan.local import ColumnStatistics, Facts, Local, Spread
from mere.plan.nodes import STAYS, MotionColumn, MotionKind
from mere.plan.rules.common_tables import CommonTables
from mere.sql.types import duckdb_type

_SMALL = 20_000
_ENDED = ("distinct", "order", "limit", "offset")


@dataclass(frozen=True, slots=True)
class Planned:
    """A closed query and what is known of its columns."""

    local: Local
    statistics: Mapping[str, ColumnStatistics] = field(default_factory=dict)


@dataclass(slots=True)
class Planning:
    facts: Facts
    builder: Builder
    common: CommonTables
    known: Known = field(default_factory=Known)
    shared: dict[str, Planned] = field(default_factory=dict)

    def reads(self, tree: exp.Expression) -> bool:
        """Does it read rows of any table?"""
        return any(
            table.name in self.facts.scans or table.name in self.common.shared for table in every(tree, exp.Table)
        )

    def scan(self, name: str, alias: str) -> Group:
        """A table in FROM."""
        scan, statistics = self.facts.scans[name], self.facts.statistics[name]
        for column in scan.columns:
            self.known.types[(alias, column.name)] = duckdb_type(column.type) or "VARCHAR"
            if column.name in statistics.columns:
                self.known.statistics[(alias, column.name)] = statistics.columns[column.name]
        if scan.row_identity:
            self.known.types |= {(alias, "mere_file"): "VARCHAR", (alias, "mere_pos"): "BIGINT"}
        table = exp.Table(
            this=exp.to_identifier(name), alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True))
        )
        return leaf(table, alias, self.builder.scan_place(name), max(statistics.rows, 1.0))

    def derived(self, planned: Planned, alias: str) -> Group:
        """A closed query in FROM."""
        local = planned.local
        for column in local.columns:
            self.known.types[(alias, column.name)] = column.duckdb_type
            found = planned.statistics.get(column.name) or ColumnStatistics(max(local.rows, 1.0), 4.0)
            self.known.statistics[(alias, column.name)] = replace(
                found, distinct=max(1.0, min(found.distinct, local.rows))
            )
        return leaf(standing(local, alias), alias, local.place, max(local.rows, 1.0))

    def keep(self, planned: Planned) -> Planned:
        """What is read several times, made once: small on every segment, large where its rows are."""
        local = planned.local
        if local.place.spread is Spread.REPLICATED and not _costly(local.tree):
            return planned
        if local.place.spread is not Spread.PARTITIONED:
            local = replace(local, place=SINGLE)
        if local.place.spread is Spread.SINGLE or local.rows * self.facts.segments <= _SMALL:
            return replace(planned, local=self.builder.broadcast(local))
        motion = self.builder.sent(
            _with_share(local), MotionKind.REDISTRIBUTE, exp.Column(this=exp.to_identifier(STAYS, quoted=True))
        )
        received = self.builder.received(replace(motion, columns=local.columns), local.place, local.rows)
        return replace(planned, local=received)

    def once(self, planned: Planned) -> Planned:
        """Equal rows once on each segment, where there are many of them."""
        local, rows = planned.local, float(self.facts.segments)
        if not isinstance(local.tree, exp.Select) or any(local.tree.args.get(key) for key in _ENDED):
            return planned
        for name in local.names:
            found = planned.statistics.get(name)
            rows = min(rows * (found.distinct if found is not None else local.rows), 1e15)
        if rows * 2 > local.rows:
            return planned
        tree = local.tree.copy()
        tree.set("distinct", exp.Distinct())
        return replace(planned, local=replace(local, tree=tree, rows=rows, described=local.columns))

    def everywhere(self, planned: Planned) -> Planned:
        return replace(planned, local=self.builder.broadcast(planned.local))


def _costly(tree: exp.Expression) -> bool:
    return tree.find(exp.Join, exp.Group, exp.Union, exp.Window, exp.Distinct) is not None


def _with_share(local: Local) -> Local:
    """With the number of the share as a column, by which every row goes to where it is."""
    columns = (*local.columns, MotionColumn(STAYS, "INTEGER"))
    inner = exp.Subquery(this=local.tree.copy(), alias=exp.TableAlias(this=exp.to_identifier("mere_all")))
    projections: list[exp.Expression] = [
        named(exp.Column(this=exp.to_identifier(column.name, quoted=True)), column.name) for column in local.columns
    ]
    tree = exp.Select(expressions=[*projections, named(share_number(), STAYS)], from_=exp.From(this=inner))
    return Local(tree, local.place, columns, local.rows)
