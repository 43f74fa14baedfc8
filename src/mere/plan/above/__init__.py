"""What stands above the joins of a SELECT, divided: groups, windows, DISTINCT, ORDER BY with LIMIT, set operations, and
the root of the plan. Pure functions over syntax trees, in the coordinator process.
"""
