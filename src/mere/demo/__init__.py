"""The demo: TPC-H through a real server over a real object store, checked row by row."""
