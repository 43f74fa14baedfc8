"""What a transaction has done to the lake: values that savepoints keep and go back to."""

from __future__ import annotations

from mere.lake.message import NewDelete, NewFile
from mere.lake.overlay import Overlay


def data_file(path: str, rows: int = 10) -> NewFile:
    return NewFile(path=path, rows=rows, size=100, footer_size=10, bucket=None, stats=())


def delete_file(
    path: str, *, of: int | None = None, of_new: str | None = None, replaces: int | None = None
) -> NewDelete:
    return NewDelete(of, of_new, path, 1, 100, 10, replaces)


def test_every_change_is_a_new_value() -> None:
    empty = Overlay()
    one = empty.append(5, 1, [data_file("a")])
    two = one.append(5, 2, [data_file("b")])
    assert not empty.dirty
    assert [file.path for file in one.tables[5].files] == ["a"]
    assert [file.path for file in two.tables[5].files] == ["a", "b"]
    assert two.tables[5].read_snapshot == 1, "an append stands on nothing that it read"


def test_a_truncate_forgets_what_came_before_it() -> None:
    overlay = Overlay().append(5, 1, [data_file("a")]).delete(5, 1, {}, {7: None}, frozenset()).truncate(5, 3)
    change = overlay.tables[5].change()
    assert change.truncated and not change.files and not change.removed_files
    again = overlay.append(5, 3, [data_file("b")]).tables[5].change()
    assert again.truncated and [file.path for file in again.files] == ["b"]


def test_a_second_delete_takes_the_place_of_the_first() -> None:
    first = Overlay().delete(5, 1, {"url": delete_file("d1", of=9, replaces=4)}, {}, frozenset())
    second = first.delete(5, 2, {"url": delete_file("d2", of=9, replaces=4)}, {}, frozenset())
    assert [delete.path for delete in second.tables[5].change().deletes] == ["d2"]
    assert second.tables[5].read_snapshot == 2


def test_a_file_that_lost_every_row_keeps_no_delete_file() -> None:
    overlay = Overlay().delete(5, 1, {"url": delete_file("d1", of=9, replaces=4)}, {}, frozenset())
    overlay = overlay.delete(5, 2, {}, {9: 4}, frozenset())
    change = overlay.tables[5].change()
    assert change.removed_files == (9,) and not change.deletes
    assert overlay.tables[5].removed == {9: 4}, "the commit must find the delete file that we saw"


def test_own_files_that_lost_every_row_are_not_committed() -> None:
    overlay = Overlay().append(5, 1, [data_file("a"), data_file("b")])
    overlay = overlay.delete(5, 1, {"url-b": delete_file("d", of_new="b")}, {}, frozenset({"a"}))
    overlay = overlay.delete(5, 1, {}, {}, frozenset({"b"}))
    change = overlay.tables[5].change()
    assert not change.files and not change.deletes


def test_tables_are_apart() -> None:
    overlay = Overlay().append(5, 1, [data_file("a")]).truncate(6, 1)
    assert overlay.without(6).table(6) is None
    assert overlay.without(6).tables[5] == overlay.tables[5]
