"""How large expressions become when each column is replaced by what a query below computes for it, as DuckDB's
optimizer does when it brings a filter down. A query whose columns are too large that way gets an OFFSET 0, which
stops it: a dozen of subqueries, each of which names a column of the next one twice, is thousands of times what was
written.

Lives in the gateway's process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.errors import MereError
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block
from mere.sql.bind.scope import quoted

_LARGEST = 10_000  # nodes, which DuckDB takes some milliseconds for
_MACRO = 4  # how often, about, a macro of ours reads an argument
_TABLE = "mere_apart"


def weight(tree: exp.Expression, binding: Binding | None = None) -> int:
    """The nodes of an expression once macros and, with `binding`, columns of queries below are put in."""
    if isinstance(tree, exp.Column):
        return 1 if binding is None else _column(tree, binding)
    inside = 1 + sum(weight(child, binding) for child in tree.iter_expressions())
    return inside * _MACRO if isinstance(tree, exp.Anonymous) and str(tree.this).startswith("mere_") else inside


def _column(column: exp.Column, binding: Binding) -> int:
    table = str(column.args["table"].this) if column.args.get("table") is not None else ""
    return binding.weights.get((binding.common_of.get(table, table), column.name), 1)


def note_weights(binding: Binding, emitted: str, block: Block) -> bool:
    """Remembers what the columns of a closed query weigh where it stands as `emitted`; false if that is too much, and
    the query has to stand apart."""
    weights = {output.alias: weight(output.typed.sql, binding) for output in block.outputs}
    if any(each > _LARGEST for each in weights.values()):
        return False
    binding.weights.update(((emitted, alias), each) for alias, each in weights.items() if each > 1)
    return True


def apart(binding: Binding, query: exp.Expression, *, correlated: bool) -> exp.Expression:
    """The query as one that no condition around it is brought into."""
    if correlated:
        raise MereError("the expressions of nested subqueries make this statement too large", sqlstate="54001")
    inside = exp.Subquery(this=query, alias=exp.TableAlias(this=quoted(binding.alias(_TABLE))))
    none = exp.Offset(expression=exp.Literal.number(0))
    return exp.Select(expressions=[exp.Star()], from_=exp.From(this=inside), offset=none)
