"""A distributed plan as a tree to read, in Greenplum's words: motions, slices, and what each slice does.

What a slice does is shown as its SQL says it, from the last step down to the scans; in which order it joins is DuckDB's
choice, on the segment. Pure functions, coordinator process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from mere.plan.nodes import DistributedPlan, Motion, MotionKind, SegmentSlice, Share, Where
from mere.sql.bind.output import duckdb_text

_LONGEST = 240  # characters of an expression
_PLAIN_NAME = re.compile(r'"([a-z_][a-z0-9_]*)"')
# fmt: off
_AGGREGATES = frozenset({
    "count", "count_star", "sum", "avg", "min", "max", "fsum", "list", "string_agg", "array_agg", "bool_and", "bool_or",
    "any_value", "first", "last", "arg_min", "arg_max", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop",
    "var_samp", "mode", "median", "quantile_cont", "quantile_disc", "product", "bit_and", "bit_or", "bit_xor", "corr",
    "covar_pop", "covar_samp",
})
# fmt: on
_JOINS = {"LEFT": "Left ", "RIGHT": "Right ", "FULL": "Full ", "SEMI": "Semi ", "ANTI": "Anti "}


@dataclass(slots=True)
class ExplainNode:
    """`facts` stand behind the title in parentheses, `details` on lines of their own. Of a motion: `slice` is the
    sender's, `ratio` how many send and how many receive."""

    title: str
    facts: dict[str, object] = field(default_factory=dict)
    details: list[tuple[str, str]] = field(default_factory=list)
    children: list[ExplainNode] = field(default_factory=list)
    slice: int | None = None
    ratio: tuple[int, int] | None = None

    @property
    def line(self) -> str:
        title = self.title if self.ratio is None else f"{self.title} {self.ratio[0]}:{self.ratio[1]}"
        facts = [f"{name}: {value}" if value is not None else name for name, value in self.facts.items()]
        if self.slice is not None:
            facts.insert(0, f"slice{self.slice}")
        return f"{title}  ({'; '.join(facts)})" if facts else title


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """What is known of a scan: the name of its relation, and what EXPLAIN says of its files; `own` only where each
    segment reads its share."""

    title: str
    facts: Mapping[str, object]
    own: Mapping[str, object] = field(default_factory=dict)


def explain(plan: DistributedPlan, scans: Mapping[str, ScanFacts]) -> ExplainNode:
    """The plan from its root down."""
    return _Explainer(plan, scans).query(plan.root.tree, None)


def lines(node: ExplainNode, more: Callable[[ExplainNode], str] = lambda _: "") -> list[str]:
    """The text format. `more` gives what ANALYZE adds to the line of a node."""
    return list(_lines(node, more, 0, first=True))


def _lines(node: ExplainNode, more: Callable[[ExplainNode], str], depth: int, first: bool) -> Iterator[str]:
    arrow = "" if first else "->  "
    yield f"{' ' * depth}{arrow}{node.line}{more(node)}"
    inner = depth + len(arrow) + 2
    for name, value in node.details:
        yield f"{' ' * inner}{name}: {value}"
    for child in node.children:
        yield from _lines(child, more, inner, first=False)


def as_json(node: ExplainNode, more: Callable[[ExplainNode], Mapping[str, object]] = lambda _: {}) -> dict[str, object]:
    """FORMAT JSON: the keys are words in capitals, as in PostgreSQL."""
    shown: dict[str, object] = {"Node Type": node.title}
    if node.slice is not None and node.ratio is not None:
        shown |= {"Slice": node.slice, "Senders": node.ratio[0], "Receivers": node.ratio[1]}
    shown |= {name.title(): True if value is None else value for name, value in node.facts.items()}
    shown |= dict(node.details)
    shown |= more(node)
    if node.children:
        shown["Plans"] = [as_json(child, more) for child in node.children]
    return shown


class _Explainer:
    def __init__(self, plan: DistributedPlan, scans: Mapping[str, ScanFacts]) -> None:
        self._plan = plan
        self._scans = scans
        self._motions = {motion.table: motion for motion in plan.motions}
        self._slices = {slice_.number: slice_ for slice_ in plan.slices}
        self._shown: set[int] = set()

    def query(self, tree: exp.Expression, slice_: SegmentSlice | None) -> ExplainNode:
        """What a query does; `slice_` is None at the coordinator."""
        if isinstance(tree, exp.Subquery):
            return self.query(tree.this, slice_)
        ctes = tree.args.get("with_") or tree.args.get("with")
        node = self._body(tree, slice_)
        for cte in ctes.expressions if ctes is not None else ():
            inner = self.query(cte.this, slice_)
            node.children.append(ExplainNode(f"CTE {cte.alias}", children=[inner]))
        return node

    def _body(self, tree: exp.Expression, slice_: SegmentSlice | None) -> ExplainNode:
        if isinstance(tree, exp.SetOperation):
            kind = type(tree).__name__
            title = "Append" if kind == "Union" and not tree.args.get("distinct") else f"HashSetOp {kind}"
            node = ExplainNode(title, children=[self.query(tree.this, slice_), self.query(tree.expression, slice_)])
        elif isinstance(tree, exp.Select):
            node = self._select(tree, slice_)
        else:
            node = ExplainNode("Values Scan" if isinstance(tree, exp.Values) else "Result")
        return _sorted(node, tree)

    def _select(self, tree: exp.Select, slice_: SegmentSlice | None) -> ExplainNode:
        from_ = tree.args.get("from_") or tree.args.get("from")
        node = ExplainNode("Result") if from_ is None else self._source(from_.this, slice_)
        for join in tree.args.get("joins") or ():
            node = self._join(node, join, slice_)
        self._filter(node, tree.args.get("where"), slice_)
        group = tree.args.get("group")
        if group is not None or any(map(_aggregates, tree.expressions)):
            node = ExplainNode("HashAggregate" if group is not None else "Aggregate", children=[node])
            if group is not None:
                node.details.append(("Group Key", _group_keys(tree, group)))
        self._filter(node, tree.args.get("having"), slice_)
        if any(projection.find(exp.Window) for projection in tree.expressions):
            node = ExplainNode("WindowAgg", children=[node])
        self._filter(node, tree.args.get("qualify"), slice_)
        for projection in tree.expressions:
            self._subplans(node, projection, slice_)
        if tree.args.get("distinct") is not None:
            node = ExplainNode("Unique", children=[node])
        return node

    def _join(self, left: ExplainNode, join: exp.Join, slice_: SegmentSlice | None) -> ExplainNode:
        word = (join.side or join.kind or "").upper()
        condition = join.args.get("on")
        kind = "Hash " if condition is not None and condition.find(exp.EQ) else "Nested Loop "
        title = f"{kind}{_JOINS.get(word, '')}Join"
        node = ExplainNode(title, children=[left, self._source(join.this, slice_)])
        if condition is not None:
            node.details.append(("Hash Cond" if kind == "Hash " else "Join Filter", _text(condition)))
            self._subplans(node, condition, slice_)
        return node

    def _filter(self, node: ExplainNode, clause: exp.Expression | None, slice_: SegmentSlice | None) -> None:
        if clause is not None:
            node.details.append(("Filter", _text(clause.this)))
            self._subplans(node, clause, slice_)

    def _subplans(self, node: ExplainNode, expression: exp.Expression, slice_: SegmentSlice | None) -> None:
        """Queries within an expression; not those within such a query."""
        stack: list[exp.Expression] = [expression]
        while stack:
            found = stack.pop()
            if isinstance(found, exp.Query) and found is not expression:
                node.children.append(ExplainNode("SubPlan", children=[self.query(found, slice_)]))
            else:
                stack += list(found.iter_expressions())

    def _source(self, source: exp.Expression, slice_: SegmentSlice | None) -> ExplainNode:
        if isinstance(source, exp.Table):
            motion = self._motions.get(source.name)
            if motion is not None:
                return self._motion(motion, slice_)
            scan = self._scans.get(source.name)
            if scan is not None:
                return _scan(scan, source, slice_)
            return ExplainNode(f"CTE Scan on {source.name}" if source.name else "Function Scan")
        if isinstance(source, exp.Subquery):
            return self.query(source.this, slice_)
        if isinstance(source, exp.Lateral) and isinstance(source.this, exp.Subquery):
            return self.query(source.this, slice_)
        return ExplainNode("Values Scan" if isinstance(source, exp.Values) else "Function Scan")

    def _motion(self, motion: Motion, receiver: SegmentSlice | None) -> ExplainNode:
        sender = self._slices[motion.sender]
        senders = self._plan.segments if sender.where is Where.EVERY else 1
        alone = receiver is None or receiver.where is Where.ONE or motion.kind is MotionKind.GATHER
        receivers = 1 if alone else self._plan.segments
        facts: dict[str, object] = {"segments": senders, "rows": round(sender.rows)}
        title = f"{motion.kind.value} Motion"
        node = ExplainNode(title, facts, slice=sender.number, ratio=(senders, receivers))
        if motion.keys:
            node.details.append(("Hash Key", ", ".join(_unquoted(key) for key in motion.keys)))
        if motion.order:
            node.details.append(("Merge Key", ", ".join(_sort_key(sender.tree, key) for key in motion.order)))
        if motion.number in self._shown:
            facts["shared"] = "shown above"
        else:
            self._shown.add(motion.number)
            node.children.append(self.query(sender.tree, sender))
        return node


def _scan(scan: ScanFacts, table: exp.Table, slice_: SegmentSlice | None) -> ExplainNode:
    known = not table.alias or table.alias == table.name or scan.title.endswith(f".{table.alias}")
    title = scan.title if known else f"{scan.title} {table.alias}"
    facts = dict(scan.facts)
    shares = dict(slice_.scans) if slice_ is not None else {}
    if slice_ is not None and slice_.where is Where.EVERY:
        facts |= {"read by every segment": None} if shares.get(table.name) is Share.ALL else scan.own
    return ExplainNode(title, facts)


def _sorted(node: ExplainNode, tree: exp.Expression) -> ExplainNode:
    order, limit = tree.args.get("order"), tree.args.get("limit") or tree.args.get("offset")
    if order is not None:
        keys = ", ".join(_sort_key(tree, key) for key in order.expressions)
        node = ExplainNode("Sort", details=[("Sort Key", keys)], children=[node])
    return ExplainNode("Limit", children=[node]) if limit is not None else node


def _aggregates(projection: exp.Expression) -> bool:
    """Does it call an aggregate of this query itself, not as a window nor in a subquery?"""
    stack = [projection]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Query | exp.Window):
            continue
        if isinstance(node, exp.AggFunc):
            return True
        if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) and node.name.lower() in _AGGREGATES:
            return True
        stack += list(node.iter_expressions())
    return False


def _group_keys(tree: exp.Select, group: exp.Group) -> str:
    """The keys; ordinals are what they stand for."""
    if group.args.get("all"):
        return "all"
    parts = [str(_text(_named(tree, key))) for key in group.expressions]
    for kind in ("rollup", "cube", "grouping_sets"):
        parts += [_text(item) for item in group.args.get(kind) or () if isinstance(item, exp.Expression)]
    return ", ".join(parts)


def _sort_key(tree: exp.Expression, key: exp.Expression) -> str:
    if isinstance(tree, exp.Select) and isinstance(key, exp.Ordered):
        key = key.copy()
        key.set("this", _named(tree, key.this).copy())
    return _text(key).replace(" ASC NULLS LAST", "").replace(" DESC NULLS FIRST", " DESC")


def _named(tree: exp.Select, key: exp.Expression) -> exp.Expression:
    if isinstance(key, exp.Literal) and key.is_int and 0 < int(key.this) <= len(tree.expressions):
        projection = tree.expressions[int(key.this) - 1]
        named = projection.this if isinstance(projection, exp.Alias) else projection
        assert isinstance(named, exp.Expression)
        return named
    return key


def _text(expression: exp.Expression) -> str:
    """On one line, short, with quotes only where a name needs them; queries inside are shown as nodes."""
    shortened = expression.transform(
        lambda node: exp.Var(this="SubPlan") if isinstance(node, exp.Query) and node is not expression else node
    )
    text = _unquoted(" ".join(duckdb_text(shortened).split()))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _unquoted(text: str) -> str:
    return _PLAIN_NAME.sub(r"\1", text)
