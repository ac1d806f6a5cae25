# Cordwood's targets. Needs Linux or macOS with Python >= 3.11 and make; everything else is installed below.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8080
DATA_DIR ?= ./data
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED := $(PIP) --require-hashes
PINS := $(wildcard requirements*.txt) infra/aws/requirements.txt
# Without compiled modules each start of Cordwood costs half a second more, and the tests start it often.
unexport PYTHONDONTWRITEBYTECODE
UI_SOURCES := $(shell find web/ui -type f -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: help setup ui run test check lint types bench soak docs fmt lock compose-test clean scale dist rights
help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: $(VENV)/.installed ## make .venv and install Cordwood into it
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Cordwood needs Python 3.11 or newer, not " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Installing Cordwood into $(VENV): a minute or two"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(LOCKED) -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements-dev.lock
	$(LOCKED) -r requirements-dev.lock
	@mkdir -p .mypy && ln -sfn .. .mypy/cordwood
	@touch $@

ui: web/static/index.html ## build the web UI into web/static
web/static/index.html: $(UI_SOURCES) | $(VENV)/.installed
	$(LOCKED) -r requirements-ui.lock
	cd web/ui && PATH="$(abspath $(BIN)):$$PATH" npm ci --no-audit --no-fund --loglevel=error && PATH="$(abspath $(BIN)):$$PATH" npm run build --silent
	@touch $@

run: setup ui ## start Cordwood with the demo's applications
	exec $(BIN)/cordwood up --demo --host $(HOST) --port $(PORT) --data-dir $(DATA_DIR)

# Whether a change lands must not hang on the order of the day: it is shuffled the same way each time. `make test
# SEED=default` shuffles anew, and finds tests that depend on one another.
SEED ?= 2930280374
test: $(VENV)/.dev ui ## all tests: real PostgreSQL, sockets and browser
	$(BIN)/python tests/services.py
	$(BIN)/python -m pytest -m "not soak" --numprocesses 3 --dist loadfile --no-loadscope-reorder --randomly-seed $(SEED)

soak: $(VENV)/.dev ui ## the long tests
	$(BIN)/python tests/services.py
	$(BIN)/python -m pytest -m soak
	CORDWOOD_EXAMPLES=1000 $(BIN)/python -m pytest tests/query/test_differential.py

rights: $(VENV)/.dev ## twice 10,000 questions of roles that see a part of the events: to the engine, and by HTTP
	$(BIN)/python -m pytest -s -m soak tests/query/test_rights.py tests/web/test_row_filters.py

check: $(VENV)/.dev lint types ## lint, import directions, types
lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
types: $(VENV)/.dev
	MYPYPATH=.mypy $(BIN)/mypy -p cordwood

fmt: $(VENV)/.dev ## format and mend what ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.dev ## requirements*.lock: what requirements*.txt pin, each with the hashes of its files
	for pins in $(PINS); do $(BIN)/uv pip compile --quiet --no-deps --universal --python-version 3.11.5 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --output-file "$${pins%.txt}.lock" "$$pins" || exit 1; done

bench: $(VENV)/.dev ## ingest and query benchmarks; JSON in bench-results/
	$(BIN)/python -m tests.bench

scale: $(VENV)/.dev ## unit costs, and what a petabyte and 10,000 nodes would take: the tables of docs/scale.md
	$(BIN)/python -m tests.bench.scale

docs: $(VENV)/.dev ## generated pages of docs/, and all of it as a site in build/site
	$(BIN)/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

dist: $(VENV)/.dev ui ## a release's files in dist/: source, wheel with the built UI, bill of materials
	rm -rf dist build/lib
	$(BIN)/python -m build --no-isolation
	$(BIN)/python docs/packages.py > dist/cordwood-$$($(BIN)/python -c 'import cordwood; print(cordwood.__version__)').cdx.json

compose-test: ## all of docker-compose.yml with an engine: start, send, find, take down
	infra/docker/compose-test.sh

clean:
	rm -rf $(VENV) .mypy build dist *.egg-info web/static web/ui/node_modules tests/sources/javascript/node_modules
