# Two commands matter: `make demo` starts the page, `make test` checks everything. Both are quick the second time.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test lint format clean

VENV := .venv
PYTHON := $(VENV)/bin/python
HOST ?= 127.0.0.1
PORT ?= 7860
# Two processes take whole files of tests by their names; `make test WORKERS=` runs them one by one. Threads that wait
# sleep: those of two processes that spin stand in each other's way.
WORKERS ?= -n 2 --dist loadfile --no-loadscope-reorder

help:
	@echo "make demo    install what is needed and start the demo on http://$(HOST):$(PORT)"
	@echo "make test    lint, format check, type check and every test"
	@echo "make lint    lint, format check and type check only"
	@echo "make format  rewrite the code in the project's format"
	@echo "make clean   remove .venv and caches"

demo: $(VENV)/.installed
	DURIAN_HOST=$(HOST) DURIAN_PORT=$(PORT) $(PYTHON) app.py

test: lint
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(PYTHON) -m pytest $(WORKERS) $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

format: $(VENV)/.installed-dev
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps hold the time of the last complete install: nothing is installed again until a list of packages changes.
$(VENV)/.installed: requirements.txt scripts/set_up.sh
	@bash scripts/set_up.sh $(VENV) requirements.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@bash scripts/set_up.sh $(VENV) requirements-dev.txt
	@touch $@
