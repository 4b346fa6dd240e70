# make run   everything on this machine, with the demo site        make test   all tests
# make bench all benches          make torture  a million spoilt frames for each codec, a hundred faults for a site
# make pages every page and dialog, as every role, in both languages, sizes and themes: pictures, and what axe finds
# make lint  make clean
# Variables: SITE=config/sites/….yaml (several: a.yaml,b.yaml)  PORT=8080  RHYTHM=1  WORKERS=4 (tests side by side)
#            HOST=127.0.0.1 (0.0.0.0 or an address of this machine: its network, over TLS)

SHELL := /bin/bash
PYTHON ?= python3
SITE ?= config/sites/demo.yaml
PORT ?= 8080
HOST ?= 127.0.0.1
RHYTHM ?= 1
WORKERS ?= 4

VENV := var/venv
PY := $(VENV)/bin/python
NODE_ENV := var/node/env
# Other implementations that ours is compared with, each in an environment of its own.
TEST_PEERS := modbus-tk osdp dlt645 python-dlt645 meterbus
BENCH_PEERS := thingsboard

# What Python compiles is kept: a test starts hundreds of processes, and each worker reads every test.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test bench torture pages lint style types console-types console-tests read clean python console tools peers

run: python console
	@exec $(PY) -m simulators demo --site "$(SITE)" --port "$(PORT)" --host "$(HOST)" --rhythm "$(RHYTHM)"

test: python console tools peers
	@# Each of these keeps one core busy.
	@$(MAKE) --no-print-directory -j2 --output-sync=target console-tests types console-types style read
	@# Exit 1: some failed. A few are tried again by themselves, and named.
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not alone and not pages" $(PYTEST) \
		|| { test $$? = 1 && $(PY) -m tests.again $(PYTEST); }
	@# A whole site under torture would make its neighbours late: it runs by itself. Exit 5: none was asked for.
	$(PY) -m pytest -m alone $(PYTEST) || test $$? = 5

bench: python console tools peers
	@PYTHON=$(PY) deploy/peers/make $(BENCH_PEERS)
	$(PY) -m tests.bench all $(BENCH)

torture: python console tools
	$(PY) -m tests.torture $(TORTURE)
	$(PY) -m tests.bench torture

pages: python console tools
	$(PY) -m pytest tests/journeys/test_pages.py $(PYTEST)

lint: style types console-types

style: python
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: python
	$(VENV)/bin/mypy

console-types: console
	. $(NODE_ENV) && cd web/console && npm run --silent typecheck

console-tests: console
	. $(NODE_ENV) && cd web/console && npm test --silent

# Once for all workers: pytest rewrites what tests assert, and keeps it. What cannot be read, the run itself tells.
read: python
	@$(PY) -m pytest --collect-only -qq $(PYTEST) >/dev/null 2>&1 || true

# --- What the targets stand on; each is made again only when what it is made from has changed

python: $(VENV)/.made

$(VENV)/.made: requirements.lock
	@deploy/prepare python
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked Python packages …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

$(NODE_ENV): $(VENV)/.made deploy/node.lock
	@deploy/node $(PY) $@

web/console/node_modules/.made: web/console/package-lock.json $(NODE_ENV)
	@echo "Installing the locked console packages …"
	@. $(NODE_ENV) && cd web/console && npm ci --silent --no-audit --no-fund
	@touch $@

console: web/console/dist/index.html

web/console/dist/index.html: web/console/node_modules/.made $(shell find web/console/src web/console/public web/console/worker web/console/*.* -type f 2>/dev/null)
	@echo "Building the console …"
	@. $(NODE_ENV) && cd web/console && npm run --silent build -- --logLevel error
	@touch $@

tools: python
	@deploy/prepare tests

peers: python
	@PYTHON=$(PY) deploy/peers/make $(TEST_PEERS)

clean:
	rm -rf var web/console/dist web/console/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
