# make run      everything: environment, database, sandbox, web server, worker; Ctrl-C stops all of it
# make test     the whole suite, side by side; make test ARGS="-k history -x" passes options to pytest (-n 0: one by one)
#               make test COVERAGE=1 measures what it runs; .venv/bin/python .ci/coverage_report.py prints it
# make check    linters, types, migrations, deployment settings, published advisories on dependencies
# make install  only the environment
# make bench    the benches, as a table with the bar beside each figure
# PYTHON=/path/to/python chooses the Python the environment is made with.

PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
ARGS :=
COVERAGE :=
export PYTHON

# An environment whose Python has gone (a system upgrade) is made again.
$(shell $(PY) -c '' 2>/dev/null || rm -f .venv/.made .venv/.run .venv/.dev)

.PHONY: run test check install bench

run: .venv/.run
	@$(PY) manage.py portal

install: .venv/.run

test: .venv/.dev
	@$(PY) -m pytest $(if $(COVERAGE),--cov --cov-report= )-n $$($(PY) -c "import os; print(min(4, (os.cpu_count() or 1) + 1))") $(ARGS)

bench: .venv/.dev
	@$(PY) -m tests.bench $(ARGS)

check: .venv/.dev
	$(PY) -m ruff check . .ci/*.py
	$(PY) -m ruff format --check . .ci/*.py
	$(PY) -m mypy
	$(PY) -m djlint --lint --quiet templates
	@.ci/check-django $(PY)
	@$(PY) .ci/audit.py

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
