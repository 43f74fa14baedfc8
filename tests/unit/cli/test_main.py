"""The command line: help, version, and one line for each error."""

from __future__ import annotations

from pathlib import Path

import pytest

from mere.cli.main import main


@pytest.mark.parametrize("command", ["serve", "maintain", "state", "demo"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main([command, "--help"])
    assert raised.value.code == 0
    assert f"usage: mere {command}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--version"])
    assert raised.value.code == 0
    assert capsys.readouterr().out.startswith("mere ")


def test_a_wrong_setting_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--data", str(tmp_path), "--listen", "nowhere"]) == 1
    error = capsys.readouterr().err
    assert error == "mere: --listen: expected HOST:PORT, such as 127.0.0.1:5432, not 'nowhere'\n"
    assert not list(tmp_path.iterdir())


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main([])
    assert raised.value.code == 2
    assert "COMMAND" in capsys.readouterr().err
