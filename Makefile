# What a person types. A fresh machine needs git, make and Python 3.11 or newer.
.DEFAULT_GOAL := help
.PHONY: help run test lint format bench bench-full chaos timemachine lock clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
STAMP_DEV := $(VENV)/.installed-dev
NEWEST_FIRST := python3.13 python3.12 python3.11 python3.14 python3
PIP_FLAGS := --quiet --disable-pip-version-check --require-hashes

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(STAMP) ## start everything; prints the URL when ready
	@exec $(BIN)/python manage.py up $(ARGS)

test: $(STAMP_DEV) ## all tests (ARGS="-k dedup" for some)
	@exec $(BIN)/python -m pytest --numprocesses=2 --dist=loadscope \
	  --no-loadscope-reorder --durations=40 --durations-min=3 $(ARGS)

lint: $(STAMP_DEV) ## format, rules, types, imports, migrations, deployment
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@set -e; home=$$(mktemp -d); trap 'rm -rf "$$home"' EXIT; \
	ALERTCENTER_ENV=test ALERTCENTER_HOME="$$home" \
	  $(BIN)/python -W ignore manage.py makemigrations --check --dry-run; \
	ALERTCENTER_ENV=production ALERTCENTER_HOME="$$home" \
	ALERTCENTER_SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
	ALERTCENTER_KEK="$$($(BIN)/python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())')" \
	ALERTCENTER_ALLOWED_HOSTS=alerts.example.org \
	ALERTCENTER_BASE_URL=https://alerts.example.org \
	DATABASE_URL=postgres://alertcenter:secret@localhost:5432/alertcenter \
	REDIS_URL=redis://localhost:6379/0 \
	  $(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(STAMP_DEV) ## let ruff format and mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP_DEV) ## measure on this machine (10 minutes at most)
	@exec $(BIN)/python -m bench $(ARGS)

bench-full: $(STAMP_DEV) ## the long measurements
	@exec $(BIN)/python -m bench --full $(ARGS)

chaos: $(STAMP_DEV) ## kill, stall and cut off everything over 10,000 escalation steps (20 minutes)
	@exec $(BIN)/python -m tests.chaos $(ARGS)

timemachine: $(STAMP_DEV) ## live through a simulated year of 10,000 incidents (needs faketime)
	@exec $(BIN)/python -m tests.timemachine $(ARGS)

lock: ## resolve requirements*.txt anew, with hashes (needs uv)
	uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url requirements.txt -o requirements.lock
	uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url requirements-dev.txt -o requirements-dev.lock

clean: ## remove what was built; data in var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache artifacts

# Made anew when the lock changes, never otherwise: the second start is quick.
$(STAMP): requirements.lock | $(BIN)/python
	@echo "Installing requirements.lock ..." >&2
	@$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements.lock
	@touch $@

$(STAMP_DEV): requirements-dev.lock | $(BIN)/python
	@echo "Installing requirements-dev.lock ..." >&2
	@$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements-dev.lock
	@touch $(STAMP) $@

$(BIN)/python:
	@for name in $(NEWEST_FIRST); do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    $$name -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); \
	    echo "alertcenter: $$name cannot make a virtual environment: install its venv package (Debian: apt-get install python3-venv)." >&2; \
	    exit 1; \
	  fi; \
	done; \
	echo "alertcenter: Python 3.11 or newer is needed and was not found." >&2; exit 1
