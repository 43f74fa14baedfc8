"""What a column's bounds and stored size say of its values."""

from __future__ import annotations

import pytest

from mere.execute.statistics import column_statistics
from mere.lake.metadata import ColumnSummary

DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("lake_type", "summary", "distinct"),
    [
        ("int64", ColumnSummary("i", 1, 50, 4.0), 50),
        ("int64", ColumnSummary("i", 0, 10**12, 4.0), 1000),
        ("date", ColumnSummary("d", 0, 9 * DAY, 2.0), 10),
        ("varchar", ColumnSummary("s", b"A", b"R", 0.25), 5),
        ("varchar", ColumnSummary("s", b"a", b"z", 20.0), 1000),
        ("varchar", ColumnSummary("s", b"a", b"a", 20.0), 1),
        ("boolean", ColumnSummary(None, None, None, 0.1), 2),
        # nothing is known of an empty or a pruned table, nor where a file keeps no bounds
        ("int64", ColumnSummary("i", None, None, None), 1000),
        ("date", ColumnSummary("d", None, None, None), 1000),
    ],
)
def test_distinct_values(lake_type: str, summary: ColumnSummary, distinct: float) -> None:
    assert column_statistics(lake_type, 1000.0, summary).distinct == distinct


def test_no_rows_have_one_value() -> None:
    assert column_statistics("int64", 0.0, ColumnSummary("i", None, None, None)).distinct == 1


def test_bounds_as_duckdb_writes_them() -> None:
    day = column_statistics("date", 10.0, ColumnSummary("d", 0, 31 * DAY, 4.0))
    assert (day.low, day.high) == ("1970-01-01", "1970-02-01")
    instant = column_statistics("timestamptz", 10.0, ColumnSummary("d", 1_500_000, 2_000_000, 8.0))
    assert (instant.low, instant.high) == ("1970-01-01 00:00:01.500000+00:00", "1970-01-01 00:00:02+00:00")
