# The commands of a checkout. `make run` and `make test` need Rust's toolchain,
# git, make and a network; the rest they install or name (scripts/setup).

.DEFAULT_GOAL := help
.PHONY: help setup build run bench test seeds fuzz fmt lint ci

# Set PEERS=1 to build RocksDB and SlateDB into the benchmark, beside Firn.
ifdef PEERS
FEATURES := --features peers
SETUP := scripts/setup peers
else
FEATURES :=
SETUP := scripts/setup
endif

# Parts that no command of `firn` links yet, for tests and clippy.
TESTED := --features firn-mysql-semantics/vector

# Where `make run` takes MySQL clients, and where it keeps their data.
ADDR ?= 127.0.0.1:3306
DATA ?= firn-data

# How many seeds `make seeds` runs, and from which one: none is by chance.
SEEDS ?= 5000
SEED ?=

# How many statements `make fuzz` runs, and from which seed: none is by chance.
ROUNDS ?= 100000

# What `make bench` runs.
BENCH ?= benchmark/configs/quick.yaml

help: ## Print this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

setup: ## Look for a compiler; install what is missing through apt
	@$(SETUP)

build: setup ## Build the `firn` command in release
	cargo build --release --locked $(FEATURES)

run: build ## Run a MySQL server on 127.0.0.1:3306, data in ./firn-data; ADDR=127.0.0.1:3307 and DATA=folder change that
	cargo run --release --locked --quiet $(FEATURES) -- up --mysql-addr $(ADDR) --data-dir $(DATA)

bench: build ## Benchmark the engine on a folder for a minute, and print where the report is
	cargo run --release --locked --quiet $(FEATURES) -- bench $(BENCH)

test: setup ## Run every test
	cargo test --workspace --locked $(TESTED)

seeds: setup ## Simulate the whole cluster with SEEDS fresh seeds, or those from SEED on; one that fails is named, and FIRN_SEED plays it again
	$(if $(SEED),FIRN_SEED=$(SEED)) FIRN_SEEDS=$(SEEDS) cargo test --locked $(TESTED) --workspace --test it -- --ignored --exact --nocapture simulation::many_clusters_keep_what_they_acknowledged_whatever_fails

fuzz: setup ## Send ROUNDS statements and packets by chance through a server; the seeds are printed, and SEED plays one again
	$(if $(SEED),FIRN_FUZZ_SEED=$(SEED)) FIRN_FUZZ_ROUNDS=$(ROUNDS) cargo test --locked $(TESTED) --workspace --test it -- --ignored --exact --nocapture fuzz::many_statements_are_answered

fmt: ## Format the code
	cargo fmt --all

lint: setup ## Check the format, and clippy's warnings as errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked $(TESTED) -- -D warnings

ci: ## What has to pass before a change lands
	.ci/run
