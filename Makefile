# Needs make and Python 3.11 or newer, nothing else: PYTHON=python3.12 make test
PYTHON ?= python3
# Activating is not needed; every target uses this folder.
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test bench cases lock

help: ## say what the targets do
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1  \t\2/p' Makefile

# Status 1 is ganmedic's word for findings, and the script of the demo has a fault to find.
demo: $(VENV)/.installed ## find the fault in a GAN that does not learn
	@status=0; TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/ganmedic check examples/broken_gan.py || status=$$?; \
	if [ $$status -ne 1 ]; then \
		echo "make demo: ganmedic ended with status $$status; 1 was expected, for it has a fault to find" >&2; exit 1; \
	fi

test: $(VENV)/.installed ## check the format, the style, the types, and run the tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest --numprocesses auto --dist loadfile

bench: $(VENV)/.installed ## measure what watching costs, what is found, and what the corrections do and cost
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/meters.py --quick
	$(BIN)/python benchmarks/nan_origins.py
	$(BIN)/python benchmarks/data_faults.py
	$(BIN)/python benchmarks/data_audit.py --pictures 1000 --runs 1 --memory 2000
	$(BIN)/python benchmarks/dirac_gan.py
	$(BIN)/python benchmarks/mixtures.py --only relativistic+r1+r2 wasserstein+gradient_penalty non_saturating
	$(BIN)/python benchmarks/corrections_cost.py --quick
	$(BIN)/python benchmarks/many_variables.py
	$(BIN)/python benchmarks/training_speed.py --quick --resolutions 32
	$(BIN)/python benchmarks/network_sizes.py --quick
	$(BIN)/python benchmarks/killed_runs.py --kills 6

cases: $(VENV)/.installed ## count how many faulty scripts are explained, and how many sound ones are left alone
	$(BIN)/python benchmarks/evaluate.py

lock: $(VENV)/.locked ## renew requirements/lock.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml requirements/lock.in --extra tensorflow-cpu --extra train --extra export --group dev --universal \
		--python-version 3.11 --upgrade --no-header --no-annotate --quiet --output-file requirements/lock.txt

# The packages are the same for all: made anew only when the lock changes.
$(VENV)/.locked: requirements/lock.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else \
		f"$(PYTHON) is Python {v.major}.{v.minor}; 3.11 or newer is needed. Name one: PYTHON=python3.12 make test")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --requirement requirements/lock.txt
	@touch $@

# ganmedic itself, from this folder: what changes under src/ counts at once.
$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
