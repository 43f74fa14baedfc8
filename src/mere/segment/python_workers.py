"""The processes that run users' functions in Python, seen from the engine: started when needed, kept, killed.

Lives wherever an engine runs. Used from the engine's threads; one worker serves one batch at a time.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from mere.errors import MereError
from mere.segment.python_worker import pack, receive, send, unpack
from mere.sql.functions.python import PythonFunction

_KEPT = 4
# What a worker sees of the environment: nothing of the storage's keys.
_PASSED = (
    "PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
)  # fmt: skip


class WorkerGone(Exception):
    """The process ended, or was killed."""


class Worker:
    """One process. `kill` may be called from any thread; what runs then raises WorkerGone."""

    def __init__(self) -> None:
        self._mine, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mere.segment.python_worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment,
                pass_fds=(theirs.fileno(),),
                cwd="/",
            )
        self._defined: set[str] = set()

    def run(self, digest: str, function: PythonFunction, columns: Sequence[pa.Array]) -> pa.Array:
        """The results for a batch. Raises MereError for what the function did wrong."""
        header: dict[str, Any] = {"digest": digest}
        if digest not in self._defined:
            header["spec"] = {
                "name": function.name,
                "source": function.source,
                "names": [name for name, _ in function.parameters[: len(function.arguments)]],
                "arguments": function.arguments,
                "result": function.result,
                "arrow": function.arrow,
                "strict": function.strict,
            }
        try:
            send(self._mine, header, pack(columns))
            answer, payload = receive(self._mine)
        except (OSError, EOFError) as error:
            raise WorkerGone from error
        if "error" in answer:
            raise _failed(function, answer)
        self._defined.add(digest)
        return unpack(payload)[0]

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._mine.close()


def _failed(function: PythonFunction, answer: dict[str, Any]) -> MereError:
    where = f", line {answer['line']}" if answer.get("line") else ""
    return MereError(
        str(answer["error"]),
        sqlstate="42601" if answer.get("syntax") else "38000",
        context=f'Python function "{function.name}"{where}',
    )


class Workers:
    """Those of one engine. The few that are idle are kept, since to start one takes as long as a small query."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._closed = False

    def take(self) -> Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Worker()

    def give(self, worker: Worker) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < _KEPT:
                self._idle.append(worker)
                return
        worker.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()
