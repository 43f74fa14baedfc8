"""Shares are disjoint, cover everything, and are the same each time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mere.execute.shares import ROW_GROUP, by_bucket, by_rows
from mere.lake.files import DataFile


def files_of(*rows: int) -> list[DataFile]:
    return [DataFile(number, f"f{number}", count, count) for number, count in enumerate(rows)]


def ranges(share: tuple[DataFile, ...]) -> set[tuple[str, int, int]]:
    return {(file.url, *(file.positions or (0, file.rows))) for file in share}


@given(st.lists(st.integers(0, 3_000_000), max_size=12), st.integers(1, 7))
def test_every_row_is_in_one_share(rows: list[int], segments: int) -> None:
    shares = by_rows(files_of(*rows), segments)
    assert len(shares) == segments
    pieces = sorted(piece for share in shares for piece in ranges(share))
    for number, count in enumerate(rows):
        mine = [(low, high) for url, low, high in pieces if url == f"f{number}"]
        assert mine == [] if count == 0 else (mine[0][0], mine[-1][1]) == (0, count)
        assert all(before[1] == after[0] for before, after in pairwise(mine))


@pytest.mark.parametrize("rows", [[60_000], [6_000_000], [4_000_000, 1_000_000, 500_000, 500_000], [10] * 300])
@pytest.mark.parametrize("segments", [2, 3, 5])
def test_shares_are_even(rows: list[int], segments: int) -> None:
    sizes = [sum(high - low for _, low, high in ranges(share)) for share in by_rows(files_of(*rows), segments)]
    assert max(sizes) - min(sizes) <= max(2 * ROW_GROUP if sum(rows) > 3_000_000 else 0, segments)


def test_large_files_are_cut_between_row_groups() -> None:
    (low, high) = by_rows(files_of(6_000_000), 2)[0][0].positions or (0, 0)
    assert low == 0 and high % ROW_GROUP == 0


def test_buckets_go_where_rows_on_the_move_go() -> None:
    files = [replace(file, bucket=number if number < 4 else None) for number, file in enumerate(files_of(*[1] * 5))]
    assert [[file.id for file in share] for share in by_bucket(files, 3)] == [[0, 3, 4], [1], [2]]
