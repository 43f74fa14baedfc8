"""What a setting is: its declaration, and how the text that a user gives becomes a value.

Owns the kinds of values (paths, sizes, times, addresses), not the settings themselves. Used in every process.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

OPTION = "mere.option"  # under this key a dataclass field keeps its Option


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP address to listen on; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Option:
    """One setting as the user meets it. `parse` raises ValueError with what was expected."""

    help: str
    metavar: str
    parse: Callable[[str], Any]
    group: str
    shown_default: str
    flag: bool = True
    choices: tuple[str, ...] = ()


def parse_path(text: str) -> Path:
    if not text:
        raise ValueError("expected a path")
    return Path(text).expanduser().absolute()


def parse_paths(text: str) -> tuple[str, ...]:
    """A comma-separated list of folders."""
    return tuple(str(parse_path(part.strip())) for part in text.split(",") if part.strip())


def parse_address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ValueError("expected HOST:PORT, such as 127.0.0.1:5432")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


def parse_storage(text: str) -> str:
    """A bucket URL without its closing slash, or an absolute folder."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme == "file":
        return str(parse_path(rest if separator else text))
    if scheme not in ("s3", "gs", "az") or not rest.strip("/"):
        raise ValueError("expected a folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix")
    return f"{scheme}://{rest.strip('/')}"


def parse_count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError("expected a whole number from 1")
    return int(text)


def parse_number(text: str) -> int:
    if not text.isdigit():
        raise ValueError("expected a whole number from 0")
    return int(text)


_SIZE_UNITS = {"": 1, "B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


def parse_size(text: str) -> int:
    """A number of bytes; PostgreSQL's units, which are powers of 1024."""
    found = re.fullmatch(r"(\d+)\s*([KMGT]?i?B?)", text.strip(), re.IGNORECASE)
    unit = found.group(2).upper().replace("I", "").removesuffix("B") if found else ""
    if found is None or int(found.group(1)) < 1:
        raise ValueError("expected a size, such as 8GB")
    return int(found.group(1)) * _SIZE_UNITS[unit + "B" if unit else ""]


_TIME_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str) -> timedelta:
    """PostgreSQL's units; a bare number counts seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|d|)", text.strip())
    if found is None:
        raise ValueError("expected a time, such as 30s, 10min, 12h or 7d (0 for none)")
    return timedelta(seconds=float(found.group(1)) * _TIME_UNITS[found.group(2)])


def parse_patience(text: str) -> timedelta:
    """A time, or `always`, which is longer than any."""
    try:
        patience = timedelta.max if text == "always" else parse_duration(text)
    except ValueError as error:
        raise ValueError("expected always, or a time from 1s, such as 10s") from error
    if patience < timedelta(seconds=1):
        raise ValueError("expected always, or a time from 1s, such as 10s")
    return patience


def parse_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", text):
        raise ValueError("expected a name of small letters, digits and hyphens")
    return text


def parse_ray(text: str) -> str:
    """A client's address (ray://) does not do: parts must be read where they lie."""
    if not text or "://" in text:
        raise ValueError("expected HOST:PORT of a Ray cluster's head, or auto")
    return text


LOG_LEVELS = ("debug", "info", "warning", "error")


def parse_log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError(f"expected one of {', '.join(LOG_LEVELS)}")
    return text.lower()


def parse_switch(text: str) -> bool:
    if text.lower() not in ("on", "off"):
        raise ValueError("expected on or off")
    return text.lower() == "on"


def default_data() -> Path:
    """The user's data home, as XDG says."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser().absolute() / "mere"


def available_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def option(
    help: str,
    metavar: str,
    parse: Callable[[str], Any],
    shown_default: str,
    *,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    group: str = "warehouse",
    flag: bool = True,
    choices: tuple[str, ...] = (),
) -> Any:
    """A dataclass field that carries its `Option`."""
    declared = Option(help, metavar, parse, group, shown_default, flag, choices)
    return dataclasses.field(default=default, default_factory=default_factory, metadata={OPTION: declared})
