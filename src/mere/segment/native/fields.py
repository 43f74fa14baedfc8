"""What the reading kernel is told of COPY's input: shared by the kernel and by those who call it. Numbers only."""

from __future__ import annotations

# A column is described by eight 64-bit integers; the last two are the kernel's own.
KIND, VALUES, OFFSETS, VALIDITY, PARAMETER, LIMIT, NULLS, FILLED = range(8)
DESCRIPTION = 8

(
    STRING,  # at most LIMIT bytes
    PADDED,  # char(n): blanks at the end do not count
    WHOLE_16,
    WHOLE_32,
    WHOLE_64,
    DECIMAL,  # 64 bits; PARAMETER decimals, below LIMIT when seen as a whole number
    DATE,
    TIMESTAMP,
    BOOLEAN,  # a bit each
) = range(9)

# The input, as eight 64-bit integers; the kernel leaves its results in the last two.
DELIMITER, MARK, IS_CSV, CONSUMED, LINES = range(5)
OPTIONS = 8
REFUSED = -1
