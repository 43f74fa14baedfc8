"""Pruning: never a file too many left out, and the obvious ones left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mere.lake.files import DataFile, TableFiles
from mere.lake.prune import Bound, FileBounds, Operator, prune

COMPARE = {
    "=": lambda value, constant: value == constant,
    "<": lambda value, constant: value < constant,
    "<=": lambda value, constant: value <= constant,
    ">": lambda value, constant: value > constant,
    ">=": lambda value, constant: value >= constant,
}


def view_of(count: int) -> TableFiles:
    files = tuple(DataFile(number, f"f{number}", 10, 100) for number in range(count))
    return TableFiles(1, 1, files, (), 10 * count, np.arange(count, dtype=np.int64))


def pruned(lake_type: str, contents: list[list[object]], bound: Bound) -> set[int]:
    """The files that are left, when file n holds the values contents[n]."""
    view = view_of(len(contents))
    columns: list[list[object]] = [[], [], [], [], []]
    for number, values in enumerate(contents):
        known = [value for value in values if value is not None]
        columns[0].append(number)
        columns[1].append(str(min(known)) if known else None)  # type: ignore[type-var]
        columns[2].append(str(max(known)) if known else None)  # type: ignore[type-var]
        columns[3].append(len(known))
        columns[4].append(len(values) - len(known))
    bounds = {1: FileBounds.of(lake_type, np.arange(len(contents), dtype=np.int64), columns)}
    left = prune(view, [bound], bounds, np.full(len(contents), -1, dtype=np.int64))
    return {file.id for file in left.files if file.id is not None}


@settings(deadline=None, max_examples=60)
@given(
    contents=st.lists(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1), min_size=1, max_size=8),
    op=st.sampled_from(sorted(COMPARE)),
    constant=st.integers(-(2**63), 2**63 - 1),
)
def test_integers(contents: list[list[object]], op: Operator, constant: int) -> None:
    left = pruned("int64", contents, Bound(1, "int64", op, (str(constant),)))
    for number, values in enumerate(contents):
        if any(value is not None and COMPARE[op](value, constant) for value in values):
            assert number in left


@settings(deadline=None, max_examples=60)
@given(
    contents=st.lists(st.lists(st.none() | st.floats(allow_nan=False), min_size=1), min_size=1, max_size=8),
    op=st.sampled_from(sorted(COMPARE)),
    constant=st.floats(allow_nan=False),
)
def test_floats(contents: list[list[object]], op: Operator, constant: float) -> None:
    left = pruned("float64", contents, Bound(1, "float64", op, (repr(constant),)))
    for number, values in enumerate(contents):
        if any(value is not None and COMPARE[op](value, constant) for value in values):
            assert number in left


def test_dates_and_their_limits() -> None:
    contents: list[list[object]] = [["2020-01-01"], ["2020-12-31"], ["infinity"], [None]]
    assert pruned("date", contents, Bound(1, "date", "<", ("2020-06-01",))) == {0, 2}
    assert pruned("date", contents, Bound(1, "date", "=", ("nonsense",))) == {0, 1, 2}
    assert pruned("date", contents, Bound(1, "date", "is null")) == {3}
    assert pruned("date", contents, Bound(1, "date", "is not null")) == {0, 1, 2}


def test_text_and_lists_of_values() -> None:
    contents: list[list[object]] = [["a", "f"], ["g", "z"], ["\U0001f600"]]
    assert pruned("varchar", contents, Bound(1, "varchar", "in", ("b", "zz"))) == {0}
    assert pruned("varchar", contents, Bound(1, "varchar", ">", ("h",))) == {1, 2}


def test_buckets() -> None:
    view = view_of(4)
    buckets = np.array([0, 1, 2, -1], dtype=np.int64)
    left = prune(view, [Bound(1, "interval", "=", ("x",), frozenset({1}))], {}, buckets)
    assert [file.id for file in left.files] == [1, 3]
    assert left.rows == 20


def test_buckets_of_another_policy_say_nothing() -> None:
    view = view_of(3)
    buckets, layouts = np.array([0, 1, 0], dtype=np.int64), np.array([70, 70, 71], dtype=np.int64)
    bound = Bound(1, "interval", "=", ("x",), frozenset({1}), layout=70)
    assert [file.id for file in prune(view, [bound], {}, buckets, layouts).files] == [1, 2]


def test_all_kept_is_the_same_view() -> None:
    view = replace(view_of(2))
    assert prune(view, [], {}, np.zeros(2, dtype=np.int64)) is view
