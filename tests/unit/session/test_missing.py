"""Which of the engine's errors mean that a file of the lake is gone."""

from __future__ import annotations

import pytest

from mere.errors import DataError, MereError, StorageError
from mere.session.missing import missing_file


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (StorageError('No files found that match the pattern "/t/mere-a.parquet"', sqlstate="58P01"), "mere-a.parquet"),
        (StorageError('Cannot open file "/lake/t-1/b=3/mere-a.puffin": No such file or directory'), "mere-a.puffin"),
        (StorageError('Unable to connect to URL "s3://lake/t-1/mere-a.parquet": 404 (Not Found).'), "mere-a.parquet"),
        (StorageError("HTTP GET error on 'http://h:1/lake/mere-a.parquet?x=1' (HTTP 404)"), "mere-a.parquet"),
        (StorageError('Unable to connect to URL "s3://lake/t-404/mere-a.parquet": 503 (Slow Down).'), None),
        (StorageError('Could not read "/lake/mere-a.parquet": Input/output error'), None),
        (StorageError("No files found"), None),
        (DataError("No such file: mere-a.parquet"), None),
    ],
)  # fmt: skip
def test_a_missing_file_is_known_by_its_name(error: MereError, name: str | None) -> None:
    assert missing_file(error) == name
