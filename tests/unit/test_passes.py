"""From a protocol to the pass it needs, and from every pass to a scored run."""

from __future__ import annotations

import pytest
from causal_fixtures import byte_level, tiny_causal
from probe_fixtures import LIMIT, loaded, probed, small_world, tiny_model, unigram, wordpiece
from tokenizers import AddedToken
from transformers import AutoConfig, AutoModelForSeq2SeqLM

from data_builders.errors import FactrootsError
from probe import passes
from probe.protocols import PRESETS, Protocol
from probe.scores import score


def masked():
    tokenizer = wordpiece()
    return tiny_model("bert", tokenizer), tokenizer


def causal():
    tokenizer = byte_level(LIMIT)
    return tiny_causal("gpt2", tokenizer), tokenizer


def seq2seq():
    tokenizer = unigram(False)
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken(f"<extra_id_{i}>") for i in (0, 1)]})
    tokenizer.eos_token = "</s>"
    size = {"d_model": 16, "d_ff": 16, "d_kv": 8, "num_heads": 2, "num_layers": 1, "num_decoder_layers": 1}
    config = AutoConfig.for_model("t5", vocab_size=len(tokenizer), decoder_start_token_id=1, pad_token_id=1, **size)
    return AutoModelForSeq2SeqLM.from_config(config).eval(), tokenizer


FAMILIES = {"masked": masked, "causal": causal, "seq2seq": seq2seq}


def protocol_of(scoring: str) -> Protocol:
    return Protocol.parse(f"typed(scoring={scoring})" if scoring != "decode" else "decoded(masks=2)")


@pytest.mark.parametrize(("scoring", "family"), passes.WAYS, ids=[" of ".join(way) for way in passes.WAYS])
def test_every_way_ends_in_a_result(scoring, family, tmp_path):
    """Each way of scoring runs through the prober's own door, and every fact is scored or counted."""
    protocol, langs = protocol_of(scoring), ("it", "ja")
    model, tokenizer = FAMILIES[family]()
    one = loaded(model, tokenizer)._replace(family=family)
    text = passes.needed(protocol, family, langs)
    store = probed(tmp_path / "run", small_world(tmp_path / "facts", subjects=5, langs=langs), one, text)
    result = score(store, protocol)
    assert result.n_scored + sum(result.n_unscored.values()) == 20
    assert result.n_scored >= 10, result.n_unscored
    assert f"|scoring:{text}|" in result.signature and f"|family:{family}|" in result.signature


@pytest.mark.parametrize(
    ("protocol", "family", "langs", "text"),
    [
        ("kassner2021", "masked", ("it", "ja"), "masks"),
        ("zhao2024-full", "masked", ("it", "ja"), "masks"),
        ("mpararel", "masked", ("ja",), "masks"),
        ("typed", "masked", ("it", "ja"), "masks(join=script)"),
        ("typed", "masked", ("it", "af"), "masks"),
        ("bmlama", "masked", ("it", "zh"), "l2r(fill=text,join=zh)"),
        ("bmlama", "masked", ("it", "ja"), "l2r(fill=text)"),
        ("bmlama", "causal", ("it", "zh"), "sentence"),
        ("geomlama", "seq2seq", ("it",), "sentinel"),
        ("bear", "masked", ("ja",), "pseudo(case=capital,metric=within_word_l2r)"),
        ("bear(shots=3,best=5)", "causal", ("ja",), "sentence(best=5,case=capital,shots=3)"),
        ("xfactr", "masked", ("it",), "decode"),
        ("xfactr(init=left,masks=3)", "masked", ("it",), "decode(init=left,masks=3)"),
    ],
)
def test_the_pass_that_is_needed(protocol, family, langs, text):
    """What a protocol asks of a model, in a text that reads back."""
    assert passes.needed(Protocol.parse(protocol), family, langs) == text
    values = passes.parts(text)
    assert {part: values[part] for part in ("shots", "best", "masks", "init")} == {
        part: getattr(Protocol.parse(protocol), part) for part in ("shots", "best", "masks", "init")
    }


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("family", FAMILIES)
def test_presets_fit_a_family_or_say_which(name, family):
    """A preset has a pass of the family's models, or is refused in one line that names one that has."""
    protocol = PRESETS[name]
    if (protocol.scoring, family) in passes.WAYS:
        assert passes.needed(protocol, family, ("it",))
        return
    with pytest.raises(
        FactrootsError, match=f"{name} needs a masked LM, and this one is {family}; try --protocol bear"
    ):
        passes.needed(protocol, family, ("it",))


def test_all_scores_serve_for_the_best():
    """A run of all candidates holds its best; a run of the best does not hold all."""
    assert passes.serves("sentence(case=capital)", "sentence(best=5,case=capital)")
    assert not passes.serves("sentence(best=5)", "sentence")
    assert not passes.serves("sentence(best=5)", "sentence(best=7)")
    assert not passes.serves("masks", "masks(join=script)")
