# `make run` and `make test` each work as the first and only command on a fresh machine with Python >= 3.11 and make.

SHELL := /bin/sh
VENV := .venv
PYTHON := $(VENV)/bin/python
# Any new enough Python will do; say `make run PYTHON3=python3.13` to choose.
PYTHON3 ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PROTOS := protos/webcast.proto protos/tiktok.proto protos/douyin.proto
PORT ?= 8000

.PHONY: help run test check format bench bench-quick chaos drill protos docs doctor install pins clean

help:  ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

run: install  ## Everything in one process, with simulated rooms: http://localhost:8000/viewer?room=@demo
	@$(PYTHON) app.py --demo --port $(PORT)

test: install  ## All tests; REDIS_SERVER=valkey-server for another server than redis-server
	@$(PYTHON) -m pytest -q

check: install  ## Lint, types, import rules, generated files
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy .
	@$(PYTHON) -m pytest -q tests/unit/test_architecture.py tests/unit/test_generated.py

format: install  ## Bring the code into its form
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: $(VENV)/.bench-stamp  ## What a delivery costs, beside other servers; BENCH="--only growth" for a part of it
	@$(PYTHON) -m bench $(BENCH)

bench-quick: install  ## The same in two minutes: the gateway, Node ws and a plain loop at 1,000 clients
	@$(PYTHON) -m bench --only busy,held --variants naive,ws,gateway --repeats 1 --seconds 4

chaos: install  ## Break a whole cluster at random, 20 minutes; CHAOS="--redis cluster --seconds 60" for another run
	@$(PYTHON) -m tests.chaos $(CHAOS)

drill: install  ## Scale, restart and hit a cluster of docker compose while clients listen; three minutes, needs Docker
	@$(PYTHON) -m tests.drill $(DRILL)

protos: install  ## Generate protos/*_pb2.py(i) from the schemas
	@$(PYTHON) -m grpc_tools.protoc -I . --python_out=. --pyi_out=. $(PROTOS)

docs: install  ## Write what is generated from the code: settings, events
	@$(PYTHON) -m docs

doctor:  ## What this machine has, and what is missing for what
	@$(if $(PYTHON3),$(PYTHON3) deploy/doctor.py,echo "Python >= 3.11 is missing: install it first")

pins: install  ## Resolve the pinned versions anew
	@$(VENV)/bin/uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header \
		--upgrade -q -o requirements.lock
	@$(VENV)/bin/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --no-header \
		--upgrade -q -c requirements.lock -o requirements-dev.lock
	@$(VENV)/bin/uv pip compile --group bench --universal --generate-hashes --no-emit-index-url --no-header \
		--upgrade -q -c requirements-dev.lock -o requirements-bench.lock

install: $(VENV)/.stamp

# uv is faster where it is on the PATH; pip does the same. uv does not read pip's configuration, so tell it the index.
$(VENV)/.stamp: requirements-dev.lock
	@if [ -z "$(PYTHON3)" ]; then echo "Python >= 3.11 is needed, and none was found on the PATH"; exit 1; fi
	@echo "Setting up $(VENV), which takes about a minute ..."
	@test -x $(PYTHON) || $(PYTHON3) -m venv $(VENV)
	@if command -v uv >/dev/null 2>&1; then \
		index=$$($(PYTHON) -m pip config get global.index-url 2>/dev/null); \
		[ -z "$$index" ] || export UV_DEFAULT_INDEX="$$index"; \
		uv pip sync -q --python $(PYTHON) requirements-dev.lock; \
	else \
		$(PYTHON) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock; \
	fi
	@touch $@

$(VENV)/.bench-stamp: $(VENV)/.stamp requirements-bench.lock
	@echo "Installing what draws the plot ..."
	@$(PYTHON) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

clean:  ## Remove the environment and caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/build bench/results bench/node/node_modules
