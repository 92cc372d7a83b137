"""Text as examples: pieces, masks, and what is held out."""

import json

import numpy as np
import pytest
import torch
from corpora_fixtures import built
from hypothesis import given, settings
from hypothesis import strategies as st
from neuron_fixtures import tiny
from probe_fixtures import wordpiece

from data_builders.corpora.built import open_built
from data_builders.errors import FactrootsError
from fine_tuning.training.collating import Causal, Masked
from fine_tuning.training.documents import Text, of_corpus, of_file
from fine_tuning.training.text import frame, text_examples

LINES = [f"Roma is {'abcdefghil'[i % 10]} {'of Italia ' * (i % 5)}{'mnoprs'[i // 10]}" for i in range(60)]


def text(lines=tuple(LINES)) -> Text:
    return Text(list(lines), {"text": "lines.txt", "lang": "it", "sha256": "0" * 64})


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "gpt2", "llama"])
def test_pieces_hold_all_tokens_in_order_framed_as_the_tokenizer_does(tmp_path, kind):
    one = tiny(kind)
    made = text_examples(text(), one, tmp_path, length=16, held=0.3, seed=5)
    before, after = frame(one.tokenizer)
    assert (
        before + one.tokenizer("Roma", add_special_tokens=False)["input_ids"] + after
        == one.tokenizer("Roma")["input_ids"]
    )
    end = one.tokenizer.sep_token_id if one.tokenizer.sep_token_id is not None else one.tokenizer.eos_token_id
    sides = []
    for part in (made.train, made.held):
        rows = [part[i]["ids"] for i in range(len(part))]
        assert all(len(row) == 16 for row in rows[:-1]) and 0 < len(rows[-1]) <= 16
        assert all(row[: len(before)] == before and row[len(row) - len(after) :] == after for row in rows)
        flat = [token for row in rows for token in row[len(before) : len(row) - len(after)]]
        documents, own = [], []
        for token in flat:
            if token == end:
                documents.append(tuple(own))
                own = []
            else:
                own.append(token)
        sides.append(documents)
    wanted = [tuple(one.tokenizer(line, add_special_tokens=False)["input_ids"]) for line in LINES]
    assert [d for d in wanted if d in set(sides[0])] == sides[0] and sorted(sides[0] + sides[1]) == sorted(wanted)
    assert made.about["documents"] == len(sides[0]) and made.about["held_documents"] == len(sides[1])
    assert 8 <= len(sides[1]) <= 30


def test_equal_documents_are_on_one_side_and_the_seed_decides(tmp_path):
    one = tiny("bert")
    twice = text_examples(text([*LINES, *LINES]), one, tmp_path / "a", held=0.3)
    assert twice.about["held_documents"] % 2 == 0 and twice.about["documents"] % 2 == 0
    counts = {text_examples(text(), one, tmp_path / str(s), held=0.3, seed=s).about["held_tokens"] for s in range(4)}
    assert len(counts) > 1
    assert text_examples(text(), one, tmp_path / "none", held=0).held is None


def test_text_is_tokenised_once_and_anew_for_other_text(tmp_path):
    class Never(list):
        def __iter__(self):
            raise AssertionError("read again")

    one = tiny("bert")
    first = text_examples(text(), one, tmp_path)
    again = text_examples(Text(Never(), text().about), one, tmp_path, length=12)
    assert again.about["tokens"] == first.about["tokens"] and len(again.train) > len(first.train)
    other = text_examples(Text(LINES[:5], {**text().about, "sha256": "1" * 64}), one, tmp_path, held=0)
    assert other.about["documents"] == 5


def test_a_corpus_gives_its_documents_and_lists_its_languages(tmp_path):
    (tmp_path / "text").mkdir()
    for lang, lines in (("it", LINES[:9]), ("ja", ["日本 東京", "首都は 東京"])):
        (tmp_path / "text" / f"{lang}.txt").write_text("\n".join(lines))
    built(f"text:{tmp_path / 'text'}", tmp_path / "corpus")
    corpus = open_built(tmp_path / "corpus")
    found = of_corpus(corpus, "it")
    assert list(found.documents) == LINES[:9] and found.about["sha256"] == corpus.sha256("it")
    assert str(tmp_path) not in json.dumps(found.about)
    with pytest.raises(FactrootsError, match="no text in fi; it has it, ja"):
        of_corpus(corpus, "fi")


def test_bad_text_is_one_line(tmp_path):
    one, path = tiny("bert"), tmp_path / "x.txt"
    with pytest.raises(FactrootsError, match="--text .*No such file"):
        of_file(path, "it")
    path.write_text("\n \n")
    with pytest.raises(FactrootsError, match=r"no text in x\.txt"):
        text_examples(of_file(path, "it"), one, tmp_path / "empty")
    path.write_bytes("città".encode("latin-1"))
    with pytest.raises(FactrootsError, match="not UTF-8"):
        text_examples(of_file(path, "it"), one, tmp_path / "latin")
    for more, said in (
        ({"length": 5000}, "--length 5000 is more"),
        ({"length": 3}, "no room"),
        ({"held": 1.0}, "--held"),
    ):
        with pytest.raises(FactrootsError, match=said):
            text_examples(text(), one, tmp_path / "l", **more)


def rows(n=400, width=30):
    tokenizer = wordpiece()
    random = np.random.default_rng(0)
    words = random.integers(5, len(tokenizer), (n, width))
    return tokenizer, [
        {"ids": [tokenizer.cls_token_id, *row.tolist(), tokenizer.sep_token_id], "draw": i}
        for i, row in enumerate(words)
    ]


def test_masks_are_berts():
    tokenizer, some = rows()
    special = set(tokenizer.all_special_ids)
    batch = Masked(tokenizer, seed=1)(some)
    before = torch.tensor([row["ids"] for row in some])
    asked = batch["labels"] != -100
    assert torch.equal(batch["labels"][asked], before[asked])
    assert not any(int(token) in special for token in before[asked])
    ids, n = batch["input_ids"], int(asked.sum())
    assert torch.equal(ids[~asked], before[~asked])
    assert n / (400 * 30) == pytest.approx(0.15, abs=0.012)
    masked, same = ids[asked] == tokenizer.mask_token_id, ids[asked] == before[asked]
    assert float(masked.float().mean()) == pytest.approx(0.8, abs=0.03)
    assert float(same.float().mean()) == pytest.approx(0.1, abs=0.03)
    assert len(set(ids[asked][~masked & ~same].tolist())) > 50


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 399), min_size=1, max_size=12, unique=True))
def test_masks_hang_on_the_draw_and_not_on_the_batch(chosen):
    tokenizer, some = rows()
    collate = Masked(tokenizer, seed=1)
    whole = collate([some[i] for i in chosen])
    for at, i in enumerate(chosen):
        assert torch.equal(collate([some[i]])["input_ids"][0], whole["input_ids"][at])
    again = collate([{**some[i], "draw": 1000 + i} for i in chosen])
    assert not torch.equal(again["labels"], whole["labels"])


def test_something_is_asked_of_the_shortest_row_and_held_rows_are_masked_the_same_each_time():
    tokenizer, _ = rows()
    short = [{"ids": [tokenizer.cls_token_id, 9, tokenizer.sep_token_id], "number": i} for i in range(50)]
    collate = Masked(tokenizer, seed=1)
    one, two = collate(short), collate(short)
    assert (one["labels"] != -100).sum(1).tolist() == [1] * 50
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_padding_is_neither_read_nor_asked():
    batch = Causal(wordpiece())([{"ids": [5, 6, 7]}, {"ids": [8]}])
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [[5, 6, 7], [8, -100, -100]]
