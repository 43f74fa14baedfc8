"""Other engines, each in an environment of its own: a program that runs queries, and the packages that it needs.

`python -m bench.peers.measure` is not run by hand: bench.mpp calls `<peer>.py FILES QUERIES REPEATS SECONDS`, which
prints a JSON line a query: {"query", "seconds" (of each run), "rows"} or {"query", "error"}.
"""
