"""Reading results with libpq alone, so that no driver's own work is measured."""

from __future__ import annotations

from typing import LiteralString

import psycopg


def read(conninfo: str, sql: LiteralString, binary: bool) -> int:
    """How many rows reached libpq, chunk by chunk; no Python objects are made of them."""
    with psycopg.connect(conninfo) as connection:
        low = connection.pgconn
        low.send_query_params(sql.encode(), None, result_format=int(binary))
        low.set_chunked_rows_mode(10_000)
        count = 0
        while (result := low.get_result()) is not None:
            if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
                raise SystemExit(result.error_message.decode())
            count += result.ntuples
        return count
