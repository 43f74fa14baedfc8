"""One archived WAL file as an object: zstd, and before it a frame that says what is in it.

The first frame is one that zstd skips, so that `zstd -d` unpacks the object without Mere. It has a fixed length, so
that the beginning of an object is enough to compare it with another. Pure.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from mere.backup.errors import DamagedArchive

_MAGIC = 0x184D2A50
_PAYLOAD = 248
HEAD_BYTES = 8 + _PAYLOAD
_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Head:
    """`closed`: when the last byte was written, by the clock of who wrote it."""

    sha256: str
    size: int
    closed: datetime


def pack(data: bytes, closed: datetime) -> bytes:
    told = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "closed": closed.astimezone(UTC).isoformat()}
    payload = json.dumps(told).encode().ljust(_PAYLOAD)
    codec = pa.Codec("zstd", compression_level=_LEVEL)
    return struct.pack("<II", _MAGIC, _PAYLOAD) + payload + bytes(codec.compress(data, asbytes=True))


def read_head(name: str, data: bytes) -> Head:
    try:
        if struct.unpack_from("<II", data) != (_MAGIC, _PAYLOAD):
            raise ValueError
        told = json.loads(data[8:HEAD_BYTES])
        return Head(str(told["sha256"]), int(told["size"]), datetime.fromisoformat(told["closed"]))
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise DamagedArchive(f"the archive is damaged: {name} is not what was archived") from error


def unpack(name: str, data: bytes) -> tuple[bytes, Head]:
    head = read_head(name, data)
    try:
        content = bytes(pa.Codec("zstd").decompress(data[HEAD_BYTES:], decompressed_size=head.size, asbytes=True))
    except (OSError, pa.ArrowException) as error:
        raise DamagedArchive(f"the archive is damaged: {name} cannot be unpacked") from error
    if hashlib.sha256(content).hexdigest() != head.sha256:
        raise DamagedArchive(f"the archive is damaged: {name} is not what was archived")
    return content, head
