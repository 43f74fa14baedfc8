from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from mere.catalog.datadir import DataDirectory
from mere.errors import StartupError


def test_a_new_directory_is_made_private_and_keeps_its_id(tmp_path: Path) -> None:
    first = DataDirectory.claim(tmp_path / "a" / "data")
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o700
    assert not first.initialized
    first.mark_initialized()
    first.release()
    again = DataDirectory.claim(tmp_path / "a" / "data")
    assert again.initialized
    assert again.id == first.id
    again.release()


def test_a_second_claim_is_refused_and_names_the_holder(tmp_path: Path) -> None:
    held = DataDirectory.claim(tmp_path / "data")
    with pytest.raises(StartupError, match=r"in use by another mere \(process \d+\)"):
        DataDirectory.claim(tmp_path / "data")
    held.release()
    DataDirectory.claim(tmp_path / "data").release()


def test_a_foreign_directory_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(StartupError, match="not a Mere data directory"):
        DataDirectory.claim(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError):
        DataDirectory.claim(tmp_path / "file")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1}', json.dumps({"format": 99, "id": "x", "initialized": True})]
)
def test_a_damaged_or_newer_marker_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "mere.json").write_text(text)
    with pytest.raises(StartupError, match="nothing was changed"):
        DataDirectory.claim(tmp_path)
    assert (tmp_path / "mere.json").read_text() == text
    (tmp_path / "mere.json").unlink()
    DataDirectory.claim(tmp_path).release()  # nothing else was made, and the lock is free


def test_secrets_are_generated_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    data = DataDirectory.claim(tmp_path / "data")
    assert data.secret("given", "hunter2") == "hunter2"
    assert data.secret("given", "other") == "hunter2"
    generated = data.secret("generated")
    assert len(generated) >= 24
    assert data.secret("generated") == generated
    assert stat.S_IMODE((data.path / "secrets" / "generated").stat().st_mode) == 0o600
    data.release()


def test_settings_file_may_come_first(tmp_path: Path) -> None:
    (tmp_path / "mere.toml").write_text("")
    DataDirectory.claim(tmp_path).release()
