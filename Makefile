# Everything starts from a clean clone with nothing but Python and make; the second run reuses .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
IN_PARALLEL := --numprocesses auto --dist loadfile --no-loadscope-reorder
FRONTEND := $(wildcard frontend/*.* frontend/src/*.* frontend/src/*/*)
PLUGINS := $(wildcard plugins/*/pyproject.toml plugins/*/*.py)

.DEFAULT_GOAL := help
.PHONY: help setup demo docs frontend test coverage lint fuzz bench nox adapters release-check clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

setup: $(VENV)/.ready $(VENV)/.frontend ## build .venv with everything that development needs

$(VENV)/.ready: pyproject.toml constraints.txt schedframe/_version.py $(PLUGINS)
	@echo "Setting up $(VENV): once, a few minutes, most of it PyTorch"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) --group dev --editable '.[cli,design,foresight,plot,torch]'
	$(PIP) --no-build-isolation --force-reinstall --no-deps $(patsubst %/pyproject.toml,./%,$(wildcard plugins/*/pyproject.toml))
	@touch $(VENV)/.demo $@

$(VENV)/.demo: pyproject.toml constraints.txt schedframe/_version.py $(wildcard plugins/schedframe-rex/*.*)
	@echo "Setting up $(VENV) for the demonstration: once, a minute or two, most of it PyTorch"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) --group demo --editable '.[cli]' ./plugins/schedframe-rex
	@touch $@

$(VENV)/.frontend: $(VENV)/.ready $(FRONTEND)
	@$(BIN)/python frontend/hatch_build.py || echo "Going on without the pages"
	@touch $@

frontend: $(VENV)/.ready ## build the pages of schedframe plot and design; needs Node.js
	$(BIN)/python frontend/hatch_build.py

docs: setup ## the site, into docs/_build/html; Python 3.11 or later
	$(BIN)/sphinx-build -W --keep-going --quiet --builder html docs docs/_build/html
	@echo "docs/_build/html/index.html"

demo: $(VENV)/.demo ## train a real Megatron Core GPT on a schedule from a file, with a plugin's style
	$(BIN)/python docs/examples/train_gpt/train_gpt.py

test: setup lint ## lint, types and every test
	$(BIN)/python -m pytest $(IN_PARALLEL)

coverage: setup ## which lines and branches the tests reach
	$(BIN)/python -m pytest $(IN_PARALLEL) --cov --cov-report=term

lint: setup ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fuzz: setup ## minutes of changed configs, states, checkpoints and command lines
	SCHEDFRAME_FUZZ=$(or $(SCHEDFRAME_FUZZ),40) $(BIN)/python -m pytest $(IN_PARALLEL) tests/fuzz

bench: setup ## ratios to Megatron's class, pydantic and importlib, measured side by side
	$(BIN)/python benchmarks/step.py
	$(BIN)/python benchmarks/torch_scheduler.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/discover.py
	$(BIN)/python benchmarks/audit.py
	$(BIN)/python benchmarks/foresight.py

release-check: setup ## build every distribution, and try each where nothing else is installed
	$(BIN)/python -m release.check

nox: setup ## the core, without torch, on every Python from 3.10 to 3.14 that is here
	$(BIN)/nox

adapters: setup ## schedules in trainers that cannot be installed beside the others, each in an environment of its own
	$(BIN)/nox --session adapters

clean: ## remove .venv, every cache and the built pages
	rm -rf docs/_build frontend/node_modules frontend/out schedframe/_tools/views/page/built
	rm -rf $(VENV) dist .nox .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
