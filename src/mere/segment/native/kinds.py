"""What a kernel is told of a column and of the messages wanted: shared by the kernels and by those who call them.

Numbers only: they are compiled into the kernels as constants.
"""

from __future__ import annotations

# A column is described by eight 64-bit integers.
KIND, VALIDITY, FIRST_BIT, VALUES, OFFSETS, PARAMETER, FORCED = range(7)
DESCRIPTION = 8

# Kinds: how a value lies in memory, and how it is written. Below BINARY all are text.
(
    TEXT_32,  # 32-bit offsets
    TEXT_64,
    PADDED_32,  # PARAMETER characters, char(n)
    PADDED_64,
    BYTEA_32,  # as hex digits
    BYTEA_64,
    BOOL_BITS,
    BOOL_BYTES,
    INT_8,
    INT_16,
    INT_32,
    INT_64,
    UNSIGNED_8,
    UNSIGNED_16,
    UNSIGNED_32,
    UNSIGNED_64,
    DECIMAL,  # 128 bits, PARAMETER decimals
    DATE,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    UUID,
    FLOAT_4,
    FLOAT_8,
) = range(24)
STRINGS_END = PADDED_64 + 1  # these need escapes in COPY
(
    RAW_32,
    RAW_64,
    VERSIONED_32,  # jsonb: a byte 1 before the text
    VERSIONED_64,
    BIT,
    BYTE,
    BIG_16,
    BIG_32,
    BIG_64,
    NUMERIC,
    NUMERIC_64,  # stored as a whole number
    DATE_BINARY,
    TIMESTAMP_BINARY,
    TIMETZ_BINARY,
    INTERVAL_BINARY,
    UUID_BINARY,
) = range(100, 116)

# The messages wanted, as eight 64-bit integers.
MODE, DELIMITER, NULL, NULL_SIZE, QUOTE, ESCAPE, SINGLE = range(7)
ROWS, COPY_TEXT, COPY_CSV, COPY_BINARY = range(4)
