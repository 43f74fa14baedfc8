"""Hosts on this machine: network namespaces on one bridge, each with a name, an address, a cable that can be pulled.

Their processes share this machine's files and process ids. Needs root and iproute2; `why_not` says what is missing.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass

_OWN_NAME = 'hostname "$0" && exec "$@"'


@dataclass(frozen=True, slots=True)
class Host:
    """`prefix` goes before a command that shall run there."""

    name: str
    address: str
    prefix: tuple[str, ...]


HERE = Host("localhost", "127.0.0.1", ())


class Network:
    """`start`, then `pull` and `plug` by the host's name; `stop` in any case."""

    def __init__(self, *names: str) -> None:
        self._mark = secrets.token_hex(3)
        self._net = f"198.18.{secrets.randbelow(256)}"  # set aside for tests, routed nowhere
        self._bridge = f"br{self._mark}"
        self.hosts = {name: self._host(number, name) for number, name in enumerate(names, 1)}

    def _host(self, number: int, name: str) -> Host:
        enter = ("nsenter", f"--net=/run/netns/{self._space(name)}", "unshare", "--uts", "sh", "-c", _OWN_NAME, name)
        return Host(name, f"{self._net}.{number}", enter)

    def start(self) -> None:
        """CalledProcessError where the machine does not permit it."""
        gateway = f"{self._net}.254"
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("address", "add", f"{gateway}/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        for name, host in self.hosts.items():
            space = self._space(name)
            _ip("netns", "add", space)
            _ip("link", "add", self._cable(name), "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("link", "set", self._cable(name), "master", self._bridge, "up")
            _ip("-n", space, "address", "add", f"{host.address}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("-n", space, "route", "add", "default", "via", gateway)

    def pull(self, name: str) -> None:
        """Nothing arrives any more, and nobody is told."""
        _ip("link", "set", self._cable(name), "down")

    def plug(self, name: str) -> None:
        _ip("link", "set", self._cable(name), "up")

    def part(self, one: str, other: str) -> None:
        """These two do not reach each other any more; everybody else reaches both."""
        for here, there in ((one, other), (other, one)):
            nowhere = ("lladdr", "02:00:00:00:00:00", "nud", "permanent")
            _ip("-n", self._space(here), "neighbour", "replace", self.hosts[there].address, *nowhere, "dev", "eth0")

    def join(self, one: str, other: str) -> None:
        for here, there in ((one, other), (other, one)):
            _ip("-n", self._space(here), "neighbour", "delete", self.hosts[there].address, "dev", "eth0")

    def stop(self) -> None:
        for name in self.hosts:
            with suppress(subprocess.CalledProcessError):
                _ip("link", "delete", self._cable(name))
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", self._space(name))
        with suppress(subprocess.CalledProcessError):
            _ip("link", "delete", self._bridge)

    def _space(self, name: str) -> str:
        return f"mere-{self._mark}-{name}"

    def _cable(self, name: str) -> str:
        return f"v{self._mark}{list(self.hosts).index(name) if self.hosts else ''}"


def why_not() -> str | None:
    """Why hosts cannot be had on this machine; None if they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [program for program in ("ip", "nsenter", "unshare") if shutil.which(program) is None]
    if missing:
        return f"network namespaces need {' and '.join(missing)} (iproute2, util-linux)"
    trial = Network("trial")
    try:
        trial.start()
    except subprocess.CalledProcessError as error:
        return f"network namespaces are not permitted: {error.stderr.decode().strip()}"
    finally:
        trial.stop()
    return None


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
