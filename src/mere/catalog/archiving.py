"""How PostgreSQL hands its WAL to the coordinator and gets it back: commands that ask on a Unix socket.

PostgreSQL may be another operating-system user than the coordinator, for whom neither Python nor the data directory's
path is in reach. So the messenger is PostgreSQL's own `pg_isready`: it sends a startup packet in which the database's
name is the file's, and its exit status tells the answer. It takes some 3 ms, and fails at once when nobody listens.
The socket is an abstract one, which needs no directory; `requirepeer` makes sure that it is the coordinator's.
"""

from __future__ import annotations

import hashlib
import os
import pwd
from collections.abc import Mapping
from pathlib import Path

_SECONDS = 6  # of one call; PostgreSQL asks again, and finds what was done meanwhile done


def socket_name(postgres: Path, purpose: str) -> str:
    """The name of the abstract socket for this cluster directory, as libpq takes it for a host."""
    return f"@mere-{purpose}-{hashlib.sha256(os.fsencode(postgres)).hexdigest()[:20]}"


def archive_settings(postgres: Path, binaries: Path, seconds: float) -> Mapping[str, str]:
    """For a server whose WAL is archived; 0 seconds for one whose is not.

    A standby archives too: what its primary had not yet archived when it died is then archived all the same.
    """
    if not seconds:
        return {"archive_mode": "off"}
    return {
        "archive_mode": "always",
        "archive_command": _command(binaries, socket_name(postgres, "archive")),
        "archive_timeout": f"{max(1, round(seconds))}s",
    }


def restore_settings(postgres: Path, binaries: Path) -> Mapping[str, str]:
    """For a server that recovers from the archive. What it writes is archived later."""
    return {
        "archive_mode": "on",
        "archive_command": "",
        "restore_command": _command(binaries, socket_name(postgres, "restore")),
        "hot_standby": "off",
    }


def _command(binaries: Path, name: str) -> str:
    peer = pwd.getpwuid(os.geteuid()).pw_name
    program = str(binaries / "pg_isready").replace("'", "'\\''").replace("%", "%%")
    asked = f"host={name} port=1 dbname=%f application_name=%p requirepeer={peer}"
    return f"'{program}' -q -t {_SECONDS} -d '{asked}'"
