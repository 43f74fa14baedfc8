"""The binder's entry: one statement, whichever it is.

Lives in the gateway's process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block
from mere.sql.bind.bound import BindContext, BoundSelect, BoundStatement, OutputColumn
from mere.sql.bind.query import bind_query
from mere.sql.bind.scope import quoted
from mere.sql.expressions.typed import VOLATILE
from mere.sql.relations import Resolved


def bind(tree: exp.Expression, resolved: Resolved, context: BindContext) -> BoundStatement:
    """A statement from `parse`, over what the catalog resolved. Raises MereError with PostgreSQL's SQLSTATE."""
    binding = Binding(context, resolved, bind_query)
    if isinstance(tree, exp.Query | exp.Values | exp.Subquery):
        block = binding.query(tree, None, binding.frame())
        bound = finish(binding, block)
        binding.check_privileges()
        return bound
    raise FeatureNotSupported(f"{tree.key.upper()} is not supported over lake tables")


def finish(binding: Binding, block: Block) -> BoundSelect:
    """The block as the executor gets it, with all that the binding has gathered."""
    tree = block.close()
    columns = tuple(
        OutputColumn(
            output.name,
            output.alias,
            output.typed.reference(exp.Column(this=quoted(output.alias))),
            *output.origin,
        )
        for output in block.outputs
    )
    return BoundSelect(
        tree, columns, binding.take_scans(), binding.take_constants(), volatile=bool(block.marks & VOLATILE)
    )
