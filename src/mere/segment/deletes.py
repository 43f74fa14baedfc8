"""Delete files: which rows of a data file are gone, in DuckLake's Parquet form, one file for each data file touched.

Runs in the coordinator process: positions are few bytes, and many small files are written best with many puts at once.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mere.lake.message import NewDelete
from mere.segment.credentials import quote
from mere.segment.storage import Storage
from mere.segment.workspace import Workspace

# The field ids by which DuckLake and Iceberg know the two columns.
_SCHEMA = pa.schema(
    [
        pa.field("file_path", pa.string(), metadata={"PARQUET:field_id": "2147483646"}),
        pa.field("pos", pa.int64(), metadata={"PARQUET:field_id": "2147483645"}),
    ]
)
_PUTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class DeleteTarget:
    """A data file that loses rows. `old_url` is its delete file so far, which the new one holds too and `replaces`."""

    data_file_id: int | None
    data_file_path: str | None
    old_url: str | None = None
    replaces: int | None = None


async def write_deletes(
    workspace: Workspace, storage: Storage, positions: str, prefix: str, targets: Mapping[str, DeleteTarget]
) -> tuple[NewDelete, ...]:
    """`positions` is a query of (mere_file, mere_pos); `targets` has every file it names, by absolute URL.

    `prefix` is the table's absolute URL. `count` of a result is all that the file has lost by now.
    """
    table = await workspace.table(_merged(positions, targets))
    files = table.column("mere_file").combine_chunks().dictionary_encode()
    numbers = files.indices.to_numpy(zero_copy_only=False)
    values = table.column("mere_pos").to_numpy()
    order = np.lexsort((values, numbers))
    bounds = np.flatnonzero(np.diff(numbers[order], prepend=-1, append=-1))
    gate = asyncio.Semaphore(_PUTS_AT_ONCE)

    async def write(start: int, end: int) -> NewDelete:
        chosen = order[start:end]
        url = files.dictionary[int(numbers[chosen[0]])].as_py()
        data, footer = _parquet(url, values[chosen])
        path = f"mere-{uuid.uuid4()}-delete.parquet"
        async with gate:
            await storage.put(prefix + path, data)
        target = targets[url]
        return NewDelete(
            data_file_id=target.data_file_id,
            data_file_path=target.data_file_path,
            path=path,
            count=len(chosen),
            size=len(data),
            footer_size=footer,
            replaces=target.replaces,
        )

    return tuple(await asyncio.gather(*(write(int(start), int(end)) for start, end in pairwise(bounds))))


def _merged(positions: str, targets: Mapping[str, DeleteTarget]) -> str:
    """New positions and those of the delete files so far, each once, for the touched files only."""
    fresh = f"SELECT mere_file::VARCHAR AS mere_file, mere_pos::BIGINT AS mere_pos FROM ({positions}) AS mere_fresh"
    old = {target.old_url: url for url, target in targets.items() if target.old_url is not None}
    if not old:
        return f"SELECT DISTINCT * FROM ({fresh}) AS mere_deleted"
    urls = ", ".join(quote(url) for url in old)
    owners = ", ".join(f"{quote(delete)}: {quote(data)}" for delete, data in old.items())
    earlier = (
        f"SELECT MAP {{{owners}}}[filename] AS mere_file, pos AS mere_pos FROM read_parquet([{urls}], filename => true)"
    )
    return (
        f"WITH mere_fresh AS MATERIALIZED ({fresh}) SELECT * FROM mere_fresh UNION "
        f"SELECT * FROM ({earlier}) AS mere_earlier WHERE mere_file IN (SELECT mere_file FROM mere_fresh)"
    )


def _parquet(url: str, positions: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[bytes, int]:
    """The file and the length of its footer, which stands before the closing magic."""
    paths = pc.cast(pa.DictionaryArray.from_arrays(np.zeros(len(positions), np.int32), pa.array([url])), pa.string())
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table([paths, pa.array(positions)], schema=_SCHEMA), sink, compression="zstd")
    data = sink.getvalue().to_pybytes()
    return data, int.from_bytes(data[-8:-4], "little")
