"""Perplexity against transformers' own loss on the same input, and against the prober; interventions by hand."""

from __future__ import annotations

import causal_fixtures
import numpy as np
import probe_fixtures
import pytest
import torch
from causal_fixtures import byte_level, tiny_causal
from neuron_fixtures import KINDS, tiny
from probe_fixtures import loaded, tiny_model, wordpiece

from data_builders.errors import FactrootsError
from probe.geometry.affine import AffineMap, intervening
from probe.geometry.body import Body
from probe.geometry.layers import blocks
from probe.geometry.masks import Words, askings, joined
from probe.geometry.measures import Measure
from probe.geometry.perplexity import Meter
from probe.scoring.pseudo import PseudoScorer
from probe.scoring.scorer import Ask, Candidates


def model_of(kind: str):
    if kind in probe_fixtures.ARCHITECTURES:
        tokenizer = wordpiece()
        return loaded(tiny_model(kind, tokenizer), tokenizer)
    tokenizer = byte_level()
    return loaded(tiny_causal(kind, tokenizer), tokenizer)._replace(family="causal")


def text(one, rows: int = 5, length: int = 20, seed: int = 3) -> np.ndarray:
    """Random tokens, with special ones at both ends and in the middle."""
    tokenizer = one.tokenizer
    ordinary = [i for i in range(len(tokenizer)) if i not in tokenizer.all_special_ids]
    ids = np.random.default_rng(seed).choice(np.array(ordinary, np.int32), (rows, length)).astype(np.int32)
    ids[:, [0, 9, -1]] = tokenizer.all_special_ids[0]
    return ids


def asked(one, name: str, ids: np.ndarray, share: float | None = None):
    measure = Measure.parse(name if share is None else f"{name}(share={share})")
    return joined(askings(measure, ids, "it", Words.of(one.tokenizer), 0))


def labels(asking, shape, causal: bool) -> torch.Tensor:
    found = torch.full(shape, -100)
    found[asking.row, asking.column + causal] = torch.from_numpy(asking.targets)
    return found


@pytest.mark.parametrize("kind", [*probe_fixtures.ARCHITECTURES, *causal_fixtures.ARCHITECTURES])
def test_the_loss_of_transformers(kind):
    one = model_of(kind)
    try:
        body = Body.of(one)
    except FactrootsError:
        pytest.skip("its layers are not found")
    ids = text(one)
    causal = one.family == "causal"
    asking = asked(one, "causal" if causal else "mlm", ids, None if causal else 0.5)
    said, _ = Meter(body, ids[0]).plain(asking, [])
    more = {"use_cache": False} if causal else {}
    with torch.no_grad():
        out = one.model(input_ids=torch.from_numpy(asking.ids), labels=labels(asking, asking.ids.shape, causal), **more)
    assert len(said.nll) > 30
    np.testing.assert_allclose(said.nll.mean(), out.loss.item(), rtol=2e-5)
    logits = out.logits[asking.row, asking.column]
    assert (said.predicted == logits.argmax(dim=1).numpy()).mean() > 0.97  # all but ties within rounding
    assert said.nll.dtype == np.float64


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_pseudo_is_the_prober_s_original_where_all_is_asked(kind):
    one = tiny(kind)
    sentences = ["the capital of Italia is Roma.", "Roma la capital", "Par is the of"]
    prompts = [
        Ask(sentence.replace("Roma", "[Y]") if "Roma" in sentence else f"{sentence} [Y]") for sentence in sentences
    ]
    labels_, tokenizer = ["Roma"], one.tokenizer
    candidates = Candidates(labels_, tokenizer(labels_, add_special_tokens=False)["input_ids"], "it")
    answers = PseudoScorer(one.model, tokenizer, "original").work(prompts, candidates).score([0, 1, 2])
    meter = Meter(Body.of(one), np.array(tokenizer(sentences[0])["input_ids"], np.int32))
    for prompt, answer in zip(prompts, answers, strict=True):
        ids = np.array([tokenizer(prompt.prompt.replace("[Y]", "Roma"))["input_ids"]], np.int32)
        asking = asked(one, "pseudo", ids, 1)
        said, _ = meter.plain(asking, [])
        assert len(said.nll) == answer.count[0]
        np.testing.assert_allclose(-said.nll.sum(), answer.logprob[0], rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_an_intervention_is_the_whole_pass_with_the_map_put_in_by_hand(kind):
    """Whatever is left out, and whichever the layer: the logits of a model that is changed with a hook of one's own."""
    one = tiny(kind)
    ids, found, causal = text(one), blocks(one.model), one.family == "causal"
    asking = asked(one, "causal" if causal else "mlm", ids)
    meter, layers = Meter(Body.of(one), ids[0]), range(len(found) + 1)
    plain, states = meter.plain(asking, layers)
    d = states[0].shape[-1]
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(d, 5)))[0]
    subtract, add = np.linspace(0, 1, d), np.linspace(-1, 0, d)
    map = AffineMap(basis, subtract, add)

    def moved(x: torch.Tensor) -> torch.Tensor:
        return (
            (x.double() - torch.from_numpy(subtract)) @ (torch.from_numpy(basis @ basis.T)) + torch.from_numpy(add)
        ).float()

    for layer in layers:
        said = meter.under(asking, layer, map, states)
        handle = (
            found[layer - 1].register_forward_hook(
                lambda _, __, out: moved(out) if torch.is_tensor(out) else (moved(out[0]), *out[1:])
            )
            if layer
            else found[0].register_forward_pre_hook(
                lambda _, args, kw: (
                    ((moved(args[0]), *args[1:]), kw)
                    if args
                    else (args, kw | {"hidden_states": moved(kw["hidden_states"])})
                ),
                with_kwargs=True,
            )
        )
        with torch.no_grad():
            logits = one.model(input_ids=torch.from_numpy(asking.ids)).logits[asking.row, asking.column]
        handle.remove()
        expected = torch.nn.functional.cross_entropy(logits, torch.from_numpy(asking.targets), reduction="none")
        np.testing.assert_allclose(said.nll, expected.numpy(), rtol=1e-3, atol=1e-4)
        assert not np.allclose(said.nll, plain.nll, atol=1e-3)
        with intervening(found, layer, map):
            whole, _ = meter.plain(asking, [])
        assert (whole.nll == said.nll).all()
        again = meter.under(asking, layer, AffineMap(None, add, add), states)
        assert (again.nll == plain.nll).all()  # what changes nothing changes nothing, to the last bit


def test_a_vocabulary_in_blocks(monkeypatch):
    from probe.scoring import vocabulary

    one = tiny("bert")
    ids = text(one)
    asking, meter = asked(one, "mlm", ids), Meter(Body.of(one), ids[0])
    whole, _ = meter.plain(asking, [])
    monkeypatch.setattr(vocabulary, "BLOCK", 7)
    cut, _ = meter.plain(asking, [])
    np.testing.assert_allclose(cut.nll, whole.nll, rtol=1e-5)
    assert (cut.predicted == whole.predicted).all()


def test_logits_that_are_not_finite_are_told():
    one = tiny("bert")
    ids = text(one)
    asking, meter = asked(one, "mlm", ids), Meter(Body.of(one), ids[0])
    with torch.no_grad():
        one.model.get_output_embeddings().bias[7] = torch.inf
        said, _ = meter.plain(asking, [])
    assert not np.isfinite(said.nll).any()


@pytest.mark.parametrize(("kind", "measure"), [("bert", "mlm"), ("bert", "pseudo"), ("gpt2", "causal")])
def test_what_does_not_fit_into_memory_is_halved(kind, measure):
    """No more than two rows at a time fit, and nothing is lost or misplaced."""
    one = tiny(kind)
    ids = text(one)
    asking, meter = asked(one, measure, ids), Meter(Body.of(one), ids[0])
    map = AffineMap(None, np.zeros(16), np.linspace(-1, 1, 16))
    whole, states = meter.plain(asking, [1, 2])
    under, most = meter.under(asking, 2, map, states), []

    def small(ids: torch.Tensor, run=meter.head.states) -> torch.Tensor:
        if len(ids) > 2:
            raise torch.OutOfMemoryError("not so much")
        most.append(len(ids))
        return run(ids)

    meter.head = meter.head._replace(states=small)
    cut, held = meter.plain(asking, [1, 2])
    assert len(most) > 1 and sum(most) == len(asking.ids)
    for layer in (1, 2):
        torch.testing.assert_close(held[layer], states[layer], rtol=1e-5, atol=1e-6)
    for before, after in ((whole, cut), (under, meter.under(asking, 2, map, held))):
        np.testing.assert_allclose(after.nll, before.nll, rtol=1e-5)
        assert (after.predicted == before.predicted).all()
    meter.head = meter.head._replace(states=lambda _: small(torch.zeros(3, 2)))
    with pytest.raises(FactrootsError, match="out of memory on a single sequence"):
        meter.under(asking, 2, map, states)
