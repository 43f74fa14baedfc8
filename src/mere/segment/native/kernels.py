"""The kernels as this process calls them, once they are compiled. One of each per process, made in the background.

Until then, and where LLVM cannot be had, encoders do without.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

log = logging.getLogger(__name__)

# out, columns, width, first, count, options; returns the address behind the last byte (see `rows.write_rows`).
WriteRows: TypeAlias = Callable[[int, int, int, int, int, int], int]
# data, size, columns, width, most, options; returns the number of rows (see `reading.read_rows`).
ReadRows: TypeAlias = Callable[[int, int, int, int, int, int], int]
# out, ends, values, count, is_double; returns the number of bytes (see `floats.print_floats`).
PrintFloats: TypeAlias = Callable[[int, int, int, int, int], int]

_lock = threading.Lock()
_thread: threading.Thread | None = None
_write_rows: WriteRows | None = None
_read_rows: ReadRows | None = None
_print_floats: PrintFloats | None = None
_keep: object = None  # the code lives as long as this


def prepare() -> None:
    """Begins to compile, in a thread of its own: a second of work, nearly all of it outside of the interpreter."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_compile, name="mere-kernels")
            _thread.start()


def wait() -> bool:
    """Compiles if nobody did, and waits; whether there are kernels."""
    prepare()
    assert _thread is not None
    _thread.join()
    return ready()


def ready() -> bool:
    """Once true it stays true."""
    return _write_rows is not None


def write_rows() -> WriteRows | None:
    return _write_rows


def read_rows() -> ReadRows | None:
    return _read_rows


def print_floats() -> PrintFloats | None:
    return _print_floats


def _compile() -> None:
    global _keep, _print_floats, _read_rows, _write_rows
    try:
        # Here, so that no start waits for LLVM's library to be loaded.
        from mere.segment.native import floats, reading, rows
        from mere.segment.native.compiler import Kernel, compile_kernels
        from mere.segment.native.machine import Machine

        named: dict[str, Kernel] = {"write_rows": rows.write_rows, "read_rows": reading.read_rows}
        named["print_floats"] = floats.print_floats
        machine = Machine(compile_kernels(named))
        _read_rows, _print_floats = machine.function("read_rows", 6), machine.function("print_floats", 5)
        _write_rows = machine.function("write_rows", 6)
        _keep = machine
    except (ImportError, OSError, RuntimeError) as error:
        log.warning("COPY and results do without machine code of their own: %s", error)
