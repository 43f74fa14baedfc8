"""Which answers may come in pieces, and how their scans are cut."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from harness.dispatching import motion_of, plan_of, slice_of
from hypothesis import given
from hypothesis import strategies as st

from mere.execute.pieces import in_pieces, piece_size, pieced_scan
from mere.execute.shares import ROW_GROUP, by_rows
from mere.lake.files import DataFile
from mere.plan.nodes import DistributedPlan, MotionKind, Share, Where


def files_of(*rows: int) -> list[DataFile]:
    return [DataFile(number, f"f{number}", count, count) for number, count in enumerate(rows)]


@given(st.lists(st.integers(1, 3_000_000), max_size=12), st.integers(1, 5), st.integers(1000, 1_000_000))
def test_every_row_is_in_one_piece(rows: list[int], segments: int, size: int) -> None:
    shares = by_rows(files_of(*rows), segments)
    pieces = in_pieces(shares, size)
    assert len(pieces) % segments == 0
    for share in range(segments):
        cut = [file for piece in pieces[share::segments] for file in piece]
        ranges = sorted((file.url, *(file.positions or (0, file.rows))) for file in cut)
        whole = sorted((file.url, *(file.positions or (0, file.rows))) for file in shares[share])
        joined = [(url, low) for url, low, _ in ranges]
        for (url, _, high), (other, low, _) in pairwise(ranges):
            if url == other:
                assert high == low
                joined.remove((other, low))
        assert joined == [(url, low) for url, low, _ in whole]
        assert sum(high - low for _, low, high in ranges) == sum(high - low for _, low, high in whole)


def test_pieces_have_about_the_rows_that_are_wanted() -> None:
    pieces = in_pieces((tuple(files_of(3_000_000)), tuple(files_of(*[100_000] * 30))), 4 * ROW_GROUP)
    sizes = [sum((f.positions or (0, f.rows))[1] - (f.positions or (0, f.rows))[0] for f in piece) for piece in pieces]
    assert max(sizes) <= 5 * ROW_GROUP
    assert all(file.positions[0] % ROW_GROUP == 0 for file in pieces[2] if file.positions)


def plan(text: str, *, where: Where = Where.EVERY, share: Share = Share.OWN, plain: bool = True) -> DistributedPlan:
    one = replace(slice_of(1, text, where=where, share=share), rows=1e6)
    return plan_of(2, [one], [motion_of(1, MotionKind.GATHER, {"k": "BIGINT"})], "SELECT k FROM mere_motion_1", plain)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT k AS k FROM mere_scan_0",
        "SELECT upper(k) AS k FROM mere_scan_0 AS t WHERE k > 3",
        "SELECT x.k AS k FROM (SELECT k + 1 AS k FROM mere_scan_0) AS x WHERE k % 2 = 0",
    ],
)
def test_a_plain_scan_comes_in_pieces(text: str) -> None:
    assert pieced_scan(plan(text)) == "mere_scan_0"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT k AS k FROM mere_scan_0 LIMIT 3",
        "SELECT DISTINCT k AS k FROM mere_scan_0",
        "SELECT k AS k FROM mere_scan_0 ORDER BY k",
        "SELECT count(*) AS k FROM mere_scan_0",
        "SELECT first(k) AS k FROM mere_scan_0",
        "SELECT k AS k FROM mere_scan_0 GROUP BY k",
        "SELECT sum(k) OVER () AS k FROM mere_scan_0",
        "SELECT a.k AS k FROM mere_scan_0 AS a JOIN mere_scan_0 AS b USING (k)",
        "SELECT k AS k FROM mere_scan_0 UNION ALL SELECT k FROM mere_scan_0",
        "SELECT k AS k FROM mere_scan_0 WHERE k IN (SELECT k FROM mere_scan_0)",
        "SELECT k AS k FROM mere_scan_0 WHERE $mere_share = 0",
        "SELECT k * k AS k FROM mere_scan_0",
    ],
)
def test_what_looks_at_more_than_a_row_does_not(text: str) -> None:
    assert pieced_scan(plan(text)) is None


def test_only_the_rows_of_a_divided_scan_do() -> None:
    text = "SELECT k AS k FROM mere_scan_0"
    assert pieced_scan(plan(text, plain=False)) is None
    assert pieced_scan(plan(text, where=Where.ONE)) is None
    assert pieced_scan(plan(text, share=Share.ALL)) is None


def test_a_scan_that_passes_little_on_is_read_at_once() -> None:
    whole = plan("SELECT k AS k FROM mere_scan_0")
    assert piece_size(whole, 1_000_000, 100_000) == 100_000
    assert piece_size(whole, 10_000_000, 100_000) == 1_000_000
    assert piece_size(whole, 10_000_000, 500_000) is None
