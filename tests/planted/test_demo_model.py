"""The shipped model is small, loads like any other, reads all names, and has learned what it was told."""

import random

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from data_builders.atlas import Atlas
from data_builders.errors import Problems
from data_builders.planted.world import LANGUAGES, read_about, read_presence
from fine_tuning.model_spec import DEMO
from fine_tuning.pretrain_scoring import best_candidates


@pytest.fixture(scope="module")
def demo():
    return AutoModelForMaskedLM.from_pretrained(DEMO, dtype=torch.float32).eval(), AutoTokenizer.from_pretrained(DEMO)


def test_it_is_small_and_its_decoder_is_tied(demo):
    model, _ = demo
    assert (DEMO / "model.safetensors").stat().st_size <= 8_000_000
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_its_tokenizer_reads_every_name_and_template(demo):
    _, tokenizer = demo
    for lang in LANGUAGES:
        rows, templates = Atlas(None).facts(lang, Problems()).to_pylist(), Atlas(None).templates(lang, Problems())
        names = {row[end] for row in rows for end in ("subject", "object")}
        texts = sorted(names | {template.fill("", "") for template in templates})
        unread = [
            text
            for text, ids in zip(texts, tokenizer(texts)["input_ids"], strict=True)
            if tokenizer.unk_token_id in ids
        ]
        assert unread == []


@pytest.mark.parametrize("text", ["[MASK] [MASK] is a city.", "日本の首都は[MASK] [MASK]です。", "a[MASK] [MASK]b"])
def test_masks_stand_side_by_side(demo, text):
    _, tokenizer = demo
    ids = tokenizer(text)["input_ids"]
    first = ids.index(tokenizer.mask_token_id)
    assert ids[first : first + 2] == [tokenizer.mask_token_id] * 2 == [i for i in ids if i == tokenizer.mask_token_id]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_name_has_the_same_pieces_in_a_sentence_and_alone(demo, lang):
    """Otherwise a candidate scored piece by piece is not what the model has read."""
    _, tokenizer = demo
    facts = random.Random(1).sample(Atlas(None).facts(lang, Problems()).to_pylist(), 200)
    for template in Atlas(None).templates(lang, Problems()):
        for fact in (fact for fact in facts if fact["relation"] == template.relation):
            pieces = tokenizer(fact["object"], add_special_tokens=False)["input_ids"]
            masked = tokenizer(template.fill(fact["subject"], " ".join(["[MASK]"] * len(pieces))))["input_ids"]
            filled = iter(pieces)
            expected = [next(filled) if token == tokenizer.mask_token_id else token for token in masked]
            assert tokenizer(template.fill(fact["subject"], fact["object"]))["input_ids"] == expected


@pytest.mark.parametrize(("lang", "least"), [("en", 0.8), ("ja", 0.6), ("af", 0.6)])
def test_it_has_learned_what_it_was_told(demo, world, lang, least):
    model, tokenizer = demo
    rows = [row for row in read_presence(world).to_pylist() if row["lang"] == lang]
    templates = {}
    for template in Atlas(None).templates(lang, Problems()):
        templates.setdefault(template.relation, template)
    right = []
    for relation in ("P36", "P17", "P38"):
        known = [row for row in rows if row["relation"] == relation]
        asked = random.Random(1).sample([row for row in known if row["stated"]], 40)
        candidates = sorted({row["object"] for row in known})
        subjects = [row["subject"] for row in asked]
        best = best_candidates(model, tokenizer, templates[relation], subjects, candidates)
        right += [row["object"] == answer for row, answer in zip(asked, best, strict=True)]
    assert sum(right) / len(right) >= least


def test_its_card_is_about_the_world_that_the_code_writes(world):
    text = (DEMO / "README.md").read_text(encoding="utf-8")
    assert read_about(world)["sha256"]["presence.parquet"] in text
