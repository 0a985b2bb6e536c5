# Needs Python 3.11 or newer, make and a package index; everything else is installed into $(VENV) from the lock.
# PYTHON=python3.13 chooses the interpreter, VENV=path the environment, JOBS=4 the test processes,
# ARGS='…' is handed to the command of the target: make test ARGS='-k windows -m "not slow"'.
PYTHON ?= python3
VENV ?= .venv
VENV_DUCKDB15 ?= build/venv-duckdb-1.5
VENV_AUDIT ?= build/venv-audit
JOBS ?= 2
ARGS ?=
UV ?= uv

MAKEFLAGS += --no-builtin-rules --no-print-directory
PIP_INSTALL := -m pip --disable-pip-version-check install --quiet --quiet
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
RUN := $(VENV)/bin/
# pytest's own code for "nothing ran" is easy to take for a failed test, and must not pass for success.
EXPLAIN_PYTEST := { code=$$?; test $$code -ne 5 || echo "No test was collected, so nothing was shown." >&2; exit $$code; }
READY := $(VENV)/.ready
READY_DUCKDB15 := $(VENV_DUCKDB15)/.ready
LOCKS := requirements.lock requirements-duckdb-1.5.lock requirements-audit.lock

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-duckdb15 lint format format-check types lock lock-check audit bench guard answers build clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## Install callsync and its tools into .venv, from the lock

demo: $(READY) ## Sync three simulated providers into a DuckDB file; no credentials, no network
	@$(RUN)callsync demo $(ARGS)

test: $(READY) ## Run every test, in random order
	@$(RUN)pytest -n $(JOBS) $(ARGS) || $(EXPLAIN_PYTEST)

test-duckdb15: $(READY_DUCKDB15) ## Run every test on DuckDB 1.5, the oldest one supported
	@$(VENV_DUCKDB15)/bin/pytest -n $(JOBS) $(ARGS) || $(EXPLAIN_PYTEST)

lint: $(READY) ## Check Python with ruff and SQL with sqlfluff
	@$(RUN)ruff check --quiet .
	@$(RUN)sqlfluff lint --disable-progress-bar --processes $(JOBS) sql docs/questions

format: $(READY) ## Put imports and layout in order
	@$(RUN)ruff check --quiet --select I --fix .
	@$(RUN)ruff format .

format-check: $(READY) ## Fail where make format would change something
	@$(RUN)ruff format --check --quiet --diff .

types: $(READY) ## Check types with mypy --strict
	@$(RUN)mypy $(ARGS)

lock: ## Renew the lock files from pyproject.toml (needs uv; newest versions: ARGS=--upgrade)
	@command -v $(UV) > /dev/null || { echo "make lock needs uv: install it, or name it with UV=path" >&2; exit 1; }
	@$(COMPILE) --extra dev $(ARGS) --output-file requirements.lock pyproject.toml > /dev/null
	@echo 'duckdb>=1.5,<1.6' | $(COMPILE) $(ARGS) --output-file requirements-duckdb-1.5.lock - > /dev/null
	@echo 'pip-audit>=2.10,<3' | $(COMPILE) $(ARGS) --output-file requirements-audit.lock - > /dev/null

# Asks pip whether what pyproject.toml requires is met by what the lock installed, with no index to fetch from.
lock-check: $(READY) ## Fail where pyproject.toml asks for something the lock does not hold
	@PIP_FIND_LINKS= $(RUN)python $(PIP_INSTALL) --dry-run --no-index --no-build-isolation --editable '.[dev]' \
	  || { echo "requirements.lock is behind pyproject.toml: run make lock" >&2; exit 1; }
	@$(RUN)python -m pip check > /dev/null

audit: $(VENV_AUDIT)/.locked ## Ask an advisory service about every locked version (needs a network)
	@$(VENV_AUDIT)/bin/python .ci/audit $(ARGS) $(VENV_AUDIT)/bin/pip-audit $(LOCKS)

bench: $(READY) ## Measure speed and memory beside the peers, and write benchmarks/RESULTS.md
	@$(RUN)python -m benchmarks $(ARGS)

guard: $(READY) ## Fail where a load takes much more processor time than it did, beside the floor
	@$(RUN)python -m benchmarks.guard $(ARGS)

answers: $(READY) ## Write the answers to the questions of docs/questions/ into README.md
	@$(RUN)python docs/answers.py

build: $(READY) ## Build the wheel and the source archive into dist/
	@$(RUN)python -m build --no-isolation --outdir dist . > /dev/null
	@ls dist

clean: ## Remove the environments, caches and build products
	@rm -rf $(VENV) $(VENV_DUCKDB15) $(VENV_AUDIT) benchmarks/.envs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# A venv is made anew when its lock changes, so that it never holds what the lock no longer names.
define make_venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "callsync needs Python 3.11 or newer; choose one: make PYTHON=python3.13" >&2; exit 1; }
	@echo "Installing the locked packages into $(@D)"
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) --require-hashes --requirement requirements.lock
endef

$(VENV)/.locked: requirements.lock
	$(make_venv)
	@touch $@

$(VENV_DUCKDB15)/.locked: requirements.lock requirements-duckdb-1.5.lock
	$(make_venv)
	@$(@D)/bin/python $(PIP_INSTALL) --require-hashes --no-deps --requirement requirements-duckdb-1.5.lock
	@touch $@

# The tool has an environment of its own: nothing that callsync or its tests use depends on it.
$(VENV_AUDIT)/.locked: requirements-audit.lock
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) --require-hashes --requirement requirements-audit.lock
	@touch $@

# Only the name, the command and the requirements live in the install; the code is read from the checkout.
%/.ready: %/.locked pyproject.toml
	@$(@D)/bin/python $(PIP_INSTALL) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

.PRECIOUS: %/.locked
