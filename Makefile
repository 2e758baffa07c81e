# Everything that a contributor runs. Each target creates the environment that it needs from Python 3.10+, git and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Tests start many processes, and each would compile our modules again.
unexport PYTHONDONTWRITEBYTECODE

# Workers steal from each other, so that none is idle. COVERAGE=1 adds to .coverage, which `make coverage` reports on.
WORKERS ?= auto
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
COV    := $(if $(COVERAGE),--cov --cov-append --cov-report= --cov-fail-under=0)
# These have targets of their own.
ELSEWHERE := --ignore=tests/matrix/test_matrix.py --ignore=tests/e2e --ignore=tests/ci

.DEFAULT_GOAL := help
.PHONY: help components demo test test-releases test-backends test-matrix e2e coverage docs test-memory bench bench-fleet bench-guard bench-web check pictures screenshots screenshots-waiting format clean

help: ## Show what can be run
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
		uv pip install --quiet --compile-bytecode --python $(BIN)/python -e '.[all]' --group dev; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' && \
		$(BIN)/python -m pip install --quiet -e '.[all]' --group dev; \
	fi
	@touch $@

demo: $(STAMP) ## Make calls to the simulator with the real SDK, and print the report
	$(BIN)/claudescope demo

components: $(STAMP) ## Download the servers and tools that the tests run
	$(BIN)/python -m tests.components
	$(BIN)/python -m tests.sentry.bugsink

test: components ## Run the tests (5 minutes); COVERAGE=1 measures coverage
	$(PYTEST) -m "not release" $(ELSEWHERE) $(COV)

test-releases: components ## Run the tests that depend on releases: other versions of Sentry, Prometheus and VictoriaMetrics
	$(PYTEST) -m release $(ELSEWHERE) $(COV)

test-backends: components ## Run every way of metrics to a backend, from calls to panels and rules; writes docs/backends.md
	$(BIN)/python -m tests.ways_in.backend_ways

test-matrix: $(STAMP) ## Run every kind of call on every SDK version; VERSIONS="0.51.0 latest" selects versions
	COVERAGE=$(COVERAGE) $(BIN)/python -m tests.matrix.versions $(VERSIONS)

e2e: components ## Run the end-to-end tests: an app, an outage, and the alerts and reports of it
	$(BIN)/python -m pytest -q -s tests/e2e/test_story.py
	$(BIN)/python -m pytest -q -n auto tests/e2e tests/ci --ignore=tests/e2e/test_story.py

coverage: $(STAMP) ## Report the coverage that was measured, and fail below 95 %
	$(BIN)/coverage report

docs: $(STAMP) ## Generate the reference pages, and build the site into site/
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build --strict

test-memory: $(STAMP) ## Check that a million calls under 100,000 names stay within a fixed amount of memory
	CLAUDESCOPE_CALLS=1000000 CLAUDESCOPE_EVENTS=100000 $(BIN)/python -m pytest -q -s --timeout=1800 tests/probe/test_memory.py

bench: $(STAMP) ## Measure the overhead per call beside other libraries; writes docs/performance.md
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.scale

bench-web: $(STAMP) ## Measure what a failing request costs with problem documents, beside Starlette's own handler
	$(BIN)/python -m benchmarks.web

bench-fleet: components ## Measure every panel and rule group with a day of up to 1,000 instances (half an hour)
	$(BIN)/python -m benchmarks.fleet

bench-guard: $(STAMP) ## Fail if a call needs more CPU instructions than its limit
	$(BIN)/python -m benchmarks.guard

check: $(STAMP) ## Check format, lint, import rules and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/mypy tests screenshots
	$(BIN)/mypy benchmarks
	$(BIN)/pyright

pictures: $(STAMP) ## Draw the pictures of the README
	$(BIN)/python docs/draw_report.py

screenshots: components ## Draw screenshots of the dashboards; needs Node 20 and Chromium; DASHBOARDS="overview" draws some
	cd screenshots && npm ci --no-audit --no-fund --ignore-scripts && npm run --silent build
	$(BIN)/python -m screenshots.draw $(DASHBOARDS)

screenshots-waiting: $(STAMP) ## Draw screenshots of examples/waiting while Claude is not well; needs Chromium
	$(BIN)/python -m screenshots.waiting

format: $(STAMP) ## Format the code, and fix what the linter can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove everything that these targets created
	rm -rf $(VENV) .cache .coverage .coverage.* htmlcov dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
