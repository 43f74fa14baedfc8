"""Ray itself, in the coordinator process: started on this machine, or joined; and ended without a trace.

Ray's calls block for seconds, so they have a thread. It lives as long as Ray does, because the kernel kills Ray's
processes when the thread that started them ends: that is how nothing outlives a killed coordinator.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mere.errors import StartupError
from mere.options import available_cores
from mere.runtime.machine import fair_split
from mere.runtime.ray_settings import RaySettings

log = logging.getLogger(__name__)

_LOOPBACK = "127.0.0.1"
_SOCKET_LIMIT = 107
_SOCKET_TAIL = len("/s/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store.1")
_EVERYWHERE = {
    # Ray would end this whole process a minute after it lost sight of its head.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "100000000",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_FAILURE_SIGNAL_HANDLER": "1",  # it would print a trace when we are told to stop
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # results of attempts that nobody waits for any more
}
_HERE = {
    "RAY_AUTH_MODE": "token",
    # Ray takes the address that others would reach it by, unless it believes that there cannot be others.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_DISABLE_DASHBOARD_LOG_INFO": "1",
    "RAY_worker_niceness": "0",  # or whatever else runs here would starve the segments
}
_SPILL_BYTES = 64 * 2**20
_LOOK_SECONDS = 0.5
_BREAK_OFF_SECONDS = 3.0
_VITAL = {"gcs_server", "raylet"}


class RayHost:
    """`await start()` returns when Ray answers; `await stop()` when it is gone. May be started again."""

    def __init__(self, settings: RaySettings, gone: Callable[[], None]) -> None:
        """`gone` is called on the loop if Ray ends by itself."""
        self._settings = settings
        self._gone = gone
        self._token = secrets.token_hex(32)  # Ray reads it once in a process
        self._stop = threading.Event()
        self._connected = threading.Event()
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        self._stop.clear()
        self._connected.clear()
        up: Future[None] = Future()
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._live, args=(up, loop), name="mere-ray", daemon=True)
        self._thread.start()
        try:
            await asyncio.shield(asyncio.wrap_future(up))
        except (ConnectionError, RuntimeError, OSError, ValueError) as error:
            where = self._settings.address or "this machine"
            raise StartupError(f"Ray on {where} cannot be used: {str(error).strip().splitlines()[0]}") from error

    async def stop(self) -> None:
        """A start that is still under way is broken off: nobody waits for Ray to notice."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(self._end, thread)

    def _end(self, thread: threading.Thread) -> None:
        if not self._connected.is_set():
            until = time.monotonic() + _BREAK_OFF_SECONDS
            while time.monotonic() < until:
                found = _started_by_us(self._directory())
                if not found and not thread.is_alive():
                    break
                for pid in found:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                thread.join(0.1)
        if self._connected.is_set():
            thread.join()
        else:
            self._remove_directories()

    def _remove_directories(self) -> None:
        if self._settings.address is None:
            shutil.rmtree(self._directory(), ignore_errors=True)
            shutil.rmtree(self._settings.temporary, ignore_errors=True)

    def _live(self, up: Future[None], loop: asyncio.AbstractEventLoop) -> None:
        try:
            ray = self._connect()
        except BaseException as error:  # noqa: BLE001 - it is raised where the start is awaited
            up.set_exception(error)
            return
        node = ray._private.worker._global_node
        with _end_agents_with_us(node):
            self._connected.set()
            up.set_result(None)
            while not self._stop.wait(_LOOK_SECONDS):
                if dead := {kind for kind, _ in node.dead_processes()} & _VITAL:
                    log.error("Ray's %s ended", " and ".join(sorted(dead)))
                    loop.call_soon_threadsafe(self._gone)
                    self._stop.wait()
            ray.shutdown()
        self._remove_directories()

    def _connect(self) -> Any:
        """Environment first: Ray reads it when it is imported."""
        here = self._settings.address is None
        os.environ.update(_EVERYWHERE)
        if here:
            os.environ.update(_HERE)
            os.environ["RAY_AUTH_TOKEN_PATH"] = str(self._prepare())
        import ray

        quiet: dict[str, Any] = {"configure_logging": False, "log_to_driver": False, "namespace": "mere"}
        logging.getLogger("ray").setLevel(logging.ERROR)
        # Ray prints what its daemon says of dead workers, on our standard output, and has no setting for it.
        ray._private.worker._worker_logs_enabled = False
        atexit.unregister(ray._private.worker.shutdown)  # `stop` does it; one that was broken off would wait for long
        if here:
            ray.init(address="local", **quiet, **self._local_options())
        else:
            ray.init(address=self._settings.address, **quiet)
        return ray

    def _local_options(self) -> dict[str, Any]:
        settings = self._settings
        segments = settings.segments or 1
        split = fair_split(segments, available_cores())
        spill = settings.temporary / "motions"
        shutil.rmtree(spill, ignore_errors=True)
        spill.mkdir(mode=0o700, parents=True)
        return {
            "num_cpus": segments + settings.spares,  # Ray keeps as many processes warm
            "num_gpus": 0,
            "include_dashboard": False,
            "object_store_memory": settings.object_store or split.object_store,
            "object_spilling_directory": str(spill),
            "_node_ip_address": _LOOPBACK,
            "_temp_dir": str(self._directory() / "s"),  # Ray opens its own to everybody
            "_system_config": {"min_spilling_size": _SPILL_BYTES},
        }

    def _prepare(self) -> Path:
        """An owner-only directory without leftovers, and in it the token that Ray's processes show each other."""
        directory = self._directory()
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700, parents=True)
        token = directory / "token"
        descriptor = os.open(token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(self._token)
        return token

    def _directory(self) -> Path:
        """The settings', unless Ray's sockets would get names that are too long for sockets."""
        directory = self._settings.directory
        if len(str(directory)) + _SOCKET_TAIL <= _SOCKET_LIMIT:
            return directory
        return Path(tempfile.gettempdir()) / f"mere-ray-{directory.parent.stat().st_ino}"


@contextmanager
def _end_agents_with_us(node: Any) -> Iterator[None]:
    """Should we be killed, the kernel ends Ray's daemons, but their helpers would stay for a minute.

    A shell waits for the end of a pipe that only we hold, and then kills those that are still there.
    """
    helpers = [str(pid) for pid in _helpers(node)]
    if not helpers:
        yield
        return
    script = "read line; for pid; do grep -q gent /proc/$pid/cmdline && kill -9 $pid; done 2>/dev/null"
    watcher = subprocess.Popen(["/bin/sh", "-c", script, "sh", *helpers], stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        watcher.communicate()


def _helpers(node: Any) -> list[int]:
    """The agents that Ray's daemon on this machine has started, if we started it."""
    daemons = {info.process.pid for info in node.all_processes.get("raylet", ())}
    return [pid for pid, parent, command in _processes() if parent in daemons and b"gent" in command]


def _started_by_us(directory: Path) -> list[int]:
    """Ray's processes that we have started, and those that these have. Some give themselves another title, but all were
    told where our token is."""
    package = sys.modules.get("ray")
    if package is None or package.__file__ is None:
        return []
    place, mark = os.fsencode(Path(package.__file__).parent), b"RAY_AUTH_TOKEN_PATH=" + os.fsencode(directory)
    found = []
    for pid, _, command in _processes():
        if pid != os.getpid() and (place in command or command.startswith(b"ray::")):
            with suppress(OSError):
                if mark in Path(f"/proc/{pid}/environ").read_bytes():
                    found.append(pid)
    return found


def _processes() -> Iterator[tuple[int, int, bytes]]:
    """Number, parent and command of every process."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                stat = (process / "stat").read_text()
                yield (
                    int(process.name),
                    int(stat[stat.rindex(")") + 2 :].split()[1]),
                    (process / "cmdline").read_bytes(),
                )
