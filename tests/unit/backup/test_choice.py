"""Which backup and which WAL reach a moment, and what may be forgotten: names alone, no storage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mere.backup.choice import Backup, chain, choose, line_to, on_line, unneeded
from mere.backup.errors import BackupError, DamagedArchive
from mere.backup.names import SEGMENT_BYTES, parse_position, segment_name, segment_parts

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def backup(name: str, hour: float, segment: int, timeline: int = 1) -> Backup:
    begun = segment * SEGMENT_BYTES
    moment = NOON + timedelta(hours=hour)
    return Backup(name, moment, moment, timeline, begun + 40, begun + 300, "s3://b/", "18", ())


def segments(timeline: int, *numbers: int) -> set[str]:
    return {segment_name(timeline, number) for number in numbers}


# Timeline 2 left timeline 1 in the middle of segment 5.
SECOND = line_to(2, {2: f"1\t0/{5 * SEGMENT_BYTES + 4096:X}\tno recovery target specified\n"})
FIRST = line_to(1, {})


def test_names_of_segments_are_postgresqls() -> None:
    assert segment_name(3, 0x1FF) == "0000000300000001000000FF"
    assert segment_parts("0000000300000001000000FF") == (3, 0x1FF)
    assert parse_position("1/FF000028") // SEGMENT_BYTES == 0x1FF


def test_the_newest_backup_before_the_moment_is_taken() -> None:
    made = [backup("a", 0, 1), backup("b", 2, 3), backup("c", 4, 6)]
    assert choose(made, FIRST, NOON + timedelta(hours=3)).id == "b"
    assert choose(made, FIRST, None).id == "c"


def test_a_moment_before_the_first_backup_is_refused() -> None:
    with pytest.raises(BackupError, match="the first backup was complete at 2026-01-01 12:00:00 UTC"):
        choose([backup("a", 0, 1)], FIRST, NOON - timedelta(seconds=1))


def test_a_backup_from_beyond_the_branch_is_not_on_the_line() -> None:
    made = [backup("before", 0, 2), backup("beyond", 1, 6), backup("new", 2, 6, timeline=2)]
    assert [on_line(each, SECOND) for each in made] == [True, False, True]
    assert choose(made[:2], SECOND, None).id == "before"


def test_the_wal_goes_over_to_the_new_timeline_where_it_branched_off() -> None:
    archived = segments(1, 2, 3, 4, 5, 6, 7) | segments(2, 5, 6)
    found, gap = chain(backup("a", 0, 2), SECOND, archived)
    assert found == (*sorted(segments(1, 2, 3, 4)), *sorted(segments(2, 5, 6)))
    assert gap is None


def test_a_missing_segment_before_later_ones_is_told() -> None:
    found, gap = chain(backup("a", 0, 2), FIRST, segments(1, 2, 3, 5))
    assert (len(found), gap) == (2, segment_name(1, 4))


def test_a_backup_without_its_own_wal_is_no_backup() -> None:
    with pytest.raises(DamagedArchive, match=segment_name(1, 2)):
        chain(backup("a", 0, 2), FIRST, segments(1, 3))


def test_a_timeline_without_its_history_is_told() -> None:
    with pytest.raises(BackupError, match=r"00000003\.history is missing"):
        line_to(3, {})


def test_every_moment_of_the_kept_time_stays_within_reach() -> None:
    made = [backup("a", 0, 1), backup("b", 24, 3), backup("c", 48, 6)]
    ages = dict.fromkeys(segments(1, *range(1, 8)), NOON) | {"00000002.history": NOON}
    now = NOON + timedelta(hours=60)
    gone = unneeded(made, ages, FIRST, now, timedelta(hours=24))
    assert list(gone.backups) == ["a"]  # 'b' is what the first moment of the last day needs
    assert set(gone.wal) == segments(1, 1, 2)


def test_a_line_that_was_left_is_kept_for_as_long() -> None:
    made = [backup("a", 0, 2), backup("left", 1, 6), backup("new", 50, 7, timeline=2)]
    ages = dict.fromkeys(segments(1, 2, 3, 4, 5, 6, 7) | segments(2, 5, 6, 7), NOON)
    early = unneeded(made, ages, SECOND, NOON + timedelta(hours=20), timedelta(hours=24))
    assert not early.backups
    assert not early.wal
    late = unneeded(made, ages, SECOND, NOON + timedelta(hours=80), timedelta(hours=24))
    assert set(late.backups) == {"a", "left"}
    assert set(late.wal) == segments(1, 2, 3, 4, 5, 6, 7) | segments(2, 5, 6)
