# Everything a person runs from a clone. `make` alone lists it.
# Needs Python 3.11 or newer (with its venv module), git and make; the rest comes from the lock files into .venv.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
WORKERS ?= 2

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help demo test check docs bench-tpch bench-latency bench-select bench-copy bench-insert bench-mpp bench-tpcds bench-recovery bench-clients bench-wire bench-failover bench-replication bench-ledger bench-maintenance lock clean

help:
	@echo "make demo           start Mere over an S3 server, load TPC-H, run and check its 22 queries"
	@echo "make test           run every test (TESTS=tests/unit for a part, WORKERS=0 in one process)"
	@echo "make check          lint and types"
	@echo "make bench-tpch     the 22 queries against a native DuckDB (SCALES='1 10')"
	@echo "make bench-latency  small statements against PostgreSQL 18, and planning over 10,000 files"
	@echo "make bench-select   wide results against PostgreSQL 18"
	@echo "make bench-copy     COPY FROM against PostgreSQL 18"
	@echo "make bench-mpp      the 22 queries on two segments (bench/mpp.py tells of other engines beside)"
	@echo "make bench-tpcds    the 99 queries of TPC-DS on two segments"
	@echo "make bench-recovery a segment killed in the middle of a query, 20 times"
	@echo "make bench-clients  64 clients with the 22 queries at random"
	@echo "make bench-wire     drivers, point lookups and idle connections beside PostgreSQL 18"
	@echo "make bench-insert   one-row commits per second, with 1 and 8 sessions"
	@echo "make bench-failover the primary coordinator killed, paused, cut off, handed over, 20 times each"
	@echo "make bench-replication  commits with a standby, and bytes sent to it, beside a mirrored PostgreSQL 18"
	@echo "make bench-maintenance  what writers wait while a large table is rewritten"
	@echo "make bench-ledger   a coordinator pair under writers and every kind of harm for ten minutes"
	@echo "make docs           write docs/settings.md anew"
	@echo "make lock           write the lock files anew (needs uv)"
	@echo "make clean          remove the environment and caches"

demo: $(VENV)/.runtime
	@$(BIN)/mere demo

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy

docs: $(VENV)/.dev
	@$(BIN)/python -m mere.cli.settings_page > docs/settings.md

bench-tpch: $(VENV)/.dev
	@$(BIN)/python -m bench.tpch $(SCALES)

bench-latency bench-select bench-copy bench-insert bench-mpp bench-tpcds bench-recovery bench-clients bench-wire bench-failover bench-replication bench-ledger bench-maintenance: bench-%: $(VENV)/.dev
	@$(BIN)/python -m bench.$*

$(VENV)/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Mere needs Python 3.11 or newer; none was found (name one with make PYTHON=...)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) lacks its venv module: on Debian, apt install python3-venv." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/pyvenv.cfg requirements.lock pyproject.toml
	@echo "Preparing $(VENV) from requirements.lock (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Preparing $(VENV) from requirements-dev.lock (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links pyproject.toml requirements.in

lock:
	@$(LOCK) --extra demo -o requirements.lock
	@$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis src/*.egg-info
