"""Kernels in machine code for what runs over every byte of a large result: Arrow columns to protocol messages.

`text`, `binary`, `rows` are written in a small part of Python (see `language`), `compiler` and `machine` make machine
code of them by LLVM when a process starts, `encode` calls that. Runs in the process of the engine.
"""
