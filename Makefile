# The two commands that matter: `make run` (talk to the bot here, no account) and `make test`.
# Everything that is needed is installed into .venv, from pinned and hashed requirements.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --progress-bar off

.DEFAULT_GOAL := help
.PHONY: help run test check docs format soak bench lock clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

.venv/bin/python:
	@echo "1/3 making a virtual environment in .venv" >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Commonpulse needs Python 3.11 or later; set PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv .venv

.venv/.run: requirements.lock pyproject.toml | .venv/bin/python
	@echo "2/3 installing what Commonpulse needs (about a minute, once)" >&2
	@$(PIP) --require-hashes -r requirements.lock
	@echo "3/3 installing the command .venv/bin/pulse" >&2
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.run
	@echo "+ installing the tools for tests and checks" >&2
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

run: .venv/.run ## hold a survey in the terminal: no account, no token
	@$(BIN)/pulse chat

test: .venv/.dev ## the tests
	@$(BIN)/python -m pytest -n 4 --maxschedchunk 2

check: .venv/.dev ## format, lint, types, import contracts, reference pages
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m bot.docs --check

docs: .venv/.run ## write docs/reference anew
	@$(BIN)/python -m bot.docs

format: .venv/.dev ## put the code in form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

soak: .venv/.dev ## the long kill, load and soak runs
	@$(BIN)/python -m pytest -n 0 -m soak --timeout 1800

bench: .venv/.dev ## measure, beside the usual alternative; prints JSON lines
	@$(BIN)/python -m tests.bench

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra train -c requirements.lock pyproject.toml -o requirements-train.lock

clean: ## remove the virtual environment and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
