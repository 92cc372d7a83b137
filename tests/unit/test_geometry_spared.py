"""Special tokens that an intervention leaves as they are, in one pass and in the prober's many."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from causal_fixtures import Slow
from geometry_fixtures import KINDS, ids, tiny
from sweep_fixtures import fits_of, plan, texts_of
from test_geometry_affine import by_hand, drawn
from test_geometry_layers import seen_by

from data_builders.progress import Quiet
from probe.geometry.affine import AffineMap, intervening
from probe.geometry.conditions import Condition
from probe.geometry.layers import blocks
from probe.geometry.masks import Words, askings
from probe.geometry.plan import Swept, describe
from probe.geometry.spared import Spared
from probe.geometry.sweep import sweep
from probe.scoring.causal import CausalScorer
from probe.scoring.scorer import Ask, Candidates, batches

#: A special token of each kind's tokenizer.
FIRST = {"bert": "[CLS]", "xlm-roberta": "<s>", "gpt2": "<|endoftext|>", "llama": "<s>", "gemma3": "<s>"}


def begun(one, tokens: torch.Tensor, first: str) -> torch.Tensor:
    """The sequences with a special token first, one in their middle, and, of a masked LM, its mask."""
    tokens, special = tokens.clone(), one.tokenizer.convert_tokens_to_ids(first)
    tokens[:, 0] = tokens[1, 5] = special
    if one.family == "masked":
        tokens[0, 3] = one.tokenizer.mask_token_id
    return tokens


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_only_special_tokens_stay(kind, layer):
    one, map = tiny(kind), drawn(5)
    tokens, found = begun(one, ids(tiny(kind)), FIRST[kind]), blocks(one.model)
    plain = seen_by(one.model, found, tokens)
    with intervening(found, layer, map, Spared(one)):
        moved = seen_by(one.model, found, tokens)
    stay = torch.zeros(tokens.shape, dtype=torch.bool)
    stay[:, 0] = stay[1, 5] = True
    assert torch.equal(moved[layer][stay], plain[layer][stay])
    expected = by_hand(map, plain[layer][~stay].numpy())
    assert np.allclose(moved[layer][~stay].numpy(), expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))
    again = seen_by(one.model, found, tokens)
    assert all(torch.equal(again[i], plain[i]) for i in range(3))
    assert not one.model.get_input_embeddings()._forward_pre_hooks


def test_nothing_is_left_after_an_exception():
    one = tiny("bert")
    with pytest.raises(ZeroDivisionError), intervening(blocks(one.model), 1, drawn(2), Spared(one)):
        raise ZeroDivisionError
    assert not one.model.get_input_embeddings()._forward_pre_hooks


@contextmanager
def spared_by_hand(one, layer: int, map: AffineMap):
    """The block's output put together place by place, by the ids that the whole model was given."""
    read = []
    special = {i for i in one.tokenizer.all_special_ids if i != one.tokenizer.mask_token_id}
    special -= {one.tokenizer.unk_token_id}

    def note(_, __, named):
        read[:] = [named["input_ids"]]

    def change(_, __, output):
        states = output if isinstance(output, torch.Tensor) else output[0]
        new = torch.tensor(by_hand(map, states.numpy())).to(states.dtype)
        for row, own in enumerate(read[0].tolist()):
            for place, token in enumerate(own):
                if token in special:
                    new[row, place] = states[row, place]
        return new if isinstance(output, torch.Tensor) else (new, *output[1:])

    handles = [
        one.model.register_forward_pre_hook(note, with_kwargs=True),
        blocks(one.model)[layer - 1].register_forward_hook(change),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama", "gemma3"])
def test_the_sweep_is_that_of_a_plain_loop(kind, tmp_path):
    """From held states, in batches, few places at the head: −log p as of whole passes hooked by hand."""
    one = tiny(kind)
    with torch.no_grad():
        for parameter in one.model.parameters():
            parameter.mul_(8 if kind == "bert" else 1)  # so that a first token matters to the others
    fits = fits_of(tmp_path / "fits", one, texts_of(one))
    measure = "mlm(share=0.4)" if one.family == "masked" else "causal"
    own = plan(measure, langs=("xa",), layers=(1,), conditions=("shift(xb)",), specials=False)
    swept = Swept(tmp_path / "kept")
    swept.folder.mkdir()
    swept.claim(describe(own, fits, one))
    sweep(own, fits, one, swept, Quiet())
    rows = pq.read_table(swept.rows("xa")).to_pandas()
    found = rows[rows["condition"] == "shift"].sort_values("sequence")
    asked = askings(own.measure, fits.sequences("xa").test, "xa", Words.of(one.tokenizer), 0)
    expected = []
    with spared_by_hand(one, 1, Condition("shift", "xb").map(fits, 1, "xa", 0.9, 0)), torch.no_grad():
        for single in asked:
            logits = one.model(input_ids=torch.tensor(single.ids)).logits.double().log_softmax(-1)
            expected.append(-logits[single.row, single.column, single.targets].sum().item())
    np.testing.assert_allclose(found["nll"], expected, rtol=2e-6)
    everywhere = plan(measure, langs=("xa",), layers=(1,), conditions=("shift(xb)",))
    moved = Swept(tmp_path / "moved")
    moved.folder.mkdir()
    sweep(everywhere, fits, one, moved, Quiet())
    other = pq.read_table(moved.rows("xa")).to_pandas()
    apart = other[other["condition"] == "shift"].sort_values("sequence")["nll"] / expected - 1
    assert abs(apart).max() > 1e-4
    assert describe(everywhere, fits, one)["specials"] is True


@pytest.mark.parametrize("kind", ["gpt2", "llama", "gemma3"])
def test_in_the_many_passes_of_a_causal_score(kind):
    """What a cache holds and what comes after it are both moved, the beginning in neither."""
    one, map, labels = tiny(kind), drawn(5), ("Roma", "Roma is", "東京", "a b c")
    asks = [Ask("la capital of a is [Y]."), Ask("[Y] is la Italia"), Ask("東京の首都は[Y]です。")]
    scorer, slow = CausalScorer(one.model, one.tokenizer), Slow(one.model, one.tokenizer)
    work = scorer.work(
        asks, Candidates(labels, one.tokenizer(list(labels), add_special_tokens=False)["input_ids"], "it")
    )
    found = {}
    with intervening(blocks(one.model), 1, map, Spared(one)):
        for batch in batches(work, 60):
            found |= zip(batch, work.score(batch), strict=True)
    with spared_by_hand(one, 1, map):
        for number, ask in enumerate(asks):
            expected = [slow.score(ask.prompt, label)[0] for label in labels]
            np.testing.assert_allclose(found[number].logprob, expected, rtol=1e-5)
    with intervening(blocks(one.model), 1, map):
        everywhere = work.score(next(batches(work, 60)))[0].logprob
    assert not np.allclose(everywhere, found[0].logprob, rtol=1e-3)
