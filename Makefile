# evernormal: `make run` on a fresh machine (Python 3.11 or newer with pip) ends with the path of a briefing.
# Everything is installed into .venv from hash-locked files; nothing outside this folder is changed.

SCENARIO ?= lithium-hydroxide-100
OUT      ?= out/$(SCENARIO)
WORKERS  ?= 2
ARGS     ?=

VENV  := .venv
BIN   := $(VENV)/bin
PIP   := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-compile
LOCKS := requirements.lock requirements-test.lock requirements-lint.lock requirements-docs.lock requirements-bench.lock

.PHONY: help run install test lint format bench docs lock clean
.DEFAULT_GOAL := help

help: ## Show what each target does
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

# ---- environment ----------------------------------------------------------------------------------------------

$(VENV)/.stamp-created:
	@sh .ci/create-environment $(VENV)
	@touch $@

$(VENV)/.stamp-run: requirements.lock pyproject.toml $(VENV)/.stamp-created
	@echo "Installing evernormal into $(VENV) (once, about a minute) ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.stamp-%: requirements-%.lock $(VENV)/.stamp-run
	@echo "Installing what 'make $*' needs ..."
	@$(PIP) --require-hashes -r requirements-$*.lock
	@touch $@

install: $(VENV)/.stamp-run ## Create .venv and install evernormal into it

# ---- work -----------------------------------------------------------------------------------------------------

run: $(VENV)/.stamp-run ## Write the briefing on SCENARIO and print its path
	@$(BIN)/evernormal brief $(SCENARIO) --out $(OUT) $(ARGS)

test: $(VENV)/.stamp-test $(VENV)/.stamp-docs ## Run every test
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

lint: $(VENV)/.stamp-lint $(VENV)/.stamp-test ## Check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.stamp-lint ## Repair what ruff can repair
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.stamp-bench ## Measure speed; each claim is a ratio of one run
	@$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/.stamp-docs ## Build the documentation into site/
	@$(BIN)/python -m evernormal.app.reference docs/reference/commands.md
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs site
	@echo site/index.html

# ---- locks ----------------------------------------------------------------------------------------------------

UV_COMPILE = $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-config

lock: $(VENV)/.stamp-run ## Renew the lock files (ARGS=--upgrade for newer versions)
	@$(PIP) uv
	$(UV_COMPILE) $(ARGS) pyproject.toml --extra office --extra build --extra online --extra forecast --extra sensitivity --group install -o requirements.lock
	for group in test lint docs bench; do \
	  $(UV_COMPILE) $(ARGS) -c requirements.lock --group $$group -o requirements-$$group.lock || exit 1; \
	done

clean: ## Remove the environment and everything generated
	rm -rf $(VENV) out site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
