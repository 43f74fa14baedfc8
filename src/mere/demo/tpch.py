"""TPC-H as the demo and the benchmarks use it: its tables as Mere declares them, its data, its queries."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mere.errors import StartupError


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: str
    distribution: str

    @property
    def create(self) -> str:
        return f"CREATE TABLE {self.name} ({self.columns}) {self.distribution}"


TABLES: tuple[Table, ...] = (
    Table(
        "region",
        "r_regionkey integer NOT NULL, r_name char(25) NOT NULL, r_comment varchar(152)",
        "DISTRIBUTED REPLICATED",
    ),
    Table(
        "nation",
        "n_nationkey integer NOT NULL, n_name char(25) NOT NULL, n_regionkey integer NOT NULL, n_comment varchar(152)",
        "DISTRIBUTED REPLICATED",
    ),
    Table(
        "supplier",
        "s_suppkey bigint NOT NULL, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL,"
        " s_nationkey integer NOT NULL, s_phone char(15) NOT NULL, s_acctbal numeric(15,2) NOT NULL,"
        " s_comment varchar(101) NOT NULL",
        "DISTRIBUTED BY (s_suppkey)",
    ),
    Table(
        "part",
        "p_partkey bigint NOT NULL, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL,"
        " p_type varchar(25) NOT NULL, p_size integer NOT NULL, p_container char(10) NOT NULL,"
        " p_retailprice numeric(15,2) NOT NULL, p_comment varchar(23) NOT NULL",
        "DISTRIBUTED BY (p_partkey)",
    ),
    Table(
        "partsupp",
        "ps_partkey bigint NOT NULL, ps_suppkey bigint NOT NULL, ps_availqty integer NOT NULL,"
        " ps_supplycost numeric(15,2) NOT NULL, ps_comment varchar(199) NOT NULL",
        "DISTRIBUTED BY (ps_partkey)",
    ),
    Table(
        "customer",
        "c_custkey bigint NOT NULL, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL,"
        " c_nationkey integer NOT NULL, c_phone char(15) NOT NULL, c_acctbal numeric(15,2) NOT NULL,"
        " c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL",
        "DISTRIBUTED BY (c_custkey)",
    ),
    Table(
        "orders",
        "o_orderkey bigint NOT NULL, o_custkey bigint NOT NULL, o_orderstatus char(1) NOT NULL,"
        " o_totalprice numeric(15,2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL,"
        " o_clerk char(15) NOT NULL, o_shippriority integer NOT NULL, o_comment varchar(79) NOT NULL",
        "DISTRIBUTED BY (o_orderkey)",
    ),
    Table(
        "lineitem",
        "l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL,"
        " l_linenumber integer NOT NULL, l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL,"
        " l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL,"
        " l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL,"
        " l_receiptdate date NOT NULL, l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL,"
        " l_comment varchar(44) NOT NULL",
        "DISTRIBUTED BY (l_orderkey)",
    ),
)


def queries() -> Mapping[str, str]:
    """The 22 queries with the specification's validation parameters, by name (q01 ... q22)."""
    directory = resources.files("mere.demo") / "queries"
    return {f"q{number:02d}": (directory / f"q{number:02d}.sql").read_text() for number in range(1, 23)}


def start_generator(directory: Path, scale: float) -> subprocess.Popen[bytes]:
    """Starts writing the eight tables, one Parquet file each, named after the table."""
    own = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    program = str(own) if own.exists() else shutil.which("tpchgen-cli")
    if program is None:
        raise StartupError("the demo needs the TPC-H generator: pip install 'mere[demo]'")
    command = [program, "parquet", "--scale-factor", f"{scale:g}", "--output-dir", str(directory), "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
