"""From a block to the BoundSelect that the executor gets.

Lives in the gateway's process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block
from mere.sql.bind.bound import BoundSelect, OutputColumn
from mere.sql.bind.scope import quoted, refer
from mere.sql.expressions.typed import VOLATILE


def finish(binding: Binding, block: Block) -> BoundSelect:
    """The block with the scans and constants that were gathered since the last call."""
    tree = block.close()
    columns = tuple(
        OutputColumn(
            output.name,
            output.alias,
            refer(output.typed, exp.Column(this=quoted(output.alias))),
            *output.origin,
        )
        for output in block.outputs
    )
    volatile = bool(block.marks & VOLATILE) or binding.reads_held
    scans, constants = binding.take()
    return BoundSelect(tree, columns, scans, constants, volatile)
