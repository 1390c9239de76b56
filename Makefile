# make demo   set up and run the demonstration; needs no files
# make test   set up and run all tests
# Choose an interpreter with: make test PYTHON=python3.13

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

# Another interpreter than the default gets an environment of its own beside it.
ifeq ($(origin PYTHON),file)
VENV ?= .venv
else
VENV ?= .venv-$(PYTHON_VERSION)
endif
BIN := $(VENV)/bin

PINS := $(wildcard constraints/py$(subst .,,$(PYTHON_VERSION)).txt)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PINS:%=-c %)
MADE := $(VENV)/made-with-$(PYTHON_VERSION)

NPROC ?= 2
PYTEST_ARGS ?=

.PHONY: help demo test test-long lint format types docs bench constraints clean

help:
	@echo "make demo         set up and run the demonstration (writes demo-output/)"
	@echo "make test         set up and run the tests, doctests included"
	@echo "make test-long    run those that take half a minute or more each"
	@echo "make lint         ruff check, ruff format --check, pyright"
	@echo "make format       let ruff put the code in order"
	@echo "make docs         build the site into docs/_build/html, warnings are errors"
	@echo "make bench        run the benchmarks"
	@echo "make constraints  pin the newest versions for this Python in constraints/"
	@echo "make clean        remove environments and everything built"
	@echo "PYTHON=python3.13 chooses an interpreter, PYTEST_ARGS='-k wstat' goes to pytest"

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "gammajax needs Python 3.11 or newer, and $(or $(PYTHON),python3) is: $$($(or $(PYTHON),python3) --version 2>&1)"; \
		echo "Install one, or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.13"; exit 1; }
	@echo "Making the environment $(VENV) with Python $(PYTHON_VERSION)"
	@$(PYTHON) -m venv --clear $(VENV) || { \
		echo "Could not make $(VENV). On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.run: $(MADE) pyproject.toml $(PINS)
	@echo "Installing gammajax into $(VENV)"
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.test: $(MADE) pyproject.toml $(PINS)
	@echo "Installing gammajax with its test tools into $(VENV)"
	@$(INSTALL) -e ".[test]"
	@touch $@

$(VENV)/.dev: $(MADE) pyproject.toml $(PINS)
	@echo "Installing gammajax with all tools into $(VENV)"
	@$(INSTALL) -e ".[dev]"
	@touch $@

demo: $(VENV)/.run
	$(BIN)/gammajax demo --output demo-output

test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(NPROC) $(PYTEST_ARGS)

test-long: $(VENV)/.test
	$(BIN)/python -m pytest -n $(NPROC) -m long $(PYTEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) types

types: $(VENV)/.dev
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -E -W --keep-going -q -j auto -b html docs docs/_build/html
	@echo "The site is in docs/_build/html/index.html"

bench: $(VENV)/.test
	$(BIN)/python -m pytest benchmarks --benchmark-only -p no:xdist $(PYTEST_ARGS)

constraints: $(MADE)
	$(BIN)/python constraints/update.py

clean:
	rm -rf .venv .venv-* build dist docs/_build docs/api/generated demo-output
