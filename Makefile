# `make` alone lists what can be made.
# PYTHON=/path/to/python chooses the Python that the environment is made with.

PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
ARGS :=
COVERAGE :=
export PYTHON

# An environment whose Python has gone (a system upgrade) is made again.
$(shell $(PY) -c '' 2>/dev/null || rm -f .venv/.made .venv/.run .venv/.dev)

.PHONY: help run dev test check bench install

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: .venv/.run  ## start everything: database, sandbox (without a key), worker, web server; Ctrl-C stops all of it
	@$(PY) manage.py portal

# Settings named on the command line win over `.env`, so PORTAL_DEBUG=false is possible here, too.
dev: .venv/.dev  ## the same for work on the portal: starts again when a file changes, with Django's debug pages
	@PORTAL_DEBUG=$${PORTAL_DEBUG:-true} $(PY) manage.py portal --reload

test: .venv/.dev  ## the whole suite; ARGS="-k history -x" goes to pytest, COVERAGE=1 measures what it runs
	@$(PY) -m pytest $(if $(COVERAGE),--cov --cov-report= )-n $$($(PY) -c "import os; print(min(4, (os.cpu_count() or 1) + 1))") $(ARGS)

bench: .venv/.dev  ## the benches, with the bar beside each figure; an hour. ARGS="history files" runs some
	@$(PY) -m tests.bench $(ARGS)

check: .venv/.dev  ## linters, types, migrations, deployment settings, published advisories on dependencies
	$(PY) -m ruff check . .ci/*.py
	$(PY) -m ruff format --check . .ci/*.py
	$(PY) -m mypy
	$(PY) -m djlint --lint --quiet templates
	@.ci/check-django $(PY)
	@$(PY) .ci/audit.py

install: .venv/.run  ## only the environment, in .venv

# Stamps: written last, so whatever was interrupted half-way is done again.
.venv/.made:
	@.ci/make-venv .venv
	@touch $@

.venv/.run: requirements.txt | .venv/.made
	@echo "Installing what the portal needs into .venv"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt | .venv/.made
	@echo "Installing the portal's needs and the test tools into .venv"
	@$(PIP) -r requirements-dev.txt
	@touch $@
