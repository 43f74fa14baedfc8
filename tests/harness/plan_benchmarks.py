"""TPC-H and TPC-DS in a `Warehouse`: their tables by their usual keys, their data, their queries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.plan_warehouse import Table, Warehouse, engine
from mere.demo import tpch
from mere.segment.connect import extension_file

# What does not go by its first column.
_TPCDS_KEYS = {
    "store_sales": "ss_item_sk",
    "store_returns": "sr_item_sk",
    "catalog_sales": "cs_item_sk",
    "catalog_returns": "cr_item_sk",
    "web_sales": "ws_item_sk",
    "web_returns": "wr_item_sk",
    "inventory": "inv_item_sk",
}


def tpch_tables() -> list[Table]:
    tables = []
    for table in tpch.TABLES:
        replicated = table.distribution == "DISTRIBUTED REPLICATED"
        tables.append(Table(table.name, table.columns, "replicated" if replicated else "hash"))
    return tables


def tpch_warehouse(directory: Path, scale: float) -> Warehouse:
    """Generated anew; `directory` holds the files meanwhile."""
    process = tpch.start_generator(directory, scale)
    if process.wait():
        raise AssertionError(f"the TPC-H generator failed: {process.stderr and process.stderr.read()!r}")
    warehouse = Warehouse(tpch_tables())
    warehouse.create()
    for name in warehouse.tables:
        warehouse.connection.execute(f"INSERT INTO {name} SELECT * FROM read_parquet('{directory}/{name}.parquet')")
    return warehouse


def tpcds_warehouse(scale: int) -> tuple[Warehouse, Mapping[int, str]]:
    """With its queries by number. The generator hangs at fractional scales; at 0 the tables are empty."""
    connection = engine()
    connection.execute(f"LOAD '{extension_file('tpcds')}'")
    connection.execute(f"CALL dsdgen(sf = {scale})")
    described = connection.execute(
        "SELECT table_name, string_agg(column_name || ' ' || lower(data_type), ', ' ORDER BY ordinal_position)"
        " FROM information_schema.columns WHERE table_schema = 'main' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    tables = [
        Table(name, columns.replace("decimal", "numeric"), key=_TPCDS_KEYS.get(name)) for name, columns in described
    ]
    queries = connection.execute("SELECT query_nr, query FROM tpcds_queries() ORDER BY 1").fetchall()
    return Warehouse(tables, connection), {number: text.rstrip().rstrip(";") for number, text in queries}


# Rows at scale factor 1, for plans over empty tables.
TPCDS_ROWS: Mapping[str, float] = {
    "call_center": 6, "catalog_page": 11_718, "catalog_returns": 144_067, "catalog_sales": 1_441_548,
    "customer": 100_000, "customer_address": 50_000, "customer_demographics": 1_920_800, "date_dim": 73_049,
    "household_demographics": 7_200, "income_band": 20, "inventory": 11_745_000, "item": 18_000, "promotion": 300,
    "reason": 35, "ship_mode": 20, "store": 12, "store_returns": 287_514, "store_sales": 2_880_404, "time_dim": 86_400,
    "warehouse": 5, "web_page": 60, "web_returns": 71_763, "web_sales": 719_384, "web_site": 30,
}  # fmt: skip
