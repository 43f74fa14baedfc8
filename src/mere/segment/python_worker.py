"""The process in which users' functions in Python run: `python -m mere.segment.python_worker FD`.

It gets functions and batches of arguments over the socket FD and gives results back. It has none of the segment's keys
in its environment, and the segment kills it when a statement is cancelled: nothing is in here that would be missed.
Knows no DuckDB and nothing else of Mere.
"""

from __future__ import annotations

import ast
import json
import keyword
import os
import socket
import struct
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_HEADER = struct.Struct(">IQ")
_LOOK_SECONDS = 1.0

_PLAIN: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}


def arrow_type(kind: str) -> pa.DataType:
    """What carries a type's results; those that are not listed are texts."""
    if kind.startswith("_"):
        return pa.list_(arrow_type(kind[1:]))
    return _PLAIN.get(kind, pa.string())


def send(connection: socket.socket, header: dict[str, Any], payload: bytes | memoryview = b"") -> None:
    text = json.dumps(header).encode()
    connection.sendall(_HEADER.pack(len(text), len(payload)) + text)
    connection.sendall(payload)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Raises EOFError where the other side is gone."""
    first, size = _HEADER.unpack(_exactly(connection, _HEADER.size))
    header: dict[str, Any] = json.loads(_exactly(connection, first))
    return header, bytes(_exactly(connection, size))


def _exactly(connection: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        got = connection.recv_into(view)
        if not got:
            raise EOFError
        view = view[got:]
    return data


def pack(columns: Sequence[pa.Array]) -> memoryview:
    batch = pa.record_batch(list(columns), names=[f"c{number}" for number in range(len(columns))])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return memoryview(sink.getvalue())


def unpack(payload: bytes) -> list[pa.Array]:
    return list(pa.ipc.open_stream(payload).read_next_batch().columns)


# -- the user's function ----------------------------------------------------------------------------------------------


class Function:
    """A body compiled, with a dictionary SD that lives as long as the process."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._arguments: list[str] = spec["arguments"]
        self._result: str = spec["result"]
        self._strict: bool = spec["strict"]
        self._call = self._call_arrow if spec["arrow"] else self._call_rows
        self._function = _compiled(spec["name"], spec["source"], spec["names"])

    def __call__(self, columns: list[pa.Array]) -> pa.Array:
        rows = len(columns[0])
        return self._call(columns[: len(self._arguments)], rows)

    def _call_rows(self, columns: list[pa.Array], rows: int) -> pa.Array:
        values = [_given(kind, column.to_pylist()) for kind, column in zip(self._arguments, columns, strict=True)]
        function = self._function
        if not values:
            results = [function() for _ in range(rows)]
        elif self._strict:
            results = [None if None in row else function(*row) for row in zip(*values, strict=True)]
        else:
            results = [function(*row) for row in zip(*values, strict=True)]
        return _taken(self._result, results)

    def _call_arrow(self, columns: list[pa.Array], rows: int) -> pa.Array:
        if not self._strict or not any(column.null_count for column in columns):
            return self._arrays(columns, rows)
        present = pc.is_valid(columns[0])
        for column in columns[1:]:
            present = pc.and_(present, pc.is_valid(column))
        some = self._arrays([column.filter(present) for column in columns], pc.sum(present).as_py() or 0)
        return pc.replace_with_mask(pa.nulls(rows, some.type), present, some)

    def _arrays(self, columns: list[pa.Array], rows: int) -> pa.Array:
        made = self._function(*columns) if columns else self._function(rows)
        if isinstance(made, pa.Scalar):
            made = made.as_py()
        if made is None or isinstance(made, bool | int | float | str | bytes):
            raise TypeError("a function in python_arrow returns an array, not one value")
        result = made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made
        result = result if isinstance(result, pa.Array) else pa.array(result)
        if len(result) != rows:
            raise ValueError(f"the result has {len(result)} values for {rows} rows")
        return result.cast(arrow_type(self._result))


def _compiled(name: str, source: str, names: list[str]) -> Callable[..., Any]:
    """The body as that of a function with these arguments. Unnamed ones are in the list `args`, as all are."""
    body = _parsed(source, f"<{name}>") or [ast.Pass()]
    called = [
        given if given.isidentifier() and not keyword.iskeyword(given) else f"mere_argument_{number}"
        for number, given in enumerate(names)
    ]
    if "args" not in called and any(
        isinstance(node, ast.Name) and node.id == "args" for node in ast.walk(ast.Module(body, []))
    ):
        members: list[ast.expr] = [ast.Name(given, ast.Load()) for given in called]
        body = [ast.Assign([ast.Name("args", ast.Store())], ast.List(members, ast.Load())), *body]
    module = ast.parse(f"def mere_function({', '.join(called)}): pass")
    definition = module.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.body = body
    ast.fix_missing_locations(module)
    space: dict[str, Any] = {"SD": {}}
    exec(compile(module, f"<{name}>", "exec"), space)
    function: Callable[..., Any] = space["mere_function"]
    return function


def _parsed(source: str, file: str) -> list[ast.stmt]:
    """The statements of a body, which may stand indented as a whole."""
    try:
        return ast.parse(source, file).body
    except IndentationError as error:
        try:
            block = ast.parse(f"if 1:\n{source}", file)
        except SyntaxError:
            raise error from None
        ast.increment_lineno(block, -1)
        (whole,) = block.body
        assert isinstance(whole, ast.If)
        return whole.body


def _given(kind: str, values: list[Any]) -> list[Any]:
    """What Python sees: a uuid as UUID, a numeric as Decimal, all else as Arrow gives it."""
    if kind == "uuid":
        return [None if value is None else uuid.UUID(value) for value in values]
    if kind == "numeric":
        return [None if value is None else Decimal(str(value)) for value in values]
    return values


def _taken(kind: str, values: list[Any]) -> pa.Array:
    target = arrow_type(kind)
    if target == pa.string():
        return pa.array([None if value is None else str(value) for value in values], target)
    if pa.types.is_boolean(target):
        return pa.array([None if value is None else bool(value) for value in values], target)
    return pa.array(values, target)


# -- the process ------------------------------------------------------------------------------------------------------


def failure(error: BaseException) -> dict[str, Any]:
    """What is told of an error: its text, and the line of the body where it came from."""
    if isinstance(error, SyntaxError) and error.filename and error.filename.startswith("<"):
        return {"error": f"{type(error).__name__}: {error.msg}", "line": error.lineno, "syntax": True}
    line = None
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name == "mere_function" and code.co_filename.startswith("<"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return {"error": f"{type(error).__name__}: {error}", "line": line}


def serve(connection: socket.socket) -> None:
    functions: dict[str, Function] = {}
    while True:
        try:
            header, payload = receive(connection)
        except (EOFError, OSError):
            return
        answer: dict[str, Any] = {}
        result: bytes | memoryview = b""
        try:
            if "spec" in header:
                functions[header["digest"]] = Function(header["spec"])
            result = pack([functions[header["digest"]](unpack(payload))])
        except BaseException as error:  # noqa: BLE001 - told to the caller; a SystemExit too
            answer, result = failure(error), b""
        send(connection, answer, result)


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(0)


def main() -> None:
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        serve(connection)


if __name__ == "__main__":
    main()
