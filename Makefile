# Commands for developers. `make help` lists them.

PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
# Only these files are given: to collect all tests takes as long as to run these.
SECONDS_TESTS = -m "seconds and not long" $$(grep -rl --include='test_*.py' 'mark\.seconds' tests)

# A command whose output is piped fails the recipe.
SHELL := bash
.SHELLFLAGS := -o pipefail -c

# With CDPATH, `cd` in a script may change to another folder.
unexport CDPATH
# Without stored bytecode, each start of a service and of a test process compiles every module.
unexport PYTHONDONTWRITEBYTECODE
# Under LC_ALL=C, Python does not start from a folder whose name is not ASCII.
ifneq ($(LC_ALL),)
ifeq ($(findstring UTF-8,$(LC_ALL))$(findstring utf8,$(LC_ALL)),)
export LC_ALL := C.UTF-8
endif
endif

.DEFAULT_GOAL := help
.PHONY: help prepare run demo web web-dev check format test seconds coverage unit integration chaos e2e bench-ingest soak-ingest bench-persister bench-backfill bench-auth bench-gateway bench-rest bench-trading bench-page page-images fuzz soak-stack images compose-test secrets docs clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

prepare: ## Create the Python environment in .venv (all other targets do this first)
	@bin/prepare

run: prepare ## Start NATS, MongoDB, a simulated Upstox and all services on this machine
	@$(PYTHON) -m embedded.page build-if-possible
	@$(PYTHON) -m embedded run

web: prepare ## Build the trader's page, if its sources have changed
	@$(PYTHON) -m embedded.page build

web-dev: prepare ## Serve the page from its sources, with reload, in front of `make run`
	@$(PYTHON) -m embedded.page dev

demo: prepare ## Sign up, stream quotes and check stored bars, on a temporary stack, in under a minute
	@$(PYTHON) -m embedded demo

check: prepare ## Run linters and check types, import rules and configuration; takes seconds
	@$(PYTHON) -m ruff format --check --quiet . || (echo "run: make format"; exit 1)
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --no-logo | tail -n 2
	@for script in bin/prepare bin/images bin/standin-base .ci/run; do bash -n $$script; done
	@$(PYTHON) -m check_jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(PYTHON) -m embedded check-config
	@$(PYTHON) -m docgen.monitoring.check
	@$(PYTHON) -m deploycheck
	@$(PYTHON) -m embedded.page check

format: prepare ## Format the code and apply automatic fixes
	@$(PYTHON) -m ruff format --quiet .
	@$(PYTHON) -m ruff check --fix --quiet .
	@$(PYTHON) -m embedded.page format

# Most tests wait for servers, so eight processes use two cores well. Tests of promises in seconds
# run afterwards, when nothing else does.
test: web ## Everything that a change must pass
	@$(MAKE) --no-print-directory -j 2 check programs page-tests
	@$(PYTEST) -n 8
	@$(PYTEST) $(SECONDS_TESTS)

.PHONY: programs page-tests
page-tests: web
	@$(PYTHON) -m embedded.page test

programs: web
	@$(PYTHON) -m embedded prepare
	@$(PYTHON) -m tests.support.third_party

seconds: programs ## Tests of promises in seconds: on a machine without other work
	@$(PYTEST) $(SECONDS_TESTS)

coverage: programs ## Lines and branches that tests execute, services' processes included
	@rm -rf .coverage
	@$(PYTEST) -n 3 --cov --cov-report=term

unit: web page-tests ## Tests without any server
	@$(PYTEST) tests/unit tests/meta

integration: web ## Tests of one service with a real nats-server, mongod or browser
	@$(PYTEST) tests/integration

chaos: programs ## Tests that kill, stop, cut and corrupt, with those that take minutes
	@$(PYTEST) -n 3 -m "not seconds" tests/chaos
	@$(PYTEST) -m "seconds and long" tests/chaos

e2e: web ## Tests of the whole stack
	@$(PYTEST) tests/e2e

fuzz: programs ## Random input at the inbound edges, two minutes for each test
	@FUZZ_SECS=120 $(PYTEST) tests/fuzz

soak-stack: programs ## Thirty minutes of random faults on a whole stack, watched by clients
	@$(PYTHON) -m tests.soak

bench-ingest: prepare ## Ticks per CPU-second through ingest, compared with the SDK's decoding
	@$(PYTHON) -m bench.ingest

soak-ingest: prepare ## Two minutes of 2 000 instruments: lost ticks and memory growth
	@$(PYTHON) -m bench.ingest_soak

bench-backfill: prepare ## A year of bars of fifty instruments, killed twice in between
	@$(PYTHON) -m bench.backfill

bench-persister: prepare ## Quotes to bars, and the cost in mongod; first creates 1.6 GB in .data
	@$(PYTHON) -m bench.persister

bench-auth: prepare ## Latency of a gateway during a flood of logins
	@$(PYTHON) -m bench.auth

bench-gateway: prepare ## Deliveries per CPU-second and latency, compared with nats-server's WebSocket
	@$(PYTHON) -m bench.gateway

bench-rest: prepare ## A month of five-minute bars over HTTP, compared with a minimal handler
	@$(PYTHON) -m bench.rest

bench-trading: prepare ## Orders from REST to their event, compared with the official SDK
	@$(PYTHON) -m bench.trading

bench-page: prepare ## Frames and memory of the page in Chromium, 200 rows at 1 000 quotes a second
	@$(PYTHON) -m bench.page

page-images: prepare ## Take the pictures of the page in docs/images
	@$(PYTHON) -m tests.page_images

images: ## Build the container images with buildah, podman or docker
	@bin/images

compose-test: prepare ## Start docker-compose.yml under podman, try it through nginx and TLS, remove it
	@$(PYTHON) -m tests.compose

secrets: prepare ## Create all secrets, keys and certificates of a first start in .secrets
	@$(PYTHON) -m operations secrets --folder .secrets

docs: prepare ## Generate the references in docs from the code
	@$(PYTHON) -m docgen.reference
	@$(PYTHON) -m embedded.page api

clean: ## Remove the Python environment and all data of `make run`
	rm -rf .venv .tools .data .coverage web/node_modules services/gateway/web
