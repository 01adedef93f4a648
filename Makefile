# Everything goes through here: `make run` and `make test` are the two commands a new user needs.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE ?= /var/lib/holdfast
CONFIG ?=
FUZZ_SECONDS ?= 30
FUZZ_EXAMPLES ?= 3000
SOAK_SECONDS ?= 600
WORKERS ?= 2
NETWORK_WORKERS ?= 1
RUST_SOURCES := $(shell find crates -name '*.rs' -not -path '*/target/*' -not -path '*/fuzz/*') $(wildcard crates/*/Cargo.toml) Cargo.toml Cargo.lock

.PHONY: help setup setup-dev run demo test test-fast lab bench soak unrest corpus fuzz lint format clean

help:  ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.build/system: scripts/system-packages.sh
	@mkdir -p .build
	scripts/system-packages.sh build
	@touch $@

.build/system-dev: scripts/system-packages.sh
	@mkdir -p .build
	scripts/system-packages.sh build
	scripts/system-packages.sh test lab
	@touch $@

.build/venv: requirements/build.lock | .build/system
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements/build.lock
	@touch $@

.build/venv-dev: requirements/dev.lock .build/venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.lock
	@touch $@

.build/native: $(RUST_SOURCES) pyproject.toml .build/venv
	PATH="$(CURDIR)/$(BIN):$$PATH" VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/maturin develop --release --locked --skip-install
	$(BIN)/python scripts/link_checkout.py
	@touch $@

setup: .build/native  ## build everything; start nothing

setup-dev: .build/system-dev .build/venv-dev .build/native

run: setup  ## start a gateway with embedded state (CONFIG=file, STATE=dir)
	$(BIN)/holdfast serve --state $(STATE) $(if $(CONFIG),--config $(CONFIG))

demo: setup  ## gateway and client in namespaces of their own, in under 30 seconds
	$(BIN)/python -m bench.demo

lint: setup-dev  ## ruff, mypy, clippy, rustfmt
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

# Compiled once, Python files need not be compiled again for each of the many processes that tests start.
test test-fast: export PYTHONDONTWRITEBYTECODE =

# Whole tunnels between namespaces and guests are built in two folders; what else needs root stays on loopback.
NETWORKS := tests/netns tests/interop

test-fast: setup-dev  ## the tests that need neither root nor the lab, WORKERS at a time
	$(BIN)/pytest -m "not root and not lab" -n $(WORKERS) --dist loadfile

test: lint  ## everything: linters, cargo test, pytest with real peers when root
	cargo test --workspace --locked --quiet
	failed=0; \
	$(BIN)/pytest $(NETWORKS:%=--ignore=%) -n $(WORKERS) --dist loadfile || failed=1; \
	$(BIN)/pytest $(NETWORKS) $(if $(filter-out 1,$(NETWORK_WORKERS)),-n $(NETWORK_WORKERS) --dist loadfile) || failed=1; \
	exit $$failed

fuzz: setup-dev  ## fuzz every parser (FUZZ_SECONDS for each in Rust, FUZZ_EXAMPLES for each in Python)
	scripts/system-packages.sh fuzz
	HOLDFAST_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/pytest --timeout 3600 tests/fuzz
	scripts/fuzz.sh $(FUZZ_SECONDS)

lab: .build/system-dev  ## build the guest with the real peers (root); IN='commands' runs them in one
	$(PYTHON) -m lab $(if $(IN),'$(IN)')

bench: setup-dev  ## measure; prints tables with ratios from this one run
	scripts/system-packages.sh bench
	$(BIN)/python -m bench

soak: setup-dev  ## ten minutes of killing RADIUS and the gateway at random, then compare their books (root)
	$(BIN)/python -m bench.ordeal --seconds $(SOAK_SECONDS)

unrest: setup-dev  ## half an hour of everything at random to one gateway, then look for what was left (root)
	$(BIN)/python -m bench.unrest

corpus: setup-dev  ## make the labelled captures with real peers (root), and judge them
	rm -rf bench/out/corpus
	$(BIN)/python -m lab.corpus bench/out/corpus
	$(BIN)/python -m bench.truth

format: setup-dev
	$(BIN)/ruff check --fix --exit-zero . && $(BIN)/ruff format . && cargo fmt --all

clean:
	rm -rf .build $(VENV) target src/holdfast/_native*.so
