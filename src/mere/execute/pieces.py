"""A large answer in pieces, each read, sent and let go before the next but one is begun. Pure; coordinator process.

What qualifies is a scan whose rows each become a row of the answer or none. Its shares are cut into pieces of some
rows, and a piece is the unit that runs again after a loss: what the client has got of others stays true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from sqlglot import exp

from mere.execute.shares import ROW_GROUP, Files
from mere.execute.stable import is_stable
from mere.lake.files import DataFile
from mere.plan.nodes import SHARE, DistributedPlan, Share, Where

# A product may overflow, and then the whole statement runs again with wider numbers: nothing may have been sent.
_REFUSED = (
    exp.SetOperation, exp.Join, exp.Lateral, exp.Window, exp.AggFunc, exp.Group, exp.Having, exp.Qualify, exp.Distinct,
    exp.Order, exp.Limit, exp.Offset, exp.Fetch, exp.TableSample, exp.Mul,
)  # fmt: skip


def pieced_scan(plan: DistributedPlan) -> str | None:
    """The scan whose rows the plan passes on one by one; None where it does more."""
    if not plan.plain or len(plan.slices) != 1:
        return None
    (slice_,) = plan.slices
    if slice_.where is not Where.EVERY or slice_.inputs or [share for _, share in slice_.scans] != [Share.OWN]:
        return None
    nodes = list(slice_.tree.walk())
    numbered = any(isinstance(node, exp.Placeholder) and node.name == SHARE for node in nodes)
    if numbered or any(isinstance(node, _REFUSED) for node in nodes) or not is_stable(slice_.tree):
        return None
    if sum(isinstance(node, exp.Table) for node in nodes) != 1:
        return None
    return slice_.scans[0][0]


def piece_size(plan: DistributedPlan, read: int, wanted: int) -> int | None:
    """How many of the rows that are `read` a piece has, so that it gives about as many as `wanted`; None where all that
    is expected is little."""
    expected = plan.slices[0].rows
    return round(wanted * max(1.0, read / expected)) if expected > wanted * plan.segments else None


def in_pieces(shares: Sequence[Files], rows: int) -> tuple[Files, ...]:
    """The shares cut into pieces of about so many rows. The first pieces of all shares come first, then the second
    ones: piece n is of share n modulo the number of shares."""
    cut = [_cut(share, rows) for share in shares]
    return tuple(piece for pieces in zip_longest(*cut, fillvalue=()) for piece in pieces)


def _cut(share: Files, rows: int) -> list[Files]:
    """Small files together, large ones between row groups."""
    pieces: list[Files] = []
    held: list[DataFile] = []
    size = 0
    for file in share:
        low, high = file.positions or (0, file.rows)
        while high - low > rows:
            end = max((low + rows) // ROW_GROUP * ROW_GROUP, low + min(rows, ROW_GROUP))
            pieces.append((replace(file, positions=(low, end)),))
            low = end
        held.append(file if (low, high) == (0, file.rows) else replace(file, positions=(low, high)))
        size += high - low
        if size >= rows:
            pieces.append(tuple(held))
            held, size = [], 0
    if held:
        pieces.append(tuple(held))
    return pieces or [()]
