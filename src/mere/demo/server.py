"""A `mere serve` of its own for the demo and the benchmarks: a real process, asked to stop at the end."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from mere.errors import StartupError

START_DEADLINE = 60.0
STOP_DEADLINE = 30.0


class MereServer:
    """Starts on a free port; `url` is what the server printed."""

    def __init__(
        self, directory: Path, storage: str, environment: Mapping[str, str], options: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.url = ""
        self._command = [sys.executable, "-m", "mere", "serve", "--data", str(directory / "data")]
        self._command += ["--storage", storage, "--listen", "127.0.0.1:0", *options]
        foreign = ("MERE_", "AWS_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self._environment = {**inherited, **environment}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> MereServer:
        """Start; return when it says that it is up."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "log").open("w") as log:
            # A session of its own: Ctrl-C reaches only whoever started this, and they stop it in order.
            self._process = subprocess.Popen(
                self._command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
                start_new_session=True,
            )
        try:
            self.url = self._read_url(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def _read_url(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        until = time.monotonic() + START_DEADLINE
        while time.monotonic() < until:
            if not select.select([process.stdout], [], [], 0.2)[0]:
                continue
            line = process.stdout.readline()
            if found := re.search(r"postgresql://\S+", line):
                return found.group()
            if not line:
                break
        log = (self.directory / "log").read_text(errors="replace").strip()
        raise StartupError(log.removeprefix("mere: ") or "mere serve did not start")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def __enter__(self) -> MereServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
