# Everything a newcomer types. Works with GNU Make 4 and with the 3.81 that macOS ships.
# `make test ARGS="-k usage"` passes arguments on; `make run PYTHON=/path/to/python3.12` picks an interpreter.

SHELL := /bin/sh
BIN   := .venv/bin
ARGS  :=

# Tried in this order. Each is run, not just found: a pyenv shim can exist and still fail.
PYTHONS := $(strip $(PYTHON) python3 python python3.14 python3.13 python3.12 python3.11)
USABLE  := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r
# --universal: one lock for every platform and every Python from 3.11 up.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header $(ARGS)

# Two workers, as CI has two cores; a file's tests stay together, with the servers and browsers that they share. In the
# order of the folders: the browser's files, few tests that take long, come early. One worker: make test ARGS="-n 0".
WORKERS := -n 2 --dist loadfile --no-loadscope-reorder

# An environment whose interpreter has gone (an upgrade, a moved folder) is made anew. Removed before make looks at
# its files, because make would go on believing in the stamps inside.
$(shell [ ! -d .venv ] || $(BIN)/python -c '' 2>/dev/null || rm -rf .venv)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test bench lint lint-style lint-imports lint-types lint-house format lock messages

help:          ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

run: .venv/.runtime    ## Set up when needed, then serve the pages and the API
	@$(BIN)/python Home.py

test: .venv/.dev       ## Run the tests
	@$(BIN)/python -m pytest $(WORKERS) $(ARGS)

bench: .venv/.dev      ## Measure; one JSON line a figure
	@$(BIN)/python -m tests.bench $(ARGS)

lint: lint-style lint-imports lint-types lint-house    ## Check style, layers, types and house rules

lint-style: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-imports: .venv/.dev
	$(BIN)/lint-imports --no-logo

lint-types: .venv/.dev
	$(BIN)/pyright

lint-house: .venv/.dev
	$(BIN)/python -m pytest tests/architecture -q

format: .venv/.dev     ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

messages: .venv/.dev   ## Bring the translation catalogues in step with the code
	@$(BIN)/python -m tests.support.catalogue

lock: .venv/.dev       ## Compile requirements*.in into the locks (ARGS=--upgrade for newer versions)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt

# The stamps are what makes a second `make run` immediate: pip runs only when a lock is newer.
.venv/.runtime: requirements.txt $(BIN)/python
	@echo "Installing what AIHub needs (about a minute the first time)" >&2
	@$(PIP_INSTALL) requirements.txt
	@touch $@

# The development lock holds every runtime pin too, so one install serves both.
.venv/.dev: requirements-dev.txt $(BIN)/python
	@echo "Installing what AIHub and its checks need (a minute or two the first time)" >&2
	@$(PIP_INSTALL) requirements-dev.txt
	@touch .venv/.runtime $@

$(BIN)/python:
	@for python in $(PYTHONS); do \
		if "$$python" -c '$(USABLE)' >/dev/null 2>&1; then \
			echo "Creating .venv with $$("$$python" --version)" >&2; \
			"$$python" -m venv --clear .venv && exit 0; \
			rm -rf .venv; \
		fi; \
	done; \
	echo "AIHub needs Python 3.11 or newer with the venv module, and none of these runs: $(PYTHONS)." >&2; \
	echo "Install one (on Debian and Ubuntu also its -venv package), or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; \
	exit 1
