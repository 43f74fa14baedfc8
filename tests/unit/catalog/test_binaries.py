from __future__ import annotations

import os
from pathlib import Path

import pytest

from mere.catalog import binaries
from mere.errors import StartupError


def test_the_wheel_holds_a_postgresql_18() -> None:
    assert (binaries.find_binaries(None) / "postgres").exists()


def test_a_directory_without_the_programs(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="no program postgres"):
        binaries.find_binaries(tmp_path)


def test_another_major_version(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.3 (Debian 16.3-1)'\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(StartupError, match=r"16\.3.*PostgreSQL 18 is needed"):
        binaries.find_binaries(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives PostgreSQL another account")
def test_programs_out_of_the_accounts_reach_are_copied(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = binaries.find_account()
    assert account is not None
    closed = scratch / "closed"
    closed.mkdir(mode=0o700)
    wheel = binaries.find_binaries(None).parent.parent
    for part in (wheel, wheel.with_name(wheel.name + ".libs")):
        (closed / part.name).symlink_to(part)
    monkeypatch.setattr(binaries, "_COPIES", scratch / "copies")
    directory = closed / wheel.name / "pginstall" / "bin"
    found = binaries.reachable_binaries(directory, account)
    assert found.is_relative_to(scratch / "copies")
    assert binaries.reachable_binaries(directory, account) == found
    assert binaries.reachable_binaries(found, account) == found
