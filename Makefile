# Everything a person, a pre-commit hook or CI does with the project. `make help` lists it.
# The virtual environment is made from the hashed locks, and again when a lock or pyproject.toml changes.

PYTHON ?= python3
CONFIG ?= config/vpcdns.yaml
PYTEST_ARGS ?=
SOAK_MINUTES ?= 10
FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= query opt proxy upstream config
BENCH_ARGS ?= --document docs/performance.md
LOCK_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
PROJECT := --no-deps --no-index --no-build-isolation --editable .

# The resolver of `make lock`, in an environment of its own.
UV := uv==0.13.9
LOCK_VENV := .venv-lock
COMPILE := $(LOCK_VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links $(LOCK_ARGS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: serve
serve: $(VENV)/run.stamp ## Set up and serve CONFIG (config/vpcdns.yaml); Ctrl-C stops it
	@exec $(BIN)/vpcdns serve --config $(CONFIG)

.PHONY: test
test: $(VENV)/dev.stamp ## Run the tests that are quick; PYTEST_ARGS goes to pytest
	$(BIN)/pytest -m "not slow" $(PYTEST_ARGS)

.PHONY: test-slow
test-slow: $(VENV)/dev.stamp ## Run the others, such as the comparison with BIND and Unbound
	$(BIN)/pytest -m slow $(PYTEST_ARGS)

.PHONY: fuzz
fuzz: $(VENV)/fuzz.stamp ## Fuzz FUZZ_TARGETS one after the other, FUZZ_SECONDS (600) each; finds are left in .fuzz
	@mkdir -p .fuzz
	@for target in $(FUZZ_TARGETS); do \
		echo "fuzzing $$target for $(FUZZ_SECONDS) s"; \
		$(BIN)/python -m fuzz.run $$target -max_total_time=$(FUZZ_SECONDS) -verbosity=0 2>.fuzz/$$target.log \
			|| { tail -40 .fuzz/$$target.log; exit 1; }; \
		grep stat:: .fuzz/$$target.log; \
	done

.PHONY: soak
soak: $(VENV)/dev.stamp ## Check every answer for SOAK_MINUTES (10) under reloads, rebinds and hostile traffic
	$(BIN)/python -m tests.soak --minutes $(SOAK_MINUTES)

# One definition of clean.
.PHONY: check
check: static test ## Format, lint, types, import contracts and tests

.PHONY: static
static: check-format lint types imports ## What `make check` does without running anything of ours

.PHONY: check-format
check-format: $(VENV)/dev.stamp ## Fail where `make format` would change something
	$(BIN)/ruff format --check .

.PHONY: lint
lint: $(VENV)/dev.stamp ## Run the linter
	$(BIN)/ruff check .

.PHONY: types
types: $(VENV)/dev.stamp ## Check the types, strictly
	$(BIN)/mypy

.PHONY: imports
imports: $(VENV)/dev.stamp ## Check that imports point downward only
	$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/dev.stamp ## Compare with dnsmasq, Unbound and BIND; BENCH_ARGS goes to benchmarks/run.py
	@$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

.PHONY: bench-scale
bench-scale: $(VENV)/dev.stamp ## Print what size costs (docs/scale.md); takes some minutes
	@$(BIN)/python benchmarks/scale.py $(BENCH_ARGS)

.PHONY: format
format: $(VENV)/dev.stamp ## Format, and fix what the linter can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: lock
lock: $(LOCK_VENV)/stamp ## Pin what pyproject.toml asks for; LOCK_ARGS=--upgrade for newer releases
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) --group build --output-file requirements-build.lock
	$(COMPILE) pyproject.toml --group dev --constraints requirements.lock --constraints requirements-build.lock \
		--output-file requirements-dev.lock
	$(COMPILE) --group fuzz --output-file requirements-fuzz.lock

.PHONY: clean
clean: ## Remove everything that was made
	rm -rf .fuzz $(VENV) $(LOCK_VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/run.stamp: requirements.lock requirements-build.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || \
		{ echo "There is no $(PYTHON) here. On Debian and Ubuntu: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "vpcdns needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
			"With another one installed: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(PIP_INSTALL) --require-hashes -r requirements.lock -r requirements-build.lock
	$(PIP_INSTALL) $(PROJECT)
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements-dev.lock
	$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/fuzz.stamp: $(VENV)/dev.stamp requirements-fuzz.lock
	$(PIP_INSTALL) --only-binary :all: --require-hashes -r requirements-fuzz.lock
	@touch $@

$(LOCK_VENV)/stamp: Makefile
	$(PYTHON) -m venv --clear $(LOCK_VENV)
	$(LOCK_VENV)/bin/pip install --quiet --disable-pip-version-check "$(UV)"
	@touch $@
