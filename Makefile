# Builds .venv from the lock and runs the checks. Needs python3 (3.11 to 3.13) and make.
# Another interpreter: make PYTHON=python3.12

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PIP    := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
# Two workers help once the suite is longer than their start-up: make test WORKERS=0
WORKERS ?= 2

.PHONY: setup test lint demo bench

setup: $(STAMP)

test: lint
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

lint: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { \
	  echo "some files are not formatted. Mend: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/mypy --no-error-summary

demo: setup
	@$(BIN)/cbi demo

bench: setup
	@for name in kernels rebuild one_day histories; do \
	  $(BIN)/python -m bench.$$name || exit 1; done

# The environment holds what the lock says and nothing else: so it is made afresh.
$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
	  echo "expected Python 3.11 to 3.13; $(PYTHON) was not found." \
	       "Mend: install one, or say which: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
	  echo "expected Python 3.11 to 3.13; found $$($(PYTHON) --version 2>&1)." \
	       "Mend: make PYTHON=python3.12 (or 3.11, 3.13)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "expected the modules venv and ensurepip; this Python has them in a package" \
	       "of its own. Mend, on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "making $(VENV) from requirements.lock (half a minute to two minutes)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
