# Everything a newcomer runs. Each target makes the environment it needs: nothing but Python 3.10+, git and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help components demo test test-matrix e2e docs test-memory bench bench-fleet bench-guard check pictures screenshots format clean

help: ## Show what can be run
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
		uv pip install --quiet --python $(BIN)/python -e '.[all]' --group dev; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' && \
		$(BIN)/python -m pip install --quiet -e '.[all]' --group dev; \
	fi
	@touch $@

demo: $(STAMP) ## Drive real SDK calls against the simulator and print the report
	$(BIN)/claudescope demo

components: $(STAMP) ## Fetch the real servers and tools that tests run
	$(BIN)/python tests/components.py

test: components ## Run the tests; under CI=true with coverage, which takes half as long again
	$(BIN)/python -m pytest -n auto $(if $(CI),--cov --cov-report=term) --ignore=tests/matrix/test_matrix.py --ignore=tests/e2e --ignore=tests/ci

test-matrix: $(STAMP) ## Run every surface and ending on every SDK; VERSIONS="0.51.0 latest" for some
	$(BIN)/python -m tests.matrix.versions $(VERSIONS)

e2e: components ## The whole chain: an app, a storm, an outage, and what everybody is told
	$(BIN)/python -m pytest -q -s tests/e2e/test_story.py
	$(BIN)/python -m pytest -q -n auto tests/e2e tests/ci --ignore=tests/e2e/test_story.py

docs: $(STAMP) ## Write the reference pages, and build the site into site/
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build --strict

test-memory: $(STAMP) ## A million calls under a hundred thousand names stay under a fixed bound
	CLAUDESCOPE_CALLS=1000000 CLAUDESCOPE_EVENTS=100000 $(BIN)/python -m pytest -q -s --timeout=1800 tests/probe/test_memory.py

bench: $(STAMP) ## Measure the cost of a call beside peers and the floor; writes docs/performance.md
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.scale

bench-fleet: components ## Measure every panel and rule group on a day of up to 1,000 instances; takes half an hour
	$(BIN)/python -m benchmarks.fleet

bench-guard: $(STAMP) ## Fail where a call needs more instructions over the floor than it may
	$(BIN)/python -m benchmarks.guard

check: $(STAMP) ## Format check, lint, import rules, and types by two checkers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/mypy tests screenshots
	$(BIN)/mypy benchmarks
	$(BIN)/pyright

pictures: $(STAMP) ## Draw the pictures that the README shows
	$(BIN)/python docs/draw_report.py

screenshots: components ## Draw the boards with days of calls in them; needs Node 20 and Chromium; BOARDS="overview" for some
	cd screenshots && npm ci --no-audit --no-fund --ignore-scripts && npm run --silent build
	$(BIN)/python -m screenshots.draw $(BOARDS)

format: $(STAMP) ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove everything that was made
	rm -rf $(VENV) .cache .coverage .coverage.* htmlcov dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
