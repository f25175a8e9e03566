# Everything a developer runs. `make help` lists it.

PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest

.DEFAULT_GOAL := help
.PHONY: help prepare run demo check format test seconds coverage unit integration chaos e2e bench-ingest soak-ingest bench-persister bench-auth bench-gateway bench-rest docs clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

prepare: ## Make the Python environment in .venv (the others do it themselves)
	@bin/prepare

run: prepare ## Start everything on this machine: NATS, MongoDB, a simulated Upstox, all services
	@$(PYTHON) -m embedded run

demo: prepare ## Walk through it in under a minute, on a stack of its own, and check what was stored
	@$(PYTHON) -m embedded demo

check: prepare ## Lint, types, import rules, configuration: seconds
	@$(PYTHON) -m ruff format --check --quiet . || (echo "run: make format"; exit 1)
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --no-logo | tail -n 2
	@bash -n bin/prepare .ci/run
	@$(PYTHON) -m embedded check-config

format: prepare ## Format and fix what can be fixed
	@$(PYTHON) -m ruff format --quiet .
	@$(PYTHON) -m ruff check --fix --quiet .

# Most tests wait for servers, so three processes use two cores well. Tests of promises in seconds
# run afterwards, when nothing else does.
test: check programs ## Everything that a change must pass
	@$(PYTEST) -n 3
	@$(PYTEST) -m seconds

.PHONY: programs
programs: prepare
	@$(PYTHON) -m embedded prepare
	@$(PYTHON) -m tests.support.third_party

seconds: programs ## Tests of promises in seconds: on a machine without other work
	@$(PYTEST) -m seconds

coverage: programs ## Lines and branches that tests execute, services' processes included
	@rm -rf .coverage
	@$(PYTEST) -n 3 --cov --cov-report=term

unit: prepare ## Tests without any server
	@$(PYTEST) tests/unit tests/meta

integration: prepare ## Tests of one service with a real nats-server, mongod or browser
	@$(PYTEST) tests/integration

chaos: prepare ## Tests that kill, stop, cut and corrupt, with those that take minutes
	@$(PYTEST) -n 3 -m "not seconds" tests/chaos

e2e: prepare ## Tests of the whole stack
	@$(PYTEST) tests/e2e

bench-ingest: prepare ## Ticks per CPU-second through ingest, beside the SDK's decoding
	@$(PYTHON) -m bench.ingest

soak-ingest: prepare ## Two minutes of 2 000 instruments: is a tick lost, does memory grow
	@$(PYTHON) -m bench.ingest_soak

bench-persister: prepare ## Quotes to bars, and what they cost mongod; makes 1.6 GB below .data first
	@$(PYTHON) -m bench.persister

bench-auth: prepare ## A gateway's latency while auth is flooded with logins
	@$(PYTHON) -m bench.auth

bench-gateway: prepare ## Deliveries per CPU-second and latency, beside nats-server's WebSocket; stalled and idle clients
	@$(PYTHON) -m bench.gateway

bench-rest: prepare ## A month of five-minute bars over HTTP, beside a plain handler
	@$(PYTHON) -m bench.rest

docs: prepare ## Write the references in docs anew from the code
	@$(PYTHON) -m docgen.reference

clean: ## Remove the environment and all data of `make run`
	rm -rf .venv .tools .data .coverage
