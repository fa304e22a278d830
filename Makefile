# Everything that is done with Signalbox. `make` alone lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# The Python that makes .venv: 3.11, or the system's own if that is newer. `make PYTHON=/path/to/python run` chooses.
ifndef PYTHON
PYTHON := $(shell for python in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
endif

BIN := .venv/bin
# Where a check only needs settings that load.
DEVELOPMENT := DEBUG=true
# As many tests at once as there are cores, up to four. PYTEST_ARGS adds to it: make test PYTEST_ARGS="-n 0 -k ring"
PARALLEL := -n logical --maxprocesses 4
PYTEST_ARGS ?=

.PHONY: help setup run test test-postgres test-browser test-faults test-faults-sqlite test-faults-postgres coverage lint format bench clean FORCE

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

# --- install ---------------------------------------------------------------------------------

setup: .venv/installed-dev ## install everything that developing needs

run: .venv/installed ## start Signalbox at http://127.0.0.1:8000 (PORT=9000 make run: elsewhere); Ctrl-C stops it
	@exec $(BIN)/python -m config.supervisor

# Each of these is looked at every time and does nothing when the requirements are those that were installed.
.venv/installed: FORCE .venv/bin/python
	@cmp -s requirements.txt $@ || { \
		echo "Installing what Signalbox needs …"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt \
		&& cp requirements.txt $@; }

.venv/installed-dev: FORCE .venv/installed
	@cat requirements.txt requirements-dev.txt | cmp -s - $@ || { \
		echo "Installing what its tests and checks need …"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt \
		&& cat requirements.txt requirements-dev.txt > $@; }

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Signalbox needs Python 3.11 or newer, and there is none on the PATH." >&2; \
		echo "Install it, or say where it is: make PYTHON=/path/to/python3.11 run" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "That Python cannot make a virtual environment (on Debian: apt-get install python3-venv)." >&2; exit 1; }

FORCE:

# --- check -----------------------------------------------------------------------------------

test: setup ## the suite, on SQLite and a Redis of its own
	@env -u DATABASE_URL $(BIN)/python -m pytest -m "not browser and not faults" $(PARALLEL) $(PYTEST_ARGS)

test-postgres: setup ## what knows a database, on PostgreSQL (a throw-away cluster, or DATABASE_URL's)
	@$(BIN)/python -m tests.postgres --database-only -m "not browser and not faults" $(PARALLEL) $(PYTEST_ARGS)

test-browser: setup ## the pages in a headless Chromium
	@env -u DATABASE_URL $(BIN)/python -m pytest -m browser $(PYTEST_ARGS)

test-faults: setup ## the tests that kill workers, Redis and the database; both databases side by side, as they mostly wait
	@$(MAKE) --no-print-directory -j2 --output-sync=target test-faults-sqlite test-faults-postgres

test-faults-sqlite: setup
	@env -u DATABASE_URL $(BIN)/python -m pytest -m faults $(PYTEST_ARGS)

test-faults-postgres: setup
	@$(BIN)/python -m tests.postgres -m faults $(PYTEST_ARGS) tests/faults

coverage: setup ## which lines and branches the suite reaches
	@env -u DATABASE_URL $(BIN)/python -m pytest -m "not browser" --cov --cov-report=term-missing:skip-covered $(PYTEST_ARGS)

lint: setup ## format, lint, types, import directions, migrations, settings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(DEVELOPMENT) $(BIN)/mypy config records webhooks automations
	$(BIN)/lint-imports
	$(DEVELOPMENT) $(BIN)/python manage.py makemigrations --check --dry-run
	ENV_FILE=/dev/null $(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python -m pytest tests/config/test_settings.py -k example

# What an installation has to say for itself; here only for `check --deploy`.
PRODUCTION := env -u DEBUG SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
	PUBLIC_URL=https://signalbox.example ALLOWED_HOSTS=signalbox.example \
	DATABASE_URL=postgres://signalbox@localhost/signalbox REDIS_URL=redis://localhost:6379/0

format: setup ## put the code in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## measure it
	@$(BIN)/python -m tests.bench

clean: ## remove what was made, except the data in var/
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage htmlcov staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
