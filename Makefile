# SPDX-License-Identifier: Apache-2.0
# The everyday commands; `make` lists them. The build itself is CMake's (CMakePresets.json).

.DEFAULT_GOAL := help
.PHONY: help demo demo-python build packages site test test-differential test-hardware bench fuzz \
  format check-format lint clean
MAKEFLAGS += --no-print-directory

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
CASES ?= 5000
export JOBS

help: ## list the targets
	@echo 'ratls: private sessions with code you can verify'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@echo 'Variables: JOBS=$(JOBS) FUZZ_SECONDS=$(FUZZ_SECONDS)'

demo: ## build ratls, then show a session and three refusals on simulated enclaves
	@tools/setup build
	@tools/build release ratls
	@RATLS=build/release/ratls examples/demo

demo-python: ## build ratls, then show the FastAPI service and the Python client it began with
	@tools/setup build test
	@tools/build release ratls libratls
	@RATLS=build/release/ratls examples/python-original/demo

build: ## build everything that is shipped, in build/release
	@tools/setup build
	@tools/build release

packages: ## build the Debian packages and the Python wheel, in build/packages
	@tools/setup build packages
	@tools/build_packages

site: ## render the documentation in build/site
	@tools/setup site
	@tools/build_site

test: ## build with tests in build/test and run them
	@tools/setup build test
	@tools/build test
	@tools/run_tests build/test

test-differential: ## compare CASES verdicts with another verifier's, from SEED on (npm)
	@tools/setup build test
	@tools/test_differential $(or $(SEED),random) $(CASES) || [ $$? = 77 ]

test-hardware: ## try SGX with Gramine, or TDX, on this machine; where neither is, tools/test_hardware ends with 77 and make with 2
	@tools/setup build
	@tools/build release ratls hello
	@tools/test_hardware

bench: ## build and run the benchmarks
	@tools/setup build bench
	@tools/build bench
	@tools/run_benchmarks build/bench

fuzz: ## run each fuzz target for FUZZ_SECONDS
	@tools/setup build fuzz
	@tools/build asan fuzz_targets
	@tools/run_fuzzers build/asan $(FUZZ_SECONDS)

format: ## format the C++ files
	@tools/setup build test
	@tools/format

check-format: ## say which C++ files are not formatted
	@tools/setup build test
	@tools/format --check

lint: ## run the checks of the rules in CONTRIBUTING.md
	@tools/setup build test
	@.ci/run format rules spelling shell

clean: ## remove the build folders
	@rm -rf build
