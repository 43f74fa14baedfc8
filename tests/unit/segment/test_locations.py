"""Storage URLs, and the statements and stores made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mere.errors import StartupError, StorageError
from mere.segment.credentials import extensions_for, secret_statement
from mere.segment.external import external_file, format_of
from mere.segment.locations import Location, parse_location, split_url

KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "it's secret"}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3://bucket", "s3://bucket/"),
        ("s3://bucket/a/b", "s3://bucket/a/b/"),
        ("s3a://bucket/a/", "s3://bucket/a/"),
        ("gcs://bucket/a", "gs://bucket/a/"),
        ("azure://container/a", "az://container/a/"),
        ("file:///var/lake", "/var/lake/"),
        ("/var/./lake/", "/var/lake/"),
    ],
)
def test_urls_end_with_a_slash(text: str, url: str) -> None:
    assert parse_location(text).url == url


@pytest.mark.parametrize("text", ["", "ftp://x/y", "s3:///x", "s3://user@bucket/x", "file://host/x", "s3://b/a/../c"])
def test_refused_urls(text: str) -> None:
    with pytest.raises(StorageError) as error:
        parse_location(text)
    assert error.value.sqlstate == "22023"


def test_wildcards_survive() -> None:
    assert split_url("s3://b/a?b*[c]{d}.csv") == ("s3", "b", "a?b*[c]{d}.csv")


def test_relative_and_absolute_paths() -> None:
    location = parse_location("s3://b/lake")
    assert location.under("t/x") == "s3://b/lake/t/x"
    assert location.under("s3://b/lake/t/x") == "s3://b/lake/t/x"
    assert location.relative("s3://b/lake/t/x") == "t/x"
    with pytest.raises(StorageError):
        location.relative("s3://other/x")


def test_secret_is_scoped_and_quoted() -> None:
    statement = secret_statement("s", parse_location("s3://b/x"), {**KEYS, "AWS_ENDPOINT_URL": "http://h:1/"})
    assert statement is not None
    for part in ("SCOPE 's3://b/x/'", "SECRET 'it''s secret'", "ENDPOINT 'h:1'", "USE_SSL false", "URL_STYLE 'path'"):
        assert part in statement
    assert secret_statement("s", parse_location("/x"), {}) is None


def test_without_keys_the_provider_chain_is_asked() -> None:
    location = parse_location("s3://b")
    assert "credential_chain" in (secret_statement("s", location, {}) or "")
    assert extensions_for(location, {}) == ("httpfs", "aws")
    assert extensions_for(location, KEYS) == ("httpfs",)


def test_azure_and_google() -> None:
    azure = parse_location("az://c/x")
    account = {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "k"}
    assert "AccountKey=k" in (secret_statement("s", azure, account) or "")
    google = {"GOOGLE_ACCESS_KEY_ID": "k", "GOOGLE_SECRET_ACCESS_KEY": "s"}
    assert "TYPE gcs" in (secret_statement("s", parse_location("gs://b"), google) or "")
    for location in (azure, parse_location("gs://b")):
        with pytest.raises(StartupError):
            secret_statement("s", location, {})


LAKE = (Location("s3", "b", "lake/"),)


@pytest.mark.parametrize(
    "url", ["s3://b/lake/x", "s3://b/*/x", "s3://b/la*/x", "s3://b/**", "/etc/passwd", "/data/../etc/x", "s3://b/x/"]
)
def test_copy_locations_that_are_refused(url: str) -> None:
    with pytest.raises((StorageError, Exception)) as error:
        external_file(url, LAKE, [Path("/data")])
    assert getattr(error.value, "sqlstate", "") in ("42501", "22023")


def test_copy_locations_open_the_least() -> None:
    assert external_file("s3://b/in/part-*.csv", LAKE, []).place.url == "s3://b/in/"
    assert external_file("s3://b/x.parquet", LAKE, []).url == "s3://b/x.parquet"
    assert external_file("file:///data/a.csv", LAKE, [Path("/data")]).url == "/data/a.csv"


def test_format_by_extension() -> None:
    assert [format_of(name) for name in ("a.PARQUET", "a.csv.gz", "a.jsonl", "a")] == ["parquet", "csv", "json", None]
