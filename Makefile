# `make demo` and `make test` work on a bare machine: each makes what it needs in .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-ikomia lint bench clean

demo: .venv/core
	$(BIN)/yolopv2 data render demo/input/drive.mp4 --frames 90 --seed 119
	$(BIN)/yolopv2 data render demo/input/scenes --frames 6
	$(BIN)/yolopv2 predict demo/input/drive.mp4 demo/input/scenes/images --output demo/output
	@echo 'Look at demo/output: drive.mp4, the pictures, and scenes.jsonl, one line per frame.'

# A process for each core; each computes with one thread, since threads that wait for each other's cores take far longer.
test: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

# The plugins within the real Ikomia, which weighs 1.3 GB: in an environment of its own.
test-ikomia: .venv-ikomia/done
	OMP_NUM_THREADS=1 .venv-ikomia/bin/python -m pytest tests/ikomia

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev
	$(BIN)/python benchmarks/frame.py

clean:
	rm -rf .venv .venv-ikomia demo

.venv/core: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/dev: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@ .venv/core

.venv-ikomia/done: pyproject.toml
	$(PYTHON) -m venv .venv-ikomia
	.venv-ikomia/bin/pip install --quiet --editable '.[dev,ikomia]' 'PyQt6>=6.2,<6.3' 'PyQt6-Qt6>=6.2.4,<6.3'
	touch $@
