"""A node's own directory: whether PostgreSQL's user can reach it, its addresses, its keys, its sockets."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import tempfile
from pathlib import Path

from mere.catalog.binaries import Account
from mere.catalog.datadir import DataDirectory
from mere.errors import StartupError
from mere.ha.certificates import Authority, make_certificate
from mere.options import Address

_SUN_PATH = 107  # bytes of a Unix socket's name on Linux
_LONGEST_SOCKET = ".s.PGSQL.65535"
_EVERYWHERE = ("0.0.0.0", "::")


def prepare(data: DataDirectory, account: Account | None) -> None:
    """The directory, owned by and open to the user that PostgreSQL and Patroni run as."""
    node = data.node
    node.mkdir(mode=0o700, exist_ok=True)
    if account is None:
        return
    os.chown(node, account.uid, account.gid)
    os.chown(data.path, -1, account.gid)
    data.path.chmod(0o710)
    closed = _first_closed(node, account)
    if closed is not None:
        raise StartupError(
            f"in a cluster the user {account.name}, which PostgreSQL runs as, has to reach {node}, but {closed} is "
            "closed to it: open that directory (chmod o+x), choose another --data, or do not serve as root"
        )


def _first_closed(place: Path, account: Account) -> Path | None:
    above = [*reversed(place.parents), place]
    run = subprocess.run(
        ["/bin/sh", "-c", 'for place; do test -x "$place" || { printf %s "$place"; exit; }; done', "sh", *above],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        stdout=subprocess.PIPE,
        check=True,
    )
    return Path(os.fsdecode(run.stdout)) if run.stdout else None


def node_name(data: DataDirectory) -> str:
    """Known to the other coordinator, and to PostgreSQL as a standby's name: letters, digits and underscores."""
    host = re.sub(r"[^a-z0-9]+", "_", socket.gethostname().lower()).strip("_")[:40] or "node"
    return f"{host}_{data.id[:6]}"


def addresses(node: Path, listen: Address) -> tuple[Address, Address]:
    """PostgreSQL's and Patroni's. A port that is left to the system is kept; Patroni has the next one after a given."""
    if listen.host in _EVERYWHERE:
        raise StartupError("--cluster-listen: give the address that the other coordinator reaches this one by")
    if listen.port:
        return listen, Address(listen.host, listen.port + 1)
    file = node / "ports.json"
    ports = json.loads(file.read_text()) if file.exists() else []
    if not ports or not all(_free(listen.host, port) for port in ports):
        ports = _free_ports(listen.host)
        file.write_text(json.dumps(ports))
    return Address(listen.host, ports[0]), Address(listen.host, ports[1])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _free(host: str, port: int) -> bool:
    try:
        with socket.create_server((host, port), family=_family(host)):
            return True
    except OSError:
        return False


def _free_ports(host: str) -> list[int]:
    with (
        socket.create_server((host, 0), family=_family(host)) as first,
        socket.create_server((host, 0), family=_family(host)) as second,
    ):
        return [first.getsockname()[1], second.getsockname()[1]]


def socket_directory(data: DataDirectory, account: Account | None) -> Path:
    """In the node's directory, unless that name is too long for a socket: then one that every start finds again."""
    place = data.node / "socket"
    if len(os.fsencode(place / _LONGEST_SOCKET)) > _SUN_PATH:
        place = Path(tempfile.gettempdir()) / f"mere-{data.id}"
    place.mkdir(mode=0o700, exist_ok=True)
    owner = os.geteuid() if account is None else account.uid
    if place.is_symlink() or place.stat().st_uid not in (os.geteuid(), owner):
        raise StartupError(f"{place} belongs to somebody else: remove it")
    place.chmod(0o700)
    if account is not None:
        os.chown(place, account.uid, account.gid)
    return place


def write_keys(node: Path, authority: Authority, host: str, account: Account | None) -> None:
    """The authority's certificate, and a new one of this node's with its key."""
    certificate, key = make_certificate(authority, host)
    for name, text in (("ca.crt", authority.certificate), ("node.crt", certificate), ("node.key", key)):
        write_private(node / name, text, account)


def write_private(file: Path, text: str, account: Account | None) -> None:
    """For the account alone, never for a moment for others."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        if account is not None:
            os.fchown(out.fileno(), account.uid, account.gid)
        out.write(text)
    fresh.replace(file)
