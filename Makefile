# What people call here. Needs Python 3.11 to 3.13 and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help env bench demo demo-s3 dev test torture torture-short test-cluster test-deploy test-ui screenshots check audit format lock clean

help: ## show this
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

env: $(READY) ## set up .venv

# Done again only when the lock or the project's own metadata change.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; found $$($(PYTHON) --version). Set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@echo "installing the packages of requirements.lock into .venv ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

bench: env ## the project beside what people would write instead (A and B: some 30 minutes)
	@$(BIN)/python -m bench

demo: env ## generate sample data, load it, show the most played songs
	@$(BIN)/sparkify demo

demo-s3: env ## the same on an S3 server of its own, driven by the sensor (a minute or two)
	@$(BIN)/python -m sparkify_assets_tests.s3.demo

dev: env ## Dagster's UI on http://127.0.0.1:3000
	@$(BIN)/dagster dev --host 127.0.0.1

test: env ## all tests, on the embedded engine and on Apache Spark
	@$(BIN)/python -m pytest --engine=embedded -m "not cluster and not deploy and not ui" -n 2 --dist worksteal
	@$(BIN)/python -m sparkify_assets_tests.apache_spark

torture: env ## break things on purpose: MINUTES=60, ONLY=bucket, MORE="--seed 7 --help"
	@$(BIN)/python -m sparkify_assets_tests.torture --minutes $(or $(MINUTES),60) \
		$(addprefix --only ,$(ONLY)) $(MORE)

torture-short: env ## the same in a quarter of an hour, as CI does
	@$(BIN)/python -m sparkify_assets_tests.torture --short $(MORE)

test-cluster: env ## a Spark cluster of its own, also where workers die (some minutes; needs Java 17)
	@$(BIN)/python -m pytest --engine=embedded -m cluster sparkify_assets_tests/cluster

test-deploy: env ## a deployment with PostgreSQL (some minutes; needs PostgreSQL installed)
	@$(BIN)/python -m pytest --engine=embedded -m deploy sparkify_assets_tests/deploy

test-ui: env ## Dagster's UI in a real browser (needs chromium; a few minutes)
	@$(BIN)/python -m pytest --engine=embedded -m ui sparkify_assets_tests/ui

screenshots: env ## make the pictures in docs/images again (needs chromium)
	@$(BIN)/python -m sparkify_assets_tests.ui.screenshots

check: env ## format, lint, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

audit: env ## known advisories against requirements.lock (needs PyPI's advisory database)
	@$(BIN)/uvx --quiet pip-audit==2.10.1 --strict --progress-spinner off --require-hashes --disable-pip \
		-r requirements.lock

format: env ## put the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: env ## renew requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements.lock

clean: ## remove what was set up and cached (not the data)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
