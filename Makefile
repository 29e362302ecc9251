.DEFAULT_GOAL := help
PYTHON ?= python3
PY := .venv/bin/python
READY := .venv/.ready
NODES ?= 1
COMPOSE := docker compose -f infra/compose$(if $(filter 3,$(NODES)),.three).yaml

help:  ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-8s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv and install everything
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --upgrade pip
	$(PY) -m pip install --quiet --editable . --group dev
	@touch $(READY)

fmt: $(READY) ## Format the code and mend what can be mended
	$(PY) -m ruff check --fix --quiet .
	$(PY) -m ruff format --quiet .

check: $(READY) ## Look at format, lint, types and the direction of imports
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports

test: $(READY) ## All tests, real MLX inference on a tiny model among them
	$(PY) -m pytest --numprocesses 2 --dist loadfile

bench: $(READY) ## Speed, as ratios against a named rival in one run
	$(PY) -m tests.bench

run: $(READY) ## The whole way: seed, rephrase, generate, score, gate, dedup, materialize
	.venv/bin/lem seed
	.venv/bin/lem distill --phase try --model mlx:demo/model
	.venv/bin/lem run --until-idle
	.venv/bin/lem materialize --phase try
	.venv/bin/lem status

up: ## Start Redpanda and its console in Docker; NODES=3 for a cluster of three
	$(COMPOSE) up -d --wait

down: ## Stop Redpanda; its records stay
	$(COMPOSE) down

kafka: $(READY) ## Run Apache Kafka without Docker; it needs Java 17 and Maven
	$(PY) infra/kafka/kafka.py --data .lem/kafka --port 9092

clean: ## Remove what tools wrote; the log in .lem stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup fmt check test bench run up down kafka clean
