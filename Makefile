# Two commands set everything up: 'make demo' and 'make test'. Both are quick the second time.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
OUT ?= infoplane-demo

.PHONY: demo test lint types tests notebooks docs clean

demo: $(VENV)/.installed-core
	$(BIN)/infoplane demo --out $(OUT) --force

test: lint types tests

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy --strict -p infoplane

tests: $(VENV)/.installed-test
	$(BIN)/pytest -q -n 2 --dist loadfile

notebooks: $(VENV)/.installed-test
	$(BIN)/jupyter-execute --timeout=300 notebooks/*.ipynb

docs: $(VENV)/.installed-docs
	$(BIN)/sphinx-build -q -W --keep-going -n -d docs/_build/trees docs docs/_build/html
	@echo "docs/_build/html/index.html"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "infoplane needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-core: $(BIN)/python pyproject.toml
	@echo "installing infoplane and what it needs into $(VENV) (some 6 GB, once)"
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: $(BIN)/python pyproject.toml
	@echo "installing infoplane with its test extras into $(VENV) (some 6 GB, once)"
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $(VENV)/.installed-core $@

$(VENV)/.installed-docs: $(BIN)/python pyproject.toml
	@echo "installing infoplane with its docs extras into $(VENV) (some 6 GB, once)"
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $(VENV)/.installed-core $@

clean:
	rm -rf build dist docs/_build *.egg-info .mypy_cache .pytest_cache .ruff_cache
