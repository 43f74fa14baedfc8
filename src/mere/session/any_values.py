"""Which statements are bound once for all values of their parameters. Coordinator process; pure.

Binding and planning take longer than a look-up by key, and would be done again for each key. A parameter may stand for
a constant of the plan where nothing but its type matters to that: where a comparison takes it as it is.
"""

from __future__ import annotations

from sqlglot import exp

from mere.session.state import Parameters
from mere.sql.types import INT2, INT4, INT8, TEXT, UUID, VARCHAR

# Of types whose values have one form in the plan, whatever they are.
_TYPES = frozenset((INT2, INT4, INT8, TEXT, VARCHAR, UUID))
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In)


def are_any_values(parameters: Parameters) -> bool:
    """NULL is no value for this: comparing with it is decided when the statement is bound."""
    return bool(parameters.oids) and _TYPES.issuperset(parameters.oids) and None not in parameters.values


def takes_any_values(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Select) and all(_is_compared(one) for one in tree.find_all(exp.Parameter))


def _is_compared(parameter: exp.Parameter) -> bool:
    around = parameter.parent
    while isinstance(around, exp.Paren):
        around = around.parent
    return isinstance(around, _COMPARISONS)
