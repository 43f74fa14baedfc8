"""A node that was the primary is read as a standby only where its history is the new primary's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from mere.ha.standing import Standing

FIRST, SECOND, THIRD = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3))


def test_who_never_was_the_primary_follows_from_the_start(tmp_path: Path) -> None:
    standing = Standing(tmp_path / "timeline")
    assert not standing.follows
    standing.as_standby(None, FIRST)
    assert standing.follows


def test_an_old_primary_follows_once_it_is_sent_a_later_timeline(tmp_path: Path) -> None:
    standing = Standing(tmp_path / "timeline")
    standing.as_primary(3)
    assert not standing.follows
    for sent in (None, 3):  # alone, or still on the way that only it went
        standing.as_standby(sent, FIRST)
        assert not standing.follows
    standing.as_standby(4, FIRST)
    assert standing.follows


def test_it_stays_readable_without_a_primary_until_postgresql_is_started_again(tmp_path: Path) -> None:
    standing = Standing(tmp_path / "timeline")
    standing.as_primary(3)
    standing.as_standby(4, FIRST)
    standing.as_standby(None, FIRST)
    assert standing.follows
    standing.as_standby(None, SECOND)
    assert not standing.follows


def test_it_is_remembered_over_a_restart_and_counts_from_the_last_time(tmp_path: Path) -> None:
    Standing(tmp_path / "timeline").as_primary(3)
    Standing(tmp_path / "timeline").as_primary(5)
    standing = Standing(tmp_path / "timeline")
    standing.as_standby(4, THIRD)
    assert not standing.follows
    standing.as_standby(6, THIRD)
    assert standing.follows
