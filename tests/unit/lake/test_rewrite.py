"""Which files are worth rewriting."""

from __future__ import annotations

from dataclasses import replace

from mere.lake.columns import ColumnRow
from mere.lake.files import DataFile, DeleteFile
from mere.lake.rewrite import EVERYTHING, RewritePolicy, choose_rewrites, field_ids

POLICY = RewritePolicy(target=1000, small=300, least=3, deleted=0.5)


def file(number: int, size: int, deleted: int = 0, bucket: int | None = None, mapping: int | None = None) -> DataFile:
    delete = DeleteFile(number, f"d{number}", deleted) if deleted else None
    return DataFile(number, f"f{number}", 10, size, bucket, delete, 1, mapping)


def chosen(*files: DataFile) -> list[list[int | None]]:
    return [[member.id for member in group] for group in choose_rewrites(files, POLICY)]


def test_small_files_are_merged_up_to_the_target() -> None:
    assert chosen(file(1, 100), file(2, 100)) == []
    assert chosen(*(file(n, 100) for n in range(3)), file(9, 500)) == [[0, 1, 2]]
    assert chosen(*(file(n, 250) for n in range(8))) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_file_waits_until_others_weigh_enough_to_be_worth_its_rewriting() -> None:
    assert chosen(file(0, 290), *(file(n, 10) for n in range(1, 6))) == [[1, 2, 3, 4, 5]]
    assert chosen(file(0, 290), *(file(n, 20) for n in range(1, 6))) == [[0, 1, 2, 3, 4, 5]]


def test_merging_and_rewriting_are_apart() -> None:
    files = [*(file(n, 100) for n in range(3)), file(9, 500, deleted=9)]
    assert [len(group) for group in choose_rewrites(files, POLICY, worn=False)] == [3]
    assert [len(group) for group in choose_rewrites(files, POLICY, merge=False)] == [1]


def test_whatever_can_be_better_becomes_so_at_any_cost() -> None:
    everything = replace(EVERYTHING, small=300, target=1000)
    files = [file(0, 290), file(1, 1), file(2, 900, deleted=1), file(3, 900)]
    groups = choose_rewrites(files, everything)
    assert [[member.id for member in group] for group in groups] == [[2], [0, 1]]


def test_buckets_stay_apart() -> None:
    assert chosen(*(file(n, 100, bucket=n % 2) for n in range(6))) == [[0, 2, 4], [1, 3, 5]]
    assert chosen(*(file(n, 100, bucket=n) for n in range(6))) == []


def test_worn_files() -> None:
    assert chosen(file(1, 900, deleted=4), file(2, 900, deleted=5), file(3, 100, deleted=9)) == [[2], [3]]
    assert chosen(file(1, 100, deleted=10)) == [[1]]


def test_files_added_as_they_were_stay() -> None:
    assert chosen(*(file(n, 100, deleted=9, mapping=1) for n in range(5))) == []


def test_field_ids_of_nested_columns() -> None:
    rows = [
        ColumnRow(1, None, "k", "int64", None, True),
        ColumnRow(2, None, "s", "struct", None, True),
        ColumnRow(3, 2, "l", "list", None, True),
        ColumnRow(4, 3, "element", "int32", None, True),
    ]
    fields, leaves = field_ids(rows)
    assert fields == {"k": "1", "s": '{__duckdb_field_id: 2, "l": {__duckdb_field_id: 3, "element": 4}}'}
    assert leaves == {'"k"': 1, '"s"."l"."element"': 4}
