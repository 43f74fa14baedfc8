"""Slices that send the same rows to the same places become one, with the columns of all of them.

Two scans of one table under other names, read in two places of a query, are the same rows when their conditions are the
same; what reads the second motion reads the first instead. Runs over the slices of a plan once all are known.
Coordinator process; pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from mere.plan.above.calls import calls_in, windows_in
from mere.plan.columns import column, every, named, ref_of, refs, substitute
from mere.plan.nodes import Motion, MotionColumn, SegmentSlice, motion_table
from mere.sql.bind.bound import Scan
from mere.sql.bind.output import duckdb_text

_ROW_BY_ROW = {"expressions", "from_", "joins", "where", "kind"}
_MOTION = motion_table(0)[:-1]


@dataclass(frozen=True, slots=True)
class Sharing:
    """The slices and motions that are left, and the root that reads them."""

    slices: tuple[SegmentSlice, ...]
    motions: tuple[Motion, ...]
    root: exp.Expression


@dataclass(slots=True)
class _Sent:
    """A slice with what it sends. `whole` says all but the select list, where rows are taken one by one; `values` are
    the columns by what they are made of."""

    slice: SegmentSlice
    motion: Motion
    whole: tuple[object, ...] = ()
    values: dict[str, str] | None = None
    sources: tuple[str, ...] = ()  # the aliases that stand as ~0, ~1 ... in `values`


def share_motions(
    slices: Sequence[SegmentSlice],
    motions: Sequence[Motion],
    root: exp.Expression,
    scans: Mapping[str, Scan],
    *,
    kept: int | None = None,
) -> Sharing:
    """`slices` in an order in which they can run, each with its one motion. The motion `kept` stays as it is."""
    alike: dict[tuple[object, ...], list[_Sent]] = {}
    left: list[_Sent] = []
    read_as: dict[str, tuple[str, Mapping[str, str]]] = {}
    by_sender = {motion.sender: motion for motion in motions}
    for slice_ in slices:
        sent = _Sent(_reading(slice_, read_as), by_sender[slice_.number])
        same = alike.setdefault(_look(sent, scans), []) if sent.motion.number != kept else []
        if not any(_join(one, sent, scans, read_as) for one in same):
            left.append(sent)
            same.append(sent)
    if not read_as:
        return Sharing(tuple(slices), tuple(motions), root)
    return Sharing(
        tuple(sent.slice for sent in left), tuple(sent.motion for sent in left), _replaced(root, read_as) or root
    )


def _reading(slice_: SegmentSlice, read_as: Mapping[str, tuple[str, Mapping[str, str]]]) -> SegmentSlice:
    """The slice with motions that are gone read as others."""
    tree = _replaced(slice_.tree, read_as)
    if tree is None:
        return slice_
    names = dict.fromkeys(table.name for table in every(tree, exp.Table))
    inputs = sorted(int(name[len(_MOTION) :]) for name in names if name.startswith(_MOTION))
    return replace(slice_, tree=tree, inputs=tuple(inputs))


def _replaced(tree: exp.Expression, read_as: Mapping[str, tuple[str, Mapping[str, str]]]) -> exp.Expression | None:
    """A changed copy; None where nothing changes."""
    if not read_as or not any(table.name in read_as for table in every(tree, exp.Table)):
        return None
    made = tree.copy()
    for table in every(made, exp.Table):
        if table.name not in read_as:
            continue
        other, columns = read_as[table.name]
        if all(one == two for one, two in columns.items()):
            table.set("this", exp.to_identifier(other))
            continue
        alias = table.alias or table.name
        select = exp.Select(
            expressions=[named(_bare(theirs), ours) for ours, theirs in columns.items()],
            from_=exp.From(this=exp.to_table(other)),
        )
        standing = exp.Subquery(this=select, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
        if table.args.get("joins"):
            standing.set("joins", table.args["joins"])
        table.replace(standing)
    return made


def _bare(name: str) -> exp.Column:
    return exp.Column(this=exp.to_identifier(name, quoted=True))


# What makes two of them the same


def _look(sent: _Sent, scans: Mapping[str, Scan]) -> tuple[object, ...]:
    """What is seen at once: only slices that look alike are compared."""
    read = []
    for table in every(sent.slice.tree, exp.Table):
        scan = scans.get(table.name)
        read.append(table.name if scan is None else str(scan.relation.oid))
    return sent.motion.kind, sent.slice.where, sent.motion.destination is None, tuple(read)


def _join(
    first: _Sent,
    second: _Sent,
    scans: Mapping[str, Scan],
    read_as: dict[str, tuple[str, Mapping[str, str]]],
) -> bool:
    """Lets the first send what the second would; False where they are not the same."""
    for sent in (first, second):
        if sent.values is None:
            _read(sent, scans)
    assert first.values is not None and second.values is not None
    if first.whole != second.whole:
        return False
    if not second.values.keys() <= first.values.keys() and not _widen(first, second, scans):
        return False
    read_as[second.motion.table] = (
        first.motion.table,
        {name: first.values[value] for value, name in second.values.items()},
    )
    return True


def _read(sent: _Sent, scans: Mapping[str, Scan]) -> None:
    """Works out `whole` and `values`: the text with aliases by their place and scans by what they read."""
    tree = sent.slice.tree.copy()
    sources = [each for each in every(tree, exp.Table, exp.Subquery) if each.alias]
    names = [str(each.alias) for each in sources]
    identities = []
    for table in every(tree, exp.Table):
        if (scan := scans.get(table.name)) is not None:
            identities.append(_identity(scan))
            table.set("this", exp.to_identifier("~"))
    if len(set(names)) == len(names):
        places = {name: f"~{place}" for place, name in enumerate(names)}
        for source in sources:
            source.args["alias"].set("this", exp.to_identifier(places[source.alias], quoted=True))
        for node in every(tree, exp.Column):
            ref = ref_of(node)
            if ref is not None and ref[0] in places:
                node.set("table", exp.to_identifier(places[ref[0]], quoted=True))
        sent.sources = tuple(names)
    where, row_by_row = sent.motion.destination, False
    outputs = {item.alias_or_name: item.unalias() for item in tree.expressions}
    values = {duckdb_text(value): name for name, value in outputs.items()}
    if isinstance(tree, exp.Select) and list(values.values()) == [each.name for each in sent.motion.columns]:
        sent.values, row_by_row = values, _row_by_row(tree)
        where = None if where is None else _of_values(where.copy(), outputs)
        tree.set("expressions", [exp.Star()] if row_by_row else [value.copy() for value in outputs.values()])
    else:
        sent.values = {each.name: each.name for each in sent.motion.columns}
    order = tuple(map(duckdb_text, sent.motion.order))
    placed = None if where is None else duckdb_text(where)
    sent.whole = (duckdb_text(tree), tuple(identities), placed, order, row_by_row)


def _row_by_row(tree: exp.Select) -> bool:
    """Does another column change no row?"""
    if any(value and key not in _ROW_BY_ROW for key, value in tree.args.items()):
        return False
    return not calls_in(iter(tree.expressions)) and not windows_in(iter(tree.expressions))


def _of_values(where: exp.Expression, outputs: Mapping[str, exp.Expression]) -> exp.Expression:
    """A destination by what its columns are made of."""
    for node in every(where, exp.Column):
        if node.name in outputs:
            if node is where:
                return outputs[node.name].copy()
            node.replace(outputs[node.name].copy())
    return where


def _identity(scan: Scan) -> tuple[object, ...]:
    """What two scans have in common that give the same rows, whatever columns they read."""
    predicates = [(one.column.name, one.op, *map(duckdb_text, one.values)) for one in scan.predicates]
    at = None if scan.at is None else (scan.at.kind, duckdb_text(scan.at.value))
    return scan.relation.oid, at, tuple(predicates), scan.row_identity, scan.postgres_sql


# The columns of both


def _widen(first: _Sent, second: _Sent, scans: Mapping[str, Scan]) -> bool:
    """Gives the first the columns of the second; False where its scans do not read them."""
    if not first.whole[-1]:
        return False
    assert first.values is not None and second.values is not None
    known = _readable(first, scans)
    aliases = dict(zip(second.sources, first.sources, strict=True))
    tree, columns = first.slice.tree.copy(), list(first.motion.columns)
    taken = {each.name.lower() for each in columns}
    values = dict(first.values)
    types = {each.name: each.duckdb_type for each in second.motion.columns}
    own = {item.alias_or_name: item.unalias() for item in second.slice.tree.expressions}
    for value, name in second.values.items():
        if value in values:
            continue
        made = own[name].copy()
        mapping = {ref: column((aliases.get(ref[0], ""), ref[1])) for ref in refs(made)}
        if not mapping or any(ref_of(there) not in known for there in mapping.values()):
            return False
        given, number = name, 1
        while given.lower() in taken:
            given, number = f"{name}_{number}", number + 1
        taken.add(given.lower())
        tree.append("expressions", named(substitute(made, mapping), given))
        columns.append(MotionColumn(given, types[name]))
        values[value] = given
    first.slice = replace(first.slice, tree=tree)
    first.motion = replace(first.motion, columns=tuple(columns))
    first.values = values
    return True


def _readable(sent: _Sent, scans: Mapping[str, Scan]) -> set[tuple[str, str]]:
    """The columns that are there to be read, by the aliases of the slice."""
    found = set()
    for table in every(sent.slice.tree, exp.Table):
        if (scan := scans.get(table.name)) is not None:
            found |= {(table.alias, each.name) for each in scan.columns}
    return found
