"""Users' functions in Python within one workspace: known to its engine under names of their own while it is open.

The engine calls them with batches of arguments on its threads; each batch goes to a worker's process. Stopping kills
the workers at work, so that no loop of a user's holds a statement.
"""

from __future__ import annotations

import inspect
import itertools
import re
import threading
from contextlib import suppress

import duckdb
import pyarrow as pa
from duckdb import sqltypes
from duckdb.func import FunctionNullHandling, PythonUDFType

from mere.errors import MereError, QueryCanceled
from mere.segment.python_workers import Worker, WorkerGone, Workers
from mere.sql.functions.python import PythonFunction, remember, renamed

_numbers = itertools.count()


class PythonFunctions:
    """`ready` before a text is given to the engine; `close` at the end, when nothing runs any more."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._names: dict[str, str] = {}  # by digest
        self._busy: set[Worker] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._error: MereError | None = None

    def ready(self, connection: duckdb.DuckDBPyConnection, sql: str) -> str:
        """The text with the names that the engine knows."""

        def name(digest: str, function: PythonFunction) -> str:
            if digest not in self._names:
                self._names[digest] = self._create(connection, digest, function)
            return self._names[digest]

        return renamed(sql, name)

    def _create(self, connection: duckdb.DuckDBPyConnection, digest: str, function: PythonFunction) -> str:
        name = f"mere_running_{next(_numbers)}_{re.sub('[^a-z0-9_]', '_', function.name.lower())}"

        def call(*columns: pa.ChunkedArray) -> pa.Array:
            return self._call(digest, function, columns)

        # The engine counts the parameters.
        places = [
            inspect.Parameter(f"c{n}", inspect.Parameter.POSITIONAL_ONLY) for n in range(len(function.parameters))
        ]
        call.__signature__ = inspect.Signature(places)  # type: ignore[attr-defined]
        connection.create_function(
            name,
            call,
            [sqltypes.DuckDBPyType(kind) for _, kind in function.parameters],
            sqltypes.DuckDBPyType(function.carrier),
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
            side_effects=True,  # or the engine calls it for values of a dictionary that no row has
        )
        return name

    def _call(self, digest: str, function: PythonFunction, columns: tuple[pa.ChunkedArray, ...]) -> pa.Array:
        try:
            return self._run(digest, function, [_plain(column) for column in columns])
        except MereError as error:
            self._error = self._error or error
            raise

    def _run(self, digest: str, function: PythonFunction, columns: list[pa.Array]) -> pa.Array:
        with self._lock:
            if self._stopped:
                raise _canceled()
            worker = self._workers.take()
            self._busy.add(worker)
        try:
            result = worker.run(digest, function, columns)
        except WorkerGone as error:
            with self._lock:
                self._busy.discard(worker)
            worker.close()
            if self._stopped:
                raise _canceled() from error
            raise MereError(f"the process that ran function {function.name}() has ended", sqlstate="38000") from error
        except BaseException:
            self._back(worker)
            raise
        self._back(worker)
        return result

    def _back(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            stopped = self._stopped
        if stopped:
            worker.close()  # it may have been killed
        else:
            self._workers.give(worker)

    def stop(self) -> None:
        """Whatever runs now ends, and nothing runs again. From any thread."""
        with self._lock:
            self._stopped = True
            for worker in self._busy:
                worker.kill()

    def failure(self) -> MereError | None:
        """Why the engine's last call failed, where it was a function of ours."""
        error, self._error = self._error, None
        return error

    def close(self, connection: duckdb.DuckDBPyConnection) -> None:
        names, self._names = list(self._names.values()), {}
        with suppress(duckdb.Error):  # an engine that has failed is given up with all that it knows
            for name in names:
                connection.remove_function(name)


def _canceled() -> QueryCanceled:
    return QueryCanceled("canceling statement due to user request")


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Without the engine's own types: it gives a BOOLEAN as bytes."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    if isinstance(array, pa.ExtensionArray):
        return array.storage.cast(pa.bool_())
    if pa.types.is_list(array.type) and isinstance(array.type.value_type, pa.BaseExtensionType):
        return array.cast(pa.list_(pa.bool_()))
    return array


__all__ = ["PythonFunction", "PythonFunctions", "remember"]
