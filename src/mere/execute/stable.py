"""Does a slice give the same rows whenever it runs over the same input? Their order never counts. Pure functions.

What may differ: which rows a LIMIT keeps, numbers of equal rows in a window, sums of floats (added in another order),
which of many values an aggregate picks. Volatile functions do not come here: such a query runs whole, once.
"""

from __future__ import annotations

from functools import cache

from sqlglot import exp

_PICKING = (exp.Limit, exp.Offset, exp.Fetch, exp.Window, exp.TableSample)
_EXACT = (exp.Count, exp.CountIf, exp.Min, exp.Max, exp.LogicalAnd, exp.LogicalOr)
# Aggregates that sqlglot does not know as such; a name that is missing here only ever costs a second run its sureness.
_AGGREGATES = (
    "list", "arg_min", "arg_max", "min_by", "max_by", "any_value", "first", "last", "mode", "fsum", "favg",
    "kahan_sum", "sumkahan", "product", "histogram", "string_agg", "array_agg", "group_concat", "listagg", "mad",
    "entropy",
    "kurtosis", "kurtosis_pop", "skewness", "sem", "bitstring_agg", "reservoir_quantile",
    "approx_quantile", "approx_top_k", "median", "quantile", "quantile_cont", "quantile_disc", "avg", "sum", "stddev",
    "stddev_pop", "stddev_samp", "var_pop", "var_samp", "variance", "corr", "covar_pop", "covar_samp", "regr_avgx",
    "regr_avgy", "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy",
    "json_group_array", "json_group_object", "json_group_structure",
)  # fmt: skip


def is_stable(tree: exp.Expression) -> bool:
    """Sure that it does; False where it may not."""
    for node in tree.walk():
        if isinstance(node, _PICKING) or (isinstance(node, exp.Distinct) and node.args.get("on") is not None):
            return False
        if isinstance(node, exp.AggFunc) and not isinstance(node, _EXACT):
            return False
        if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) and _picks(node.name.lower()):
            return False
    return True


@cache
def _picks(name: str) -> bool:
    return name in _AGGREGATES or any(word in name for word in ("agg", "first", "last"))
