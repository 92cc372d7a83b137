"""Pretraining in small: what it writes, that the seed decides, and that a break leaves nothing behind."""

import hashlib

import pytest

from data_builders.atlas import Atlas
from data_builders.errors import FactrootsError
from data_builders.planted.world import read_articles, read_presence, write_world
from fine_tuning.pretrain import pretrain
from fine_tuning.pretrain_batches import batches
from fine_tuning.pretrain_pieces import read_pieces
from fine_tuning.pretrain_scoring import Answer, rate
from fine_tuning.pretrain_tokenizer import LONGEST, train_tokenizer


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "world"
    write_world(folder, Atlas(None), seed=3, languages=("af",))
    return folder


@pytest.fixture(scope="module")
def tokenizer(small):
    return train_tokenizer((row["subject"] for row in read_presence(small).to_pylist()), size=1500)


def test_a_run_writes_model_tokenizer_and_card_and_the_seed_decides(small, tmp_path):
    for name in ("one", "two"):
        pretrain(small, tmp_path / name, Atlas(None), seed=1, steps=2)
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names >= {"config.json", "model.safetensors", "tokenizer.json", "README.md"}
    for name in ("model.safetensors", "tokenizer.json"):
        one, two = (hashlib.sha256((tmp_path / run / name).read_bytes()).hexdigest() for run in ("one", "two"))
        assert one == two
    assert "probe demo pretrain DIR --seed 1 --steps 2" in (tmp_path / "one" / "README.md").read_text(encoding="utf-8")
    with pytest.raises(FactrootsError, match="exists already"):
        pretrain(small, tmp_path / "one", Atlas(None), seed=1, steps=1)


def test_an_interrupted_run_leaves_nothing(small, tmp_path):
    def interrupt(step, loss):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(small, tmp_path / "out", Atlas(None), seed=1, steps=2, report=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_pieces_mark_exactly_the_tokens_of_the_names(small, tokenizer):
    for article, paragraphs in zip(read_articles(small, "af"), read_pieces(small, tokenizer), strict=True):
        for sentences, pieces in zip(article.paragraphs, paragraphs, strict=True):
            for sentence, piece in zip(sentences, pieces, strict=True):
                for role, _, start, end in sentence.mentions:
                    wanted = tokenizer(sentence.text[start:end], add_special_tokens=False)["input_ids"]
                    assert piece.ids[piece.roles == {"X": 1, "Y": 2, "Z": 3}[role]].tolist() == wanted


def test_batches_hide_what_they_ask_for_and_fit_the_model(small, tokenizer):
    stream = batches(read_pieces(small, tokenizer), tokenizer, seed=1)
    for _, batch in zip(range(50), stream, strict=False):
        assert batch.ids.shape == batch.attention.shape == batch.hidden.shape
        assert batch.ids.shape[1] <= LONGEST
        assert (batch.ids[batch.hidden] == tokenizer.mask_token_id).all()
        assert len(batch.answers) == batch.hidden.sum() > 0
        assert (batch.hidden.any(1)).all()
        assert not (batch.hidden & ~batch.attention).any()


def test_rates_against_numbers_worked_by_hand():
    answers = [
        Answer("en", "P30", True, "Asia", "Asia", 4),
        Answer("en", "P30", True, "Asia", "Europe", 4),
        Answer("en", "P36", True, "Paris", "Paris", 2),
    ]
    figures = rate(answers)
    assert figures.n == 3
    assert figures.micro == pytest.approx(2 / 3)
    assert figures.macro == pytest.approx(3 / 4)
    assert figures.majority == figures.majority_macro == 1.0
    assert figures.chance == pytest.approx((1 / 4 + 1 / 4 + 1 / 2) / 3)
    assert rate([]).n == 0


def test_a_siloed_twin_is_a_plain_model_for_each_language_with_neurons_of_its_own(tmp_path):
    """A text's output under the gates is the same as that of its language's own model, which knows no gate."""
    import torch
    from transformers import BertConfig, BertForMaskedLM

    from fine_tuning.pretrain_silos import WIDTH, Silos, only

    config = BertConfig(vocab_size=50, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=3 * WIDTH, max_position_embeddings=16)  # fmt: skip
    model = BertForMaskedLM(config).eval()
    for p in model.parameters():  # biases are zero at first
        torch.nn.init.normal_(p, std=0.3)
    ids = torch.randint(50, (3, 7))
    silos = Silos(model, 3)
    with silos.held(), torch.inference_mode():
        silos.choose([2, 0, 1])
        gated = model(ids).logits
    for row, lang in enumerate([2, 0, 1]):
        own = only(model, lang)
        assert own.config.intermediate_size == WIDTH
        with torch.inference_mode():
            torch.testing.assert_close(own(ids[row : row + 1]).logits[0], gated[row], atol=1e-5, rtol=1e-4)
    with torch.inference_mode():
        assert not torch.allclose(model(ids).logits, gated, atol=1e-3)  # the gates are off, and they did something


def test_a_siloed_twin_is_written_as_a_folder_a_language(tmp_path):
    world = tmp_path / "world"
    write_world(world, Atlas(None), seed=3, languages=("af", "ja"))
    pretrain(world, tmp_path / "twin", Atlas(None), seed=1, steps=2, siloed=True)
    assert {path.name for path in (tmp_path / "twin").iterdir()} == {"af", "ja", "README.md"}
    card = (tmp_path / "twin" / "README.md").read_text(encoding="utf-8")
    assert "--steps 2 --siloed" in card
    one, two = ((tmp_path / "twin" / lang / "model.safetensors").read_bytes() for lang in ("af", "ja"))
    assert one != two
