# Foramen's main jobs. `make demo` and `make test` need only Python 3.11 and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SHELL := /bin/bash

.PHONY: pango demo test check validate bench docs clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $(VENV)/.installed $@

demo: $(VENV)/.installed pango  ## plan the built-in patient and say where the report is
	$(BIN)/foramen demo --out demo --overwrite

# WeasyPrint draws pages with the system's Pango; where it is missing and we may, install it.
pango: $(VENV)/.installed
	@$(BIN)/python -c "import weasyprint" 2>/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq libpangoft2-1.0-0; } || \
	  echo "Pango is missing: PDF pages cannot be made. Install it (apt-get install libpangoft2-1.0-0, brew install pango)."

test: $(VENV)/.installed-dev pango  ## everything needed for the whole suite, then the whole suite
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/foramen knowledge check
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]' || echo "NGSolve cannot be had here: its comparison is skipped."
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.installed-dev  ## format, lint, types, imports, fast tests
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadfile -q -m "not slow and not data"

validate: $(VENV)/.installed-dev  ## the large tables (resumable)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -m benchmarks.validate

bench: $(VENV)/.installed-dev  ## speed and accuracy (beside a peer where there is one)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -m benchmarks.run
	$(BIN)/foramen bench rf

docs: $(VENV)/.installed-dev  ## the documentation
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	$(BIN)/python -m sphinx -q -b html docs docs/_build/html

clean:
	rm -rf $(VENV) demo docs/_build
