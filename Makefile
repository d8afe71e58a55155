# SPDX-License-Identifier: GPL-2.0-or-later
# make demo   a virtual environment, the tool, an audit of the miniature tree, and a
#             scenario of the executable model: its splat, and the silence after the fix
# make test   the same, with the tests: the fast tier, and with a kernel at hand
#             (CTXLINT_KERNEL_TREE, or a linux-source package) the slow tier too
#             and the HTML report in Chromium, where that is installed
# make lint   ruff, mypy, import-linter
# make wheel  a wheel and a source archive in dist/, each installed elsewhere and tried
#             on its own miniature tree
# make documents  the pages of checks and rules, and the manual page, written anew

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV ?= .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
KERNEL := $(or $(CTXLINT_KERNEL_TREE),$(firstword $(wildcard /usr/src/linux-source-*.tar.xz)))

# Processes of the fast tier: TEST_JOBS=1 for readable output of a failure. Neighbours stay in
# one process, which has what they share.
TEST_JOBS ?= auto

.PHONY: demo test test-fast test-slow test-browser lint wheel documents clean
.DEFAULT_GOAL := demo

# Findings are what the demo is about, so exit code 1 is its success.
demo: $(VENV)/.ctxlint-run
	@cache=$$(mktemp -d); trap 'rm -rf "$$cache"' EXIT; code=0; \
	$(VENV)/bin/ctxlint audit --tree fixtures/tree --cache "$$cache" || code=$$?; \
	if [ $$code -ne 1 ]; then echo "demo: exit code $$code, expected 1 (findings)" >&2; exit 1; fi; \
	echo; echo "The executable model, before the fix and after it:"; echo; \
	$(VENV)/bin/ctxlint model run M0-01 --only "before the fix, PREEMPT_RT" \
		--only "after the fix, PREEMPT_RT" --brief

test: test-fast test-browser $(if $(KERNEL),test-slow)
	@$(if $(KERNEL),,echo "No kernel at hand: the slow tier was not run. Set CTXLINT_KERNEL_TREE.")

test-fast: $(VENV)/.ctxlint-test
	$(VENV)/bin/python -m pytest -m "not slow" -n $(TEST_JOBS) --dist worksteal tests

# A file of tests stays in one process; all of them share build directories and facts.
test-slow: $(VENV)/.ctxlint-test
	$(VENV)/bin/python -m pytest -m "slow and not browser" -n $(TEST_JOBS) --dist loadfile \
		--durations 10 tests

# Skips, and says so, where Chromium and its driver are not installed.
test-browser: $(VENV)/.ctxlint-browser
	$(VENV)/bin/python -m pytest -m browser tests

lint: $(VENV)/.ctxlint-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

documents: $(VENV)/.ctxlint-run
	$(VENV)/bin/python tools/documents.py

wheel: $(VENV)/.ctxlint-build
	rm -rf dist && $(VENV)/bin/python -m build --outdir dist .
	@for file in dist/*.whl dist/*.tar.gz; do tools/try-package "$(PYTHON)" "$$PWD/$$file"; done

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ctxlint-run: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable .
	@touch $@

$(VENV)/.ctxlint-%: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable '.[$*]'
	@touch $@ $(VENV)/.ctxlint-run

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
