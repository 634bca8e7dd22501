# The commands of a working day; `make` alone lists them. The work is done by CMake and the programs in tools/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

RELEASE := build/release
BINARY := $(RELEASE)/bin/millrace
JOBS = $(shell tools/jobs)
CTEST_FLAGS ?=
FUZZ_SECONDS ?= 60
KAFKA_VERSION ?= 3.9.1
DEMO = $(BINARY) demo $(or $(PIPELINE),telco-churn) $(if $(DATA),--data "$(DATA)")

# ccache keeps compiled objects between trees and clones; a tree uses it when it was there at its first configuration.
ifeq ($(origin MILLRACE_COMPILER_LAUNCHER),undefined)
export MILLRACE_COMPILER_LAUNCHER = $(shell command -v ccache)
endif
export CCACHE_NOHASHDIR ?= 1
export CTEST_OUTPUT_ON_FAILURE := 1

# Data of the tests and the demo: MILLRACE_DATA_DIR, else ./data where it exists.
ifeq ($(MILLRACE_DATA_DIR),)
ifneq ($(wildcard data),)
export MILLRACE_DATA_DIR := $(CURDIR)/data
endif
endif

.PHONY: help
help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: packages-build  ## install what is missing and build build/release/bin/millrace
	@cache=$(RELEASE)/CMakeCache.txt; \
	if [ ! -f $$cache ]; then \
	  cmake --preset release -DMILLRACE_TESTS=OFF; \
	elif [ CMakePresets.json -nt $$cache ]; then \
	  cmake --preset release $$(grep -q MILLRACE_TESTS:BOOL=ON $$cache || echo -DMILLRACE_TESTS=OFF); touch $$cache; \
	elif [ -e build/parquet/place ] && grep -qs MILLRACE_PARQUET:INTERNAL=OFF $$cache; then \
	  cmake $(RELEASE); \
	fi
	cmake --build $(RELEASE) -j $(JOBS) --target millrace

.PHONY: parquet
parquet:  ## get Apache Arrow (PyPI, 50 MB) and build the Parquet plugin beside the program
	@tools/disk_space 500 "Apache Arrow (200 MB) and the build (200 MB)"
	@tools/install parquet
	@tools/parquet
	@$(MAKE) build
	@grep -q MILLRACE_PARQUET:INTERNAL=ON $(RELEASE)/CMakeCache.txt || \
	  { echo "make parquet: Arrow C++ was not found, see above" >&2; exit 1; }

.PHONY: demo
demo:  ## build, then the whole story (PIPELINE=telco-churn, DATA=file.csv, LOG=kafka|sqlite:file|kafka://host:port)
	@tools/disk_space 800 "packages (500 MB where none is installed), the build (200 MB) and the demo (20 MB)"
	@$(MAKE) build
ifeq ($(LOG),kafka)
	@tools/disk_space 700 "Java and Maven (500 MB where none is installed), Kafka (90 MB) and its data"
	@tools/install kafka
	@trap 'tools/kafka down --name demo' EXIT; \
	echo "Starting Apache Kafka $(KAFKA_VERSION) on this machine."; \
	brokers=$$(tools/kafka up --fresh --name demo --version $(KAFKA_VERSION) | sed -n 's/^bootstrap=//p'); \
	(set -x; $(DEMO) --log "kafka://$$brokers")
else
	$(DEMO) $(if $(LOG),--log "$(LOG)")
endif

.PHONY: test
test: packages-kafka oracles parquet-readers  ## install what is missing, build everything and run every test
	@$(MAKE) tree PRESET=release
	cmake --build $(RELEASE) -j $(JOBS)
	@trap 'tools/kafka down --prefix ctest_release' EXIT; set -x; \
	ctest --preset release -j $(JOBS) --output-junit tests.xml $(CTEST_FLAGS)

.PHONY: asan
asan: packages-test parquet-readers  ## unit and conformance tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) tree PRESET=asan
	cmake --build build/asan -j $(JOBS) --target tests_unit tests_conformance
	ctest --preset asan -j $(JOBS) --output-junit tests.xml $(CTEST_FLAGS)

.PHONY: tsan
tsan: packages-test  ## tests of threads and processes under ThreadSanitizer
	@$(MAKE) tree PRESET=tsan
	cmake --build build/tsan -j $(JOBS) --target tests_concurrency
	ctest --preset tsan -j $(JOBS) --output-junit tests.xml $(CTEST_FLAGS)

.PHONY: lint
lint: packages-lint  ## layout of all files, static checks of files changed of late, self-check of the repository
	@$(MAKE) tree PRESET=lint
	@cmake build/lint >/dev/null
	@status=0; tools/tidy || status=1; tools/lint --changed 30 build/lint || status=1; exit $$status

.PHONY: lint-all
lint-all: packages-lint  ## the same with static checks of every file
	@$(MAKE) tree PRESET=lint
	@cmake build/lint >/dev/null
	@status=0; tools/tidy || status=1; tools/lint build/lint || status=1; exit $$status

.PHONY: format
format: packages-lint  ## lay out all sources with clang-format
	tools/lint --format

.PHONY: chaos
chaos: packages-kafka  ## kill everything over and over, with tables (CHAOS_SEED=1, CHAOS_MESSAGES=100000)
	@$(MAKE) tree PRESET=release
	cmake --build $(RELEASE) -j $(JOBS) --target chaos
	@trap 'tools/kafka down --prefix chaos' EXIT; MILLRACE_KAFKA_OWN_PREFIX=chaos $(RELEASE)/bin/chaos

.PHONY: bench
bench: build  ## build and run the benchmarks, one line of JSON a result (MESSAGES=50000 for a quick look)
	@tools/install bench
	cmake -DMILLRACE_BENCH=ON $(RELEASE) >/dev/null
	cmake --build $(RELEASE) -j $(JOBS) --target benchmarks
	bench/run

.PHONY: bench-peers
bench-peers: build  ## what a message costs millrace and its peers (PEERS="faust flink", MESSAGES=1000000, ROUNDS=3)
	@tools/disk_space 5500 "Java and Maven (500 MB where none is installed), the peers (3.7 GB), Kafka and its data (1 GB)"
	@tools/install kafka peers
	bench/peers/run $(BINARY)

.PHONY: bench-arima
bench-arima: build oracles  ## fits of ARIMA beside statsmodels' (ROUNDS=5; needs MILLRACE_DATA_DIR)
	@tools/install bench
	cmake -DMILLRACE_BENCH=ON $(RELEASE) >/dev/null
	cmake --build $(RELEASE) -j $(JOBS) --target arima_fits
	bench/peers/arima/run $(RELEASE)/bin/arima_fits

.PHONY: bench-features
bench-features: build oracles  ## features of a file beside pandas' (ROUNDS=5; needs MILLRACE_DATA_DIR)
	bench/peers/features/run $(RELEASE)/bin/millrace

.PHONY: fuzz
fuzz:  ## run each fuzz target for FUZZ_SECONDS (60)
	@tools/install build fuzz
	cmake --preset fuzz
	cmake --build build/fuzz -j $(JOBS) --target fuzz_targets
	@for target in build/fuzz/bin/*_fuzz; do \
	  name=$$(basename $$target _fuzz); corpus=build/fuzz/corpus/$$name; mkdir -p $$corpus; \
	  echo "== $$name"; \
	  $$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -print_final_stats=0 \
	    $$corpus $$(ls -d fuzz/seeds/$$name 2>/dev/null); \
	done

.PHONY: docs
docs: build  ## generate docs/reference/ from the program
	tools/docs $(BINARY)

.PHONY: package
package:  ## a Debian package (not built yet)
	@echo "make package: not built yet; run build/release/bin/millrace or copy it to where you need it"
	@exit 1

.PHONY: clean
clean:  ## remove everything that was built
	@test ! -d build/kafka/run || tools/kafka down --all
	rm -rf build

# What follows is used by the commands above.

.PHONY: packages-build packages-test packages-kafka packages-lint
packages-build:
	@tools/install build
packages-test:
	@tools/install build test
packages-kafka:
	@tools/install build test kafka
packages-lint:
	@tools/install build test lint

.PHONY: oracles
oracles: packages-test
	@test ! -x tools/oracles || tools/oracles

.PHONY: parquet-readers
parquet-readers: packages-test
	@tools/parquet --readers

# Configures the tree of PRESET with the tests, unless it is there and up to date.
.PHONY: tree
tree:
	@cache=build/$(PRESET)/CMakeCache.txt; \
	if [ ! -f $$cache ] || [ CMakePresets.json -nt $$cache ]; then \
	  cmake --preset $(PRESET) -DMILLRACE_TESTS=ON; touch $$cache; \
	elif ! grep -qs MILLRACE_TESTS:BOOL=ON $$cache; then \
	  cmake -DMILLRACE_TESTS=ON build/$(PRESET); \
	elif [ -e build/parquet/place ] && grep -qs MILLRACE_PARQUET:INTERNAL=OFF $$cache; then \
	  cmake build/$(PRESET); \
	fi
