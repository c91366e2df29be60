# Two commands: `make run` opens the playground, `make test` proves it. Each does all of its own set-up.
PYTHON ?= python3
PORT ?= 8080
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: run test lint site bench clean

run: $(VENV)/run
	$(BIN)/ojs-playground serve --port $(PORT) --open

test: lint
	@command -v chromium >/dev/null && command -v firefox-esr >/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq chromium firefox-esr; }
	@[ -n "$$OJS_TEST_DATABASE_URL" ] || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq postgresql; }
	@[ -n "$$OJS_TEST_REDIS_URL" ] || command -v redis-server >/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq redis-server; }
	$(BIN)/python -m pytest -n auto --dist loadfile --ignore tests/browser
	@# Browsers beside each other starve: what failed so is judged alone.
	$(BIN)/python -m pytest -n auto --dist worksteal tests/browser || $(BIN)/python -m pytest tests/browser --last-failed --last-failed-no-failures none

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

site: $(VENV)/run
	$(BIN)/ojs-playground build

bench: $(VENV)/bench
	$(BIN)/python bench/boot.py
	$(BIN)/python bench/conformance.py
	$(BIN)/python bench/engine.py
	$(BIN)/python bench/serving.py
	$(BIN)/python bench/lists.py
	$(BIN)/python bench/lighthouse.py
	$(BIN)/python bench/search.py
	$(BIN)/python bench/store.py
	$(BIN)/python bench/travel.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make run PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq python3-venv; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: $(BIN)/python pyproject.toml package.json
	$(BIN)/python -m pip install -q -e .
	@touch $@

$(VENV)/test: $(BIN)/python pyproject.toml package.json
	$(BIN)/python -m pip install -q -e '.[test]'
	@touch $@ $(VENV)/run

$(VENV)/bench: $(BIN)/python pyproject.toml package.json
	$(BIN)/python -m pip install -q -e '.[test,bench]'
	@touch $@ $(VENV)/test $(VENV)/run

clean:
	rm -rf $(VENV) node_modules dist static/vendor
