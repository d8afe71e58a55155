# SPDX-License-Identifier: GPL-2.0-or-later
# make demo   a virtual environment, the tool, an audit of the miniature tree, and a
#             scenario of the executable model: its splat, and the silence after the fix
# make test   the same, with the tests: the fast tier, and with a kernel at hand
#             (CTXLINT_KERNEL_TREE, or a linux-source package) the slow tier too
#             and the HTML report in Chromium, where that is installed
# make lint   ruff, mypy, import-linter
# make wheel  a wheel in dist/, installed elsewhere and tried on its own miniature tree

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV ?= .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
KERNEL := $(or $(CTXLINT_KERNEL_TREE),$(firstword $(wildcard /usr/src/linux-source-*.tar.xz)))

.PHONY: demo test test-fast test-slow test-browser lint wheel clean
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
	$(VENV)/bin/python -m pytest -m "not slow" tests

test-slow: $(VENV)/.ctxlint-test
	$(VENV)/bin/python -m pytest -m "slow and not browser" tests

# Skips, and says so, where Chromium and its driver are not installed.
test-browser: $(VENV)/.ctxlint-browser
	$(VENV)/bin/python -m pytest -m browser tests

lint: $(VENV)/.ctxlint-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

wheel: | $(VENV)/bin/python
	rm -rf dist && $(PIP) wheel --no-deps --wheel-dir dist .
	@where=$$(mktemp -d); trap 'rm -rf "$$where"' EXIT; code=0; \
	$(PYTHON) -m venv "$$where/venv"; \
	"$$where/venv/bin/python" -m pip --quiet install dist/*.whl; cd "$$where"; \
	tree=$$(venv/bin/python -c 'import ctxlint; print(ctxlint.__path__[0])')/data/fixtures/tree; \
	venv/bin/ctxlint audit -q --tree "$$tree" --cache cache --format html >report || code=$$?; \
	if [ $$code -ne 1 ]; then cat report; echo "wheel: exit code $$code, expected 1" >&2; exit 1; fi; \
	grep -q '<article class="card' report || { echo "wheel: no findings on the page" >&2; exit 1; }; \
	echo "wheel: works when installed elsewhere"

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
