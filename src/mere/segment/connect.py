"""Opening one sandboxed DuckDB: extensions from wheels, secrets, PostgreSQL's meaning, and then the walls.

Runs on the engine's threads. The order matters: after `lock_configuration` nothing can be changed any more.
"""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from mere.errors import StartupError
from mere.segment.credentials import extensions_for, quote, secret_statement
from mere.segment.kernels import install
from mere.segment.locations import Location


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """`directory` is the engine's own (temporary files, spooled input). `locations` are all that SQL can read or write.

    `temp_directory` is emptied at the start. `memory_limit` is in bytes; None leaves DuckDB's 80 % of all memory.
    `narrow` says that results only go to other engines: decimals then take 4 or 8 bytes where 16 are not needed.
    """

    directory: Path
    locations: tuple[Location, ...]
    threads: int
    memory_limit: int | None = None
    temp_directory: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    narrow: bool = False

    @property
    def temp(self) -> Path:
        return self.temp_directory or self.directory / "temp"

    @property
    def spool(self) -> Path:
        return self.directory / "spool"


_MEANING = {
    "integer_division": "true",
    "default_null_order": "'nulls_last_on_asc_first_on_desc'",
    "TimeZone": "'UTC'",
    "preserve_insertion_order": "false",
    "arrow_lossless_conversion": "true",
    "arrow_large_buffer_size": "true",
    "scalar_subquery_error_on_multiple_rows": "true",
    "order_by_non_integer_literal": "true",
}
# Files never change once written, so whatever was learned of them may be kept.
_CACHES = {
    "parquet_metadata_cache": "true",
    "enable_external_file_cache": "true",
    "validate_external_file_cache": "'NO_VALIDATION'",
}
_HTTP_CACHES = {"enable_http_metadata_cache": "true", "enable_global_s3_configuration": "false"}


def connect(settings: EngineSettings, macros: Sequence[str], *, immutable: bool = True) -> duckdb.DuckDBPyConnection:
    """A new instance, locked. `immutable` says that files at its locations never change."""
    for directory in (settings.temp, settings.spool):
        directory.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(":memory:", config=_config(settings))
    try:
        # The extension of DuckLake brings the hash of its buckets; nothing is attached with it.
        names = {"ducklake": None} | {
            name: None for place in settings.locations for name in extensions_for(place, settings.environment)
        }
        for name in names:
            connection.execute(f"LOAD {quote(str(extension_file(name)))}")
        _create_secrets(connection, settings)
        options = {**_MEANING, **(_CACHES if immutable else {})}
        if "httpfs" in names:
            options |= _certificates(settings.environment)
            options |= _HTTP_CACHES if immutable else {"enable_global_s3_configuration": "false"}
        if settings.narrow:
            options["arrow_output_version"] = "'1.5'"
        for name, value in options.items():
            connection.execute(f"SET GLOBAL {name} = {value}")
        install(connection)
        for macro in macros:
            connection.execute(macro)
        _lock(connection, settings)
    except BaseException:
        connection.close()
        raise
    return connection


def _config(settings: EngineSettings) -> dict[str, str | bool | int | float | list[str]]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": settings.threads,
        # Of this instance alone: two of them would take the same file names.
        "temp_directory": str(settings.temp / uuid.uuid4().hex),
        "extension_directory": str(settings.directory / "extensions"),
        "secret_directory": str(settings.directory / "secrets"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        "allow_unredacted_secrets": "false",
    }
    if settings.memory_limit is not None:
        config["memory_limit"] = f"{settings.memory_limit}B"
    return config


def _certificates(environment: Mapping[str, str]) -> dict[str, str]:
    """Certificates are always checked; a private authority is named by the variables that other tools read too."""
    file = environment.get("AWS_CA_BUNDLE") or environment.get("SSL_CERT_FILE")
    return {"ca_cert_file": quote(file)} if file else {}


def extension_file(name: str) -> Path:
    """Where the wheel keeps the extension for this version of DuckDB."""
    try:
        package = importlib.import_module(f"duckdb_extension_{name}")
    except ModuleNotFoundError as error:
        raise StartupError(f'the package "duckdb-extension-{name}" is not installed') from error
    file = Path(package.__path__[0]) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not file.is_file():
        raise StartupError(f'the package "duckdb-extension-{name}" does not fit DuckDB {duckdb.__version__}')
    return file


def _create_secrets(connection: duckdb.DuckDBPyConnection, settings: EngineSettings) -> None:
    for number, location in enumerate(settings.locations):
        statement = secret_statement(f"mere_{number}", location, settings.environment)
        if statement is None:
            continue
        try:
            connection.execute(statement)
        except duckdb.Error:
            # DuckDB's message may repeat the statement, and with it the keys.
            raise StartupError(f'the credentials for "{location.url}" were not accepted by the engine') from None


def _lock(connection: duckdb.DuckDBPyConnection, settings: EngineSettings) -> None:
    allowed = [location.url for location in settings.locations] + [f"{settings.spool}/"]
    connection.execute(f"SET GLOBAL allowed_directories = [{', '.join(map(quote, allowed))}]")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET GLOBAL enable_external_access = false")
    connection.execute("SET GLOBAL lock_configuration = true")
