"""The first neurons of every fact: their order, their files, and what stops the search."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neuron_fixtures import asked_of, tiny
from probe_fixtures import fact, small_world, write_facts

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from data_builders.progress import Quiet
from probe.tracing.neurons import kept, tops
from probe.tracing.neurons.find import ALONE, NEURONS, find
from probe.tracing.neurons.importance import METHODS, distances
from probe.tracing.neurons.kept import Kept, carry_out
from probe.tracing.neurons.model import Model
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.seeking import Seeking


def table_of(one, groups, seeking, **more) -> pa.Table:
    return pa.Table.from_batches(find(iter(groups), Reader(one), "it", seeking, **more), NEURONS)


@settings(deadline=None)
@given(seed=st.integers(0, 999), k=st.integers(1, 12), levels=st.sampled_from([2, 4, 1000]))
def test_the_order_is_that_of_a_sorted_list(seed, k, levels):
    """Descending, and equals by index, however many there are."""
    values = np.random.default_rng(seed).integers(0, levels, size=(5, 12)).astype(np.float32)
    found = tops.top(values, k)
    for row, neurons, weights in zip(values, *found, strict=True):
        expected = sorted(range(12), key=lambda n: (-row[n], n))[:k]
        assert neurons.tolist() == expected
        assert weights.tolist() == row[expected].tolist()


@settings(deadline=None)
@given(seed=st.integers(0, 999), k=st.integers(1, 40), step=st.integers(1, 45))
def test_columns_in_blocks(seed, k, step):
    """Blocks of neurons give what all of them at once do, ties included."""
    values = np.random.default_rng(seed).integers(0, 3, size=(4, 40)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tops, "block", lambda facts: step)
        found = tops.contrasted(values, distances, k)
    for ours, whole in zip(found, tops.top(distances(values), k), strict=True):
        np.testing.assert_array_equal(ours, whole)


def test_a_spilled_table_is_a_table():
    with tops.spilled(3, 5) as table:
        table[[2, 0]] = np.arange(10).reshape(2, 5)
        assert table.tolist() == [[5, 6, 7, 8, 9], [0] * 5, [0, 1, 2, 3, 4]]


@pytest.mark.parametrize("method", METHODS)
def test_batches_do_not_matter(method, tmp_path):
    """One fact at a time or all together: the same neurons but for rounding among equals, the same weights."""
    one = tiny("bert")
    groups = asked_of(one, small_world(tmp_path))
    found = []
    for tokens in (1, 4096):
        reader = Reader(one, tokens)
        found.append(pa.Table.from_batches(find(iter(groups), reader, "it", Seeking(method, 8, 3)), NEURONS))
    assert found[0]["fact"].equals(found[1]["fact"])
    weights = [np.array(table["weights"].to_pylist()) for table in found]
    np.testing.assert_allclose(*weights, rtol=2e-3, atol=1e-6)


def test_a_fact_alone_in_its_relation(tmp_path):
    """PROBELESS has nothing to compare it with, and that is counted; attributions need no other."""
    rows = {"it": [fact("P36", "aa", "Roma"), fact("P47", "bb", "la"), fact("P47", "cc", "is")]}
    world = write_facts(tmp_path, rows, {"it": {"P36": "[X] is [Y].", "P47": "[Y] la [X]."}})
    groups, unasked = asked_of(one := tiny("bert"), world), Counter()
    assert table_of(one, groups, Seeking(k=4), unasked=unasked)["relation"].to_pylist() == ["P47", "P47"]
    assert unasked == {ALONE: 1}
    assert len(table_of(one, groups, Seeking("activation_x_gradient", 4))) == 3


def test_more_neurons_than_there_are(tmp_path):
    with pytest.raises(FactrootsError, match="k is 65, and the model has 64 neurons"):
        table_of(tiny("bert"), [], Seeking(k=65))
    one = tiny("bert")
    found = table_of(one, asked_of(one, small_world(tmp_path)), Seeking(k=64))
    assert all(sorted(neurons) == list(range(64)) for neurons in found["neurons"].to_pylist())


@pytest.mark.parametrize("method", METHODS)
def test_no_number_is_refused_with_the_fact(method, tmp_path):
    """One subject's token is broken; its fact is named, whatever stood in the batch."""
    one = tiny("bert")
    groups = asked_of(one, small_world(tmp_path))
    (token,) = set(groups[0][1][3].ids) - {t for i in range(12) if i != 3 for t in groups[0][1][i].ids}
    with torch.no_grad():
        one.model.bert.embeddings.word_embeddings.weight[token] = torch.nan
    one.model.cls.predictions.decoder.weight = torch.nn.Parameter(torch.ones(len(one.tokenizer), 16))
    with pytest.raises(FactrootsError, match=f"fact {groups[0][1][3].fact} in it"):
        table_of(one, groups, Seeking(method, 4, 2))


class Bar(Quiet):
    """Notes what it is told; may stop the run when it is told of progress for the n-th time."""

    def __init__(self, stop: int | None = None):
        self.told, self.left = [], stop

    def start(self, lang, facts):
        self.told.append([lang, facts, 0])

    def advance(self, facts, before=False):
        self.told[-1][2] += facts
        if self.left is not None:
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(stop, tmp_path):
    one, data = tiny("gpt2"), FactSet.parse(small_world(tmp_path / "facts")).open()
    right = {"it": {f"P36-{i}" for i in range(9)} | {"P47-1"}, "ja": {f"P47-{i}" for i in range(12)}}
    whole, again = tmp_path / "whole", tmp_path / "again"
    carry_out(data, Model.of(one), right, Seeking(k=5), whole, bar := Bar())
    assert bar.told == [["it", 10, 10], ["ja", 12, 12]]
    with pytest.raises(KeyboardInterrupt):
        carry_out(data, Model.of(one), right, Seeking(k=5), again, Bar(stop))
    carry_out(data, Model.of(one), right, Seeking(k=5), again, bar := Bar())
    assert bar.told == [["it", 10, 10], ["ja", 12, 12]]
    files = {path.name: path.read_bytes() for path in whole.iterdir() if path.name != ".lock"}
    assert files == {path.name: path.read_bytes() for path in again.iterdir() if path.name != ".lock"}
    assert set(files) == {"neurons.json", "neurons-it.parquet", "neurons-ja.parquet", "it.json", "ja.json"}
    made = Kept(again)
    assert made.unasked() == {"it": {ALONE: 1}, "ja": {}}
    table = made.table()
    assert Counter(table["lang"].to_pylist()) == {"it": 9, "ja": 12}
    assert table.schema.equals(NEURONS)


def test_a_finished_language_is_not_run_again(tmp_path, monkeypatch):
    one, data = tiny("bert"), FactSet.parse(small_world(tmp_path / "facts")).open()
    right = {lang: {f"P36-{i}" for i in range(4)} for lang in data.langs}
    carry_out(data, Model.of(one), right, Seeking(k=5), tmp_path / "made", Quiet())
    monkeypatch.setattr(kept, "find", lambda *_: pytest.fail("run again"))
    carry_out(data, Model.of(one), right, Seeking(k=5), tmp_path / "made", Quiet())


def test_other_neurons_in_the_folder_are_refused(tmp_path):
    one, data = tiny("bert"), FactSet.parse(small_world(tmp_path / "facts")).open()
    right = {lang: {f"P36-{i}" for i in range(4)} for lang in data.langs}
    carry_out(data, Model.of(one), right, Seeking(k=5), tmp_path / "made", Quiet())
    with pytest.raises(FactrootsError, match="their neurons differ"):
        carry_out(data, Model.of(one), right, Seeking(k=6), tmp_path / "made", Quiet())
    with pytest.raises(FactrootsError, match="their right differ"):
        carry_out(data, Model.of(one), right | {"it": {"P36-1"}}, Seeking(k=5), tmp_path / "made", Quiet())
    (tmp_path / "made" / "neurons-ja.parquet").unlink()
    with pytest.raises(FactrootsError, match="neurons-ja.parquet missing"):
        Kept(tmp_path / "made").table()
    with pytest.raises(FactrootsError, match="holds no neurons"):
        Kept(tmp_path / "nowhere").table()


@pytest.mark.parametrize(
    "text", ["probeless(k=50)", "activation_x_gradient(k=7)", "integrated_gradients(k=50,steps=20)"]
)
def test_the_text_of_a_search(text):
    assert str(Seeking.parse(text)) == text
    assert Seeking.parse(str(Seeking.parse(text))) == Seeking.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("probes", "unknown method for neurons 'probes'; there are: activation_x_gradient, "),
        ("probeless(n=3)", "unknown parameter of neurons 'n'; there are: k, steps"),
        ("probeless(k=many)", "k takes a whole number"),
        ("probeless(k=0)", "k and steps of probeless must be at least 1"),
    ],
)
def test_what_is_no_search(text, message):
    with pytest.raises(FactrootsError, match=message):
        Seeking.parse(text)
