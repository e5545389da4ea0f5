# Everything is made in .venv, from setup.cfg, the first time and again whenever setup.cfg or pyproject.toml changes.
# After that nothing here needs a network.

PYTHON ?= python3
SECONDS ?= 10
ROUNDS ?= 100
VENV := .venv
BIN := $(VENV)/bin

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types imports bench crash check clean

help:
	@echo "make demo     run a whole switch with simulators for 20 seconds, and check what it did"
	@echo "make test     run the test suite"
	@echo "make lint     check style and format with ruff"
	@echo "make types    check types with mypy --strict"
	@echo "make imports  check which room imports which"
	@echo "make check    all of lint, types, imports and test"
	@echo "make bench    measure the codec, the ledger and the switch (SECONDS=$(SECONDS) for each measure)"
	@echo "make crash    kill processes and PostgreSQL under load (ROUNDS=$(ROUNDS) on each database), and miss nothing"
	@echo "make clean    remove what was made here: .venv, caches, builds and the demo's files"

demo: $(VENV)/.installed
	$(BIN)/junctor demo

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# mypy runs inside tests/, because at the root it would take codecs/ for the standard library's module of that name.
types: $(VENV)/.installed-test
	cd tests && MYPYPATH=../$(VENV)/src:support ../$(BIN)/mypy -p junctor --config-file ../pyproject.toml

imports: $(VENV)/.installed-test
	$(BIN)/lint-imports --no-logo --no-cache

bench: $(VENV)/.installed-test
	$(BIN)/python tests/benchmarks/codec.py --seconds $(SECONDS)
	$(BIN)/python tests/benchmarks/ledger.py --seconds $(SECONDS)
	$(BIN)/python tests/benchmarks/switch.py --seconds $(SECONDS)

crash: $(VENV)/.installed-test
	$(BIN)/python tests/support/crash_rounds.py --rounds $(ROUNDS)

check: lint types imports test

clean:
	rm -rf $(VENV) build dist junctor.egg-info var/demo
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis tests/.mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Junctor needs Python 3.11 or later; name one with: make PYTHON=python3.12"; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || \
	    { rm -rf $(VENV); echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: setup.cfg pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing Junctor into $(VENV) ..."
	@$(BIN)/python -m pip install -qq -e .
	@touch $@

$(VENV)/.installed-test: setup.cfg pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing Junctor and its test tools into $(VENV) ..."
	@$(BIN)/python -m pip install -qq -e '.[test]'
	@mkdir -p $(VENV)/src && ln -sfn ../.. $(VENV)/src/junctor
	@touch $(VENV)/.installed $@
