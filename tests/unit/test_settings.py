"""Settings: where a value comes from, and what a wrong one says."""

from __future__ import annotations

import argparse
import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from mere.cli.settings_page import render
from mere.errors import StartupError
from mere.options import Address, parse_size, parse_storage
from mere.settings import OPTIONS, Settings, add_arguments, flag_of


def test_flag_over_environment_over_file_over_default(tmp_path: Path) -> None:
    (tmp_path / "mere.toml").write_text('threads = 3\nretention = "12h"\nmax_connections = 7\n')
    flags = {"data": str(tmp_path), "threads": "1"}
    environment = {"MERE_THREADS": "2", "MERE_RETENTION": "30min"}
    settings = Settings.load(flags, environment)
    assert settings.threads == 1
    assert settings.retention == timedelta(minutes=30)
    assert settings.max_connections == 7
    assert settings.listen == Address("127.0.0.1", 5432)


def test_the_data_directory_may_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "mere.toml").write_text('storage = "s3://bucket/lake/"\n')
    settings = Settings.load({}, {"MERE_DATA": str(tmp_path)})
    assert settings.data == tmp_path
    assert settings.storage == "s3://bucket/lake"


def test_defaults_that_depend_on_the_data_directory(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    assert settings.storage == str(tmp_path / "storage")
    assert settings.temp_directory == tmp_path / "temp"
    assert dataclasses.replace(settings, threads=1).storage == settings.storage


@pytest.mark.parametrize(
    ("flags", "environment", "part"),
    [
        ({"listen": "5432"}, {}, "--listen: expected HOST:PORT"),
        ({}, {"MERE_THREADS": "many"}, "MERE_THREADS: expected a whole number"),
        ({"storage": "ftp://x/y"}, {}, "--storage: expected a folder, s3://"),
        ({"storage": "s3://"}, {}, "--storage: expected"),
        ({"retention": "a week"}, {}, "--retention: expected a time"),
        ({"memory_limit": "lots"}, {}, "--memory-limit: expected a size"),
        ({"log_level": "loud"}, {}, "--log-level: expected one of"),
        ({"tls_key": "key.pem"}, {}, "tls_certificate and tls_key go together"),
    ],
)
def test_a_wrong_value_names_its_place(
    tmp_path: Path, flags: dict[str, str], environment: dict[str, str], part: str
) -> None:
    with pytest.raises(StartupError) as raised:
        Settings.load({"data": str(tmp_path), **flags}, environment)
    assert part in raised.value.message
    assert "\n" not in raised.value.message


def test_an_unknown_setting_in_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mere.toml").write_text("treads = 3\n")
    with pytest.raises(StartupError, match="no setting named treads"):
        Settings.load({"data": str(tmp_path)}, {})


def test_a_file_that_is_not_toml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mere.toml").write_text("threads: 3")
    with pytest.raises(StartupError, match=r"cannot read .*mere\.toml"):
        Settings.load({"data": str(tmp_path)}, {})


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("64kB", 65536), ("2 GB", 2**31), ("3GiB", 3 * 2**30), ("1T", 2**40)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_storage_forms(tmp_path: Path) -> None:
    assert parse_storage("s3://bucket/a/b/") == "s3://bucket/a/b"
    assert parse_storage(f"file://{tmp_path}/x/") == str(tmp_path / "x")
    assert Path(parse_storage("relative")).is_absolute()


def test_every_flag_has_help_with_its_variable_and_default() -> None:
    parser = argparse.ArgumentParser(prog="mere")
    add_arguments(parser)
    text = " ".join(parser.format_help().split())
    for name, declared in OPTIONS.items():
        assert (flag_of(name) in text) == declared.flag
    assert "--password" not in text, "a password on the command line is everybody's"
    assert "(default: 127.0.0.1:5432; environment: MERE_LISTEN)" in text


def test_the_settings_page_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text() == render(), "run make docs"
