"""A distributed plan as a tree to read, in Greenplum's words: motions, slices, and what each slice does.

What a slice does is shown as its SQL says it, from the last step down to the scans; in which order it joins is DuckDB's
choice, on the segment. Pure functions, coordinator process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.plan.nodes import DistributedPlan, Motion, MotionKind, SegmentSlice, Share, Where
from mere.sql.bind.output import duckdb_text
from mere.sql.bind.pruning import conjuncts

_LONGEST = 240  # characters of an expression
_MADE = re.compile(r"(?:[a-z_][a-z0-9_]*\.)?(mere_[a-z]+[0-9]+)\b")  # a column that the planner named
_AVERAGE = re.compile(r"MERE_AVG\(SUM\((.+?)\), COUNT\(\1\)\)")
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
    """`facts` stand behind the title in parentheses, `details` on lines of their own. Of a motion, and of rows that are
    kept where they are: `slice` is the sender's, `ratio` how many send and how many receive."""

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
    if node.slice is not None:
        shown["Slice"] = node.slice
    if node.ratio is not None:
        shown |= {"Senders": node.ratio[0], "Receivers": node.ratio[1]}
    shown |= {_title(name): True if value is None else value for name, value in node.facts.items()}
    shown |= dict(node.details)
    shown |= more(node)
    if node.children:
        shown["Plans"] = [as_json(child, more) for child in node.children]
    return shown


def _title(name: str) -> str:
    return name.title().replace(" A ", " a ")


class _Explainer:
    def __init__(self, plan: DistributedPlan, scans: Mapping[str, ScanFacts]) -> None:
        self._plan = plan
        self._scans = scans
        self._motions = {motion.table: motion for motion in plan.motions}
        self._slices = {slice_.number: slice_ for slice_ in plan.slices}
        self._made = _made_columns(plan)
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
        return self._sorted(node, tree)

    def _sorted(self, node: ExplainNode, tree: exp.Expression) -> ExplainNode:
        order, limit = tree.args.get("order"), tree.args.get("limit") or tree.args.get("offset")
        if order is not None:
            keys = ", ".join(self._sort_key(tree, key) for key in order.expressions)
            node = ExplainNode("Sort", details=[("Sort Key", keys)], children=[node])
        return ExplainNode("Limit", children=[node]) if limit is not None else node

    def _sort_key(self, tree: exp.Expression, key: exp.Expression) -> str:
        if isinstance(tree, exp.Select) and isinstance(key, exp.Ordered):
            key = key.copy()
            key.set("this", _named(tree, key.this).copy())
        return self._text(key)

    def _select(self, tree: exp.Select, slice_: SegmentSlice | None) -> ExplainNode:
        node = self._joined(tree, slice_)
        group = tree.args.get("group")
        if group is not None or any(map(_aggregates, tree.expressions)):
            node = ExplainNode("HashAggregate" if group is not None else "Aggregate", children=[node])
            if group is not None:
                node.details.append(("Group Key", ", ".join(map(self._text, _group_keys(tree, group)))))
        node = self._filter(node, tree.args.get("having"), slice_)
        qualify = tree.args.get("qualify")
        if any(part.find(exp.Window) for part in (*tree.expressions, qualify) if part is not None):
            node = ExplainNode("WindowAgg", children=[node])
        node = self._filter(node, qualify, slice_)
        for projection in tree.expressions:
            self._subplans(node, projection, slice_)
        if tree.args.get("distinct") is not None:
            node = ExplainNode("Unique", children=[node])
        return node

    def _joined(self, tree: exp.Select, slice_: SegmentSlice | None) -> ExplainNode:
        """FROM and WHERE: a condition of WHERE stands at the first node that has all it speaks of."""
        from_, where = tree.args.get("from_") or tree.args.get("from"), tree.args.get("where")
        conditions = list(conjuncts(where.this)) if where is not None else []
        if from_ is None:
            node = ExplainNode("Result")
            return self._conditions(node, "Filter", conditions, slice_)
        node, known = self._source(from_.this, slice_), {from_.this.alias_or_name}
        for join in tree.args.get("joins") or ():
            if not join.side:  # what an outer join adds is not filtered before it
                node = self._conditions(node, "Filter", _taken(conditions, known), slice_)
            right, name = self._source(join.this, slice_), join.this.alias_or_name
            if not join.side:
                right = self._conditions(right, "Filter", _taken(conditions, {name}), slice_)
            node, known = self._join(node, right, join, known | {name}, conditions, slice_), known | {name}
        return self._conditions(node, "Filter", conditions, slice_)

    def _join(
        self,
        left: ExplainNode,
        right: ExplainNode,
        join: exp.Join,
        known: set[str],
        conditions: list[exp.Expression],
        slice_: SegmentSlice | None,
    ) -> ExplainNode:
        on = join.args.get("on")
        found = list(conjuncts(on))
        if not join.side:
            found += _taken(conditions, known)
        hashed = [each for each in found if isinstance(each, exp.EQ)]
        kind = "Hash " if hashed else "Nested Loop "
        title = f"{kind}{_JOINS.get((join.side or join.kind or '').upper(), '')}Join"
        node = ExplainNode(title, children=[left, right])
        node = self._conditions(node, "Hash Cond", hashed, slice_)
        return self._conditions(node, "Join Filter", [each for each in found if each not in hashed], slice_)

    def _conditions(
        self, node: ExplainNode, name: str, conditions: Sequence[exp.Expression], slice_: SegmentSlice | None
    ) -> ExplainNode:
        """The node under these conditions; a motion has none itself, so that what receives it gets them."""
        if not conditions:
            return node
        if node.ratio is not None:
            node = ExplainNode("Result", children=[node])
        texts = [text for detail, text in node.details if detail == name]
        node.details = [detail for detail in node.details if detail[0] != name]
        node.details.append((name, " AND ".join([*texts, *map(self._text, conditions)])))
        for condition in conditions:
            self._subplans(node, condition, slice_)
        return node

    def _filter(self, node: ExplainNode, clause: exp.Expression | None, slice_: SegmentSlice | None) -> ExplainNode:
        return node if clause is None else self._conditions(node, "Filter", [clause.this], slice_)

    def _text(self, expression: exp.Expression) -> str:
        """What stands for a column of a sender's own making is shown as what that makes of it."""
        shown = expression.transform(self._merged) if self._made else expression
        text = _MADE.sub(lambda found: self._made.get(found[1]) or found[0], _text(shown))
        return _shortened(_AVERAGE.sub(r"AVG(\1)", text))

    def _key(self, tree: exp.Expression, name: str) -> str:
        """A column of a sender; what it is made of, if its name is the planner's."""
        if _MADE.fullmatch(name) and isinstance(tree, exp.Select):
            for projection in tree.expressions:
                if isinstance(projection, exp.Alias) and projection.alias == name:
                    return self._text(projection.this)
        return _unquoted(name)

    def _merged(self, node: exp.Expression) -> exp.Expression:
        """The merging of partial values is shown as the aggregate that the user wrote: they are computed below."""
        inner = node
        if isinstance(inner, exp.Cast) and isinstance(inner.this, exp.Coalesce):  # a count
            inner = inner.this.this
        name = _call_name(inner)
        column = inner.expressions[0] if isinstance(inner, exp.Anonymous) and inner.expressions else inner.this
        made = self._made.get(column.name) if name is not None and isinstance(column, exp.Column) else None
        if made is None or not made.startswith("COUNT(" if inner is not node else f"{name}("):
            return node
        return exp.Var(this=made)

    def _subplans(self, node: ExplainNode, expression: exp.Expression, slice_: SegmentSlice | None) -> None:
        """Queries within an expression; not those within such a query."""
        stack: list[exp.Expression] = [expression]
        while stack:
            found = stack.pop()
            if isinstance(found, exp.Query):
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
        if motion.stays:
            node = ExplainNode("Shared Scan", facts, slice=sender.number)
        else:
            node = ExplainNode(f"{motion.kind.value} Motion", facts, slice=sender.number, ratio=(senders, receivers))
        if motion.keys:
            node.details.append(("Hash Key", ", ".join(self._key(sender.tree, key) for key in motion.keys)))
        if motion.order:
            node.details.append(("Merge Key", ", ".join(self._sort_key(sender.tree, key) for key in motion.order)))
        if motion.number in self._shown:
            facts["shown above"] = None
        else:
            self._shown.add(motion.number)
            node.children.append(self.query(sender.tree, sender))
        return node


def _made_columns(plan: DistributedPlan) -> dict[str, str]:
    """What the columns stand for that the planner named; not those of which there are several."""
    found: dict[str, set[str]] = {}
    for slice_ in plan.slices:
        for projection in slice_.tree.expressions if isinstance(slice_.tree, exp.Select) else ():
            if isinstance(projection, exp.Alias) and _MADE.fullmatch(projection.alias):
                found.setdefault(projection.alias, set()).add(_text(projection.this))
    return {name: texts.pop() for name, texts in found.items() if len(texts) == 1}


def _taken(conditions: list[exp.Expression], known: set[str]) -> list[exp.Expression]:
    """Those that speak of nothing but these relations; they are taken out."""
    found = [each for each in conditions if {column.table for column in each.find_all(exp.Column)} <= known]
    conditions[:] = [each for each in conditions if not any(each is one for one in found)]
    return found


def _scan(scan: ScanFacts, table: exp.Table, slice_: SegmentSlice | None) -> ExplainNode:
    known = not table.alias or table.alias == table.name or scan.title.endswith(f".{table.alias}")
    title = scan.title if known else f"{scan.title} {table.alias}"
    facts = dict(scan.facts)
    shares = dict(slice_.scans) if slice_ is not None else {}
    if slice_ is not None and slice_.where is Where.EVERY:
        facts |= {"read by every segment": None} if shares.get(table.name) is Share.ALL else scan.own
    return ExplainNode(title, facts)


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


def _call_name(node: exp.Expression) -> str | None:
    if isinstance(node, exp.Sum | exp.Min | exp.Max):
        return node.key.upper()
    return str(node.this).upper() if isinstance(node, exp.Anonymous) and len(node.expressions) == 1 else None


def _group_keys(tree: exp.Select, group: exp.Group) -> list[exp.Expression]:
    """The keys; ordinals are what they stand for."""
    keys: list[exp.Expression] = [_named(tree, key) for key in group.expressions]
    for kind in ("rollup", "cube", "grouping_sets"):
        keys += [item for item in group.args.get(kind) or () if isinstance(item, exp.Expression)]
    return keys


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
    return text.replace(" ASC NULLS LAST", "").replace(" DESC NULLS FIRST", " DESC")  # as they are when nothing is said


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _unquoted(text: str) -> str:
    return _PLAIN_NAME.sub(r"\1", text)
