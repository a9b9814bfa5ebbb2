# Everything that is done with the explorer; `make` alone lists it. Needs GNU make, a POSIX shell and Python.

PYTHON ?= python3
# Where torch is taken from first; empty means: only from where pip gets everything else.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# More for the program behind a target, as in: make test ARGS='-k smoothgrad'
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# The stamps are newer than the requirements they satisfy, so that nothing is installed twice.
RUN := $(VENV)/.run-installed
DEV := $(VENV)/.dev-installed
# Newer than all that the page and its files are made of.
PRECOMPRESSED := build/static-made
PAGE := app.py $(shell find explorer assets models -name '*.py' -o -name '*.js' -o -name '*.css' -o -name '*.npz')
TORCH = $$(grep '^torch==' requirements.txt)

.DEFAULT_GOAL := help
.PHONY: help run test lint bench load soak fuzz record train screenshots docs plotly clean browser
MAKEFLAGS += --no-print-directory

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: $(RUN) $(PRECOMPRESSED) ## Serve on http://127.0.0.1:8050; HOST, PORT and other settings come from the environment
	@exec $(BIN)/python app.py

test: $(DEV) browser ## Run all tests, those in a browser included
	@$(BIN)/python -m pytest $(ARGS)

lint: $(DEV) ## Check style and types
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy

bench: $(DEV) browser ## Measure what things cost
	@$(BIN)/python -m bench $(ARGS)

load: $(DEV) ## A class of 50, 150, 300 and 600 students; ARGS='300 --seconds 60' for others
	@$(BIN)/python -m bench load $(ARGS)

soak: $(DEV) ## 150 students for 20 minutes: does anything grow? ARGS='--minutes 5'
	@$(BIN)/python -m bench soak $(ARGS)

fuzz: $(DEV) ## 12,000 hostile requests beside a class that must not notice; ARGS='50000 --seed 7'
	@$(BIN)/python -m bench fuzz $(ARGS)

record: $(DEV) browser ## Record anew what a class sends, for load, soak and fuzz
	@$(BIN)/python scripts/record_bodies.py

train: $(DEV) ## Make the trained networks and the digits data anew; ARGS=--check only compares
	@$(BIN)/python models/train.py $(ARGS)

screenshots: $(DEV) browser ## Take the pictures in the documentation
	@$(BIN)/python scripts/screenshots.py $(ARGS)

docs: $(RUN) ## Write docs/methods.md anew from the table of methods
	@$(BIN)/python scripts/method_docs.py

plotly: ## Make the part of Plotly in assets/vendor/ anew, from the version pinned in scripts/plotly-bundle/; needs npm
	@cd scripts/plotly-bundle && npm ci --silent && npm run --silent build

clean: ## Delete what the other targets installed and cached
	@rm -rf $(VENV) build scripts/plotly-bundle/node_modules .pytest_cache .hypothesis .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

browser: $(DEV)
	@sh scripts/install-browser.sh $(BIN)/python

$(RUN): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, which '$(PYTHON)' is not: name one, as in PYTHON=python3.11 make run" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; \
		exit 1; }
	@echo 'Installing what the explorer needs into $(VENV); only the first time takes long.'
	@$(PYTHON) -m venv $(VENV)
	@[ -z '$(TORCH_INDEX)' ] \
		|| $(PIP) install --no-deps --retries 1 --timeout 15 --index-url '$(TORCH_INDEX)' "$(TORCH)" >/dev/null 2>&1 \
		|| echo "torch is not to be had from $(TORCH_INDEX); taking it from pip's usual place."
	@$(PIP) install -r requirements.txt
	@touch $@

$(PRECOMPRESSED): $(PAGE) $(RUN)
	@$(BIN)/python scripts/precompress.py
	@touch $@

$(DEV): requirements-dev.txt requirements-oracles.txt $(RUN)
	@echo 'Installing what tests and checks need into $(VENV).'
	@$(PIP) install -r requirements-dev.txt
	@$(PIP) install --no-deps -r requirements-oracles.txt
	@touch $@
