# What a person or a CI does with this tree. Everything is put into .venv and build/ here, nothing anywhere else,
# but for the DNS servers that `make test` installs from Debian's packages where apt and root are there.

PYTHON       ?= python3
CONFIG       := smartdoh.toml
PYTEST_ARGS  ?=
# A file's tests stay together, since they share their servers. Most tests wait more than they work.
PYTEST        = $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile
BENCH_ARGS   ?=
LOAD_ARGS    ?=
FAULTS_ARGS  ?=
FUZZ_SECONDS ?= 600
SOAK_SECONDS ?= 1800
# Not those that start other servers, which do not stand the sanitizer, or look at a clock.
SANITIZED_TESTS ?= tests/unit/fastpath tests/unit/listener tests/property tests/scenario tests/fuzz

VENV      := .venv
BIN       := $(VENV)/bin
PIP       := $(BIN)/python -m pip --disable-pip-version-check
# Each stamp stands for one finished installation; a change of these files makes it due again.
INSTALLED := $(VENV)/.installed
DEV       := $(VENV)/.installed-dev
FUZZ      := $(VENV)/.installed-fuzz
INPUTS    := pyproject.toml setup.py constraints.txt $(wildcard src/smartdoh/fastpath/*.pyx src/smartdoh/fastpath/*.pxi)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test conformance faults build lint bench fuzz soak load sanitize portable constraints clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## the proxy on 127.0.0.1:5553 with smartdoh.toml (another: CONFIG=FILE)
	$(BIN)/smartdoh serve --config $(CONFIG)

test: $(DEV) ## all tests, against real DNS servers where they can be installed (PYTEST_ARGS=...)
	scripts/install-test-servers
	$(PYTEST) $(PYTEST_ARGS)

conformance: $(DEV) ## what the RFCs ask, row by row, of the running proxy, and ten thousand questions beside unbound (PYTEST_ARGS=...)
	scripts/install-test-servers
	$(PYTEST) tests/conformance tests/differential $(PYTEST_ARGS)

faults: $(DEV) ## every fault of docs/faults.md made for real and measured, for some minutes; needs root (FAULTS_ARGS="tls --keep")
	scripts/install-test-servers
	$(BIN)/python -m tests.faults $(FAULTS_ARGS)

build: $(INSTALLED) ## only .venv, with .venv/bin/smartdoh ready to run

lint: $(DEV) ## ruff (format and rules) and mypy --strict
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(DEV) ## beside the peers that are installed: tables, bench/results/, a plot, what got slower (BENCH_ARGS="--quick hit")
	$(BIN)/python -m bench $(BENCH_ARGS)

fuzz: $(FUZZ) ## the parsers under atheris, for ten minutes in all (FUZZ_SECONDS=600)
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

soak: $(DEV) ## half an hour at full rate with a reload every ten seconds: nothing may grow (SOAK_SECONDS=1800)
	$(BIN)/python -m bench.soak $(SOAK_SECONDS)

load: $(DEV) ## floods and hostile clients, two minutes, and what they cost others (LOAD_ARGS="--long --write docs/load.md")
	$(BIN)/python -m bench.storms $(LOAD_ARGS)

SANITIZED := build/sanitized
# The sanitizer has to find C++'s own library when it starts, or the first exception of somebody's extension ends it.
SANITIZER  = LD_PRELOAD="$$(gcc -print-file-name=libasan.so) libstdc++.so.6" ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
             PYTHONPATH=$(SANITIZED)

sanitize: $(DEV) ## the fast path built to find its own mistakes (ASan, UBSan), under its tests and the fuzzers' corpus
	SMARTDOH_SANITIZE=1 $(BIN)/python setup.py --quiet build --build-lib $(SANITIZED) --build-temp build/sanitized-objects
	$(SANITIZER) $(BIN)/python -c 'from smartdoh.fastpath import _native; assert "$(SANITIZED)" in _native.__file__'
	$(SANITIZER) $(PYTEST) $(SANITIZED_TESTS)

PORTABLE := build/portable

portable: $(DEV) ## the fast path as it is built where sockets take no batches, under its tests
	SMARTDOH_ONE_AT_A_TIME=1 $(BIN)/python setup.py --quiet build --build-lib $(PORTABLE) --build-temp build/portable-objects
	PYTHONPATH=$(PORTABLE) $(BIN)/python -c 'from smartdoh.fastpath import _native; assert "$(PORTABLE)" in _native.__file__'
	PYTHONPATH=$(PORTABLE) $(PYTEST) tests/unit/fastpath tests/unit/listener tests/property/test_fast_clients.py

constraints: ## constraints.txt anew: the newest versions that pyproject.toml allows, from an empty environment
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet --upgrade "setuptools>=77" "Cython>=3.1" -e ".[dashboard,dnstap,dev,bench,fuzz]"
	{ sed -n '/^#/p' constraints.txt; \
	  build/constraints/bin/python -m pip list --format=freeze --exclude-editable --exclude pip; } > build/constraints.txt
	mv build/constraints.txt constraints.txt

clean: ## removes what make made
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis src/*.egg-info
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# Where Python came without ensurepip (Debian keeps it in python3-venv), the outer pip fills the environment.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "smartdoh needs Python 3.11 or later: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@if $(PYTHON) -c 'from ensurepip import bootstrap' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
	 else $(PYTHON) -m venv --without-pip $(VENV) && \
	      $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; fi || { rm -rf $(VENV); exit 1; }

# setuptools and Cython come first and the build uses them (--no-build-isolation): the pinned ones, like everything else.
# Editable, so that what runs is what stands in src/.
$(INSTALLED): $(INPUTS) | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt setuptools Cython
	$(PIP) install --quiet -c constraints.txt --no-build-isolation -e ".[dashboard,dnstap]"
	@touch $@

$(DEV): $(INSTALLED)
	$(PIP) install --quiet -c constraints.txt --no-build-isolation -e ".[dashboard,dnstap,dev,bench]"
	@touch $@

$(FUZZ): $(DEV)
	$(PIP) install --quiet -c constraints.txt --no-build-isolation -e ".[fuzz]"
	@touch $@
