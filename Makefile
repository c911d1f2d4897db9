# `make` alone lists the commands.
# PYTHON=/path/to/python chooses the Python for the environment.

PY := .venv/bin/python
PYTEST = $(PY) -m pytest $(if $(COVERAGE),--cov --cov-report= )-n $$($(PY) -c "import os; print(min(4, (os.cpu_count() or 1) + 1))")
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
ARGS :=
COVERAGE :=
export PYTHON

# Recreate the environment if its Python is gone (after a system upgrade).
$(shell $(PY) -c '' 2>/dev/null || rm -f .venv/.made .venv/.run .venv/.dev)

.PHONY: help run dev test test-all check messages bench install

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: .venv/.run  ## start everything: database, sandbox (without a key), worker, web server; Ctrl-C stops it. ARGS=--empty starts a sandbox without examples
	@$(PY) manage.py portal $(ARGS)

# The environment wins over `.env` and this default, so PORTAL_DEBUG=false works here, too.
dev: .venv/.dev  ## the same for development: restarts when a file changes, with Django's debug pages
	@PORTAL_DEBUG=$${PORTAL_DEBUG:-true} $(PY) manage.py portal --reload

test: .venv/.dev  ## run most tests; ARGS="-k history -x" goes to pytest, COVERAGE=1 measures coverage
	@$(PYTEST) -m 'not (browser or whole or long)' $(ARGS)
	@echo "make test-all also runs the tests that use a browser, start whole portals, or take half a minute or more each."

test-all: .venv/.dev  ## run all tests: with a browser, with whole portals, and the long ones, too
	@$(PYTEST) $(ARGS)

bench: .venv/.dev  ## measure performance and write docs/benchmarks.md; takes an hour. ARGS="history files" or ARGS=quick runs part of it
	@$(PY) -m tests.bench $(ARGS)

check: .venv/.dev  ## linters, types, migrations, deployment settings, vulnerable dependencies
	$(PY) -m ruff check . .ci/*.py
	$(PY) -m ruff format --check . .ci/*.py
	$(PY) -m mypy
	.venv/bin/djangofmt --check --quiet templates
	$(PY) -m djlint --lint --quiet templates
	@.ci/check-scripts
	@.ci/check-django $(PY)
	@$(PY) .ci/messages.py --check
	@$(PY) .ci/audit.py

messages: .venv/.dev  ## gather texts for translation into runs/locale and compile the catalogues
	@$(PY) .ci/messages.py

install: .venv/.run  ## only create the environment, in .venv

# Stamp files are written last, so that interrupted work is done again.
.venv/.made:
	@.ci/make-venv .venv
	@touch $@

.venv/.run: requirements.txt | .venv/.made
	@echo "Installing the portal's dependencies into .venv"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt | .venv/.made
	@echo "Installing the portal's dependencies and the test tools into .venv"
	@$(PIP) --no-compile -r requirements-dev.txt  # compiling everything takes longer than the first tests' imports
	@touch $@
