# Everything a newcomer runs. Each target makes the environment it needs: nothing but Python 3.10+, git and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help components demo test check pictures format clean

help: ## Show what can be run
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

test: components ## Run the tests with coverage
	$(BIN)/python -m pytest -n auto --cov --cov-report=term

check: $(STAMP) ## Format check, lint, and types by two checkers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/pyright

pictures: $(STAMP) ## Draw the pictures that the README shows
	$(BIN)/python docs/draw_report.py

format: $(STAMP) ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove everything that was made
	rm -rf $(VENV) .cache .coverage .coverage.* htmlcov dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
