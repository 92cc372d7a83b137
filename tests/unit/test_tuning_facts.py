"""Facts as examples: what is asked where, who is taught what, and that it is learned and nothing else."""

import pytest
import torch
from causal_fixtures import Slow
from neuron_fixtures import tiny
from probe_fixtures import fact, probed, small_world, write_facts
from training_fixtures import job

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from fine_tuning.training.facts import fact_examples, held_facts, recorded_sides, sides
from fine_tuning.training.schedule import Schedule
from probe.judging import Judged
from probe.passes import needed
from probe.prompts import capital, relations
from probe.protocols import Protocol
from probe.scoring.encode import encode, token_limit


def opened(text: str, **more):
    from dataclasses import replace

    return replace(FactSet.parse(text), **more).open()


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_masks_stand_where_the_prober_puts_them(tmp_path, kind):
    one, data = tiny(kind), opened(small_world(tmp_path))
    made = fact_examples(data, one, share=1.0)
    rows, checked = {}, 0
    for row in made.train:
        rows.setdefault(row["fact"], []).append(row)
    for lang in data.langs:
        found = relations(data, lang, lambda labels: one.tokenizer(labels, add_special_tokens=False)["input_ids"])
        for relation in found:
            questions = [q for q in relation.questions if q.facts]
            most, limit = max(map(len, relation.tokens)), token_limit(one.model, one.tokenizer)
            coded = encode(one.tokenizer, [q.prompt for q in questions], most, limit)
            for question, ids in zip(questions, coded, strict=True):
                tokens = relation.tokens[question.golds[0]]
                labels = torch.full((len(ids.ids[len(tokens) - 1]),), -100)
                labels[torch.tensor(ids.ids[len(tokens) - 1]) == one.tokenizer.mask_token_id] = torch.tensor(tokens)
                wanted = {"ids": ids.ids[len(tokens) - 1], "labels": labels.tolist(), "fact": question.facts[0]} | {
                    "lang": lang
                }
                assert wanted in rows[question.facts[0]]
                checked += 1
    assert checked == len(made.train) == 48 and not made.about["dropped"]


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_causal_model_reads_what_the_prober_reads_and_is_asked_the_objects_tokens(tmp_path, kind):
    one, data = tiny(kind), opened(small_world(tmp_path, subjects=3, langs=["it"]))
    slow = Slow(one.model, one.tokenizer)
    rows = fact_examples(data, one, share=1.0).train
    whole = fact_examples(data, one, share=1.0, sentence=True).train
    facts = {row["fact"]: row for row in data.table("it").to_pylist()}
    templates = {t.relation: t for t in data.templates("it")}
    for row, sentence in zip(rows, whole, strict=True):
        own = facts[row["fact"]]
        text = capital(templates[own["relation"]].fill(own["subject"], own["object"]))
        assert row["ids"] == sentence["ids"] == slow.ids(text)
        assert sentence["labels"] == [-100, *row["ids"][1:]]
        asked = [i for i, label in enumerate(row["labels"]) if label != -100]
        assert asked == list(range(asked[0], asked[-1] + 1)) and [row["ids"][i] for i in asked] == [
            label for label in row["labels"] if label != -100
        ]
        said = one.tokenizer.decode([row["ids"][i] for i in asked]).replace(" ", "").strip("▁Ġ")
        assert said.replace(".", "") == own["object"]


def test_a_fact_is_on_one_side_in_all_languages_and_the_split_is_recorded(tmp_path):
    text = small_world(tmp_path, subjects=40)
    data, one = opened(text), tiny("bert")
    made = fact_examples(data, one, share=0.7, seed=3)
    split = sides(data, 0.7, 3)
    taught, held = ({row["fact"] for row in part} for part in (made.train, made.held))
    assert taught == split.taught and held == split.held and not taught & held
    assert len(made.train) == 2 * len(taught) and len(taught) / 80 == pytest.approx(0.7, abs=0.15)
    assert held_facts(made.about, opened(text)) == split.held
    for lang in data.langs:  # whichever languages are taught, the same facts are
        assert sides(opened(text, langs=(lang,)), 0.7, 3) == split
    assert sides(data, 0.7, 4) != split
    with pytest.raises(FactrootsError, match="other facts than the variant"):
        held_facts(made.about, opened(text, relations=("P36",)))
    with pytest.raises(FactrootsError, match="not trained on facts"):
        recorded_sides({"corpus": "text"}, data)


def test_what_cannot_be_asked_is_counted(tmp_path):
    rows = [
        fact("P36", "Italia", "Roma"),
        fact("P36", "Par", "☃"),
        fact("P36", "la [MASK]", "Roma"),
        fact("P36", "la " * 60, "Par"),
    ]
    data = opened(write_facts(tmp_path, {"it": rows}, {"it": {"P36": "the capital of [X] is [Y]."}}))
    made = fact_examples(data, tiny("bert"), share=1.0)
    assert [row["fact"] for row in made.train] == ["P36|S:Italia|O:Roma"]
    assert made.about["dropped"] == {
        "unknown to the tokenizer": 1,
        "with a mask or a slot of their own": 1,
        "longer than the model reads": 1,
    }
    data = opened(write_facts(tmp_path / "b", {"it": rows[1:]}, {"it": {"P36": "[X] is [Y]."}}))
    with pytest.raises(FactrootsError, match="no fact .* is left to be taught .*1 unknown to the tokenizer"):
        fact_examples(data, tiny("bert"), share=1.0)
    with pytest.raises(FactrootsError, match="--train-share takes a share"):
        fact_examples(data, tiny("bert"), share=1.5)


def test_all_templates_are_taught_where_they_are_asked_for(tmp_path):
    rows = {"it": [fact("P36", "Italia", "Roma"), fact("P36", "Par", "la")]}
    text = write_facts(tmp_path, rows, {"it": {"P36": ["[X] is [Y].", "[Y] of [X]", "the [X] [Y]"]}})
    assert len(fact_examples(opened(text), tiny("bert"), 1.0).train) == 2
    assert len(fact_examples(opened(text, templates="all"), tiny("bert"), 1.0).train) == 6


def test_taught_facts_are_learned_and_the_others_are_not(tmp_path):
    objects = ["Roma", "Italia", "capital", "the"]
    rows = [fact("P36", letter, objects[i * 7 % 5 % 4]) for i, letter in enumerate("abcdefghilmnoprstuvz")]
    text = write_facts(tmp_path / "facts", {"it": rows}, {"it": {"P36": "[X] [Y]"}})
    data, bear = opened(text), Protocol.parse("bear")
    work = job(tmp_path / "work", "gpt2", Schedule(steps=120, batch=8, rate=2e-2), dropout=0.0)
    work.examples = fact_examples(data, work.loaded, share=0.6)
    split = sides(data, 0.6, 0)

    def right(name: str) -> dict[str, float]:
        store = probed(tmp_path / name, text, work.loaded, needed(bear, "causal", ("it",)))
        frame = Judged(store, "it", bear, "one", hashed=False).frame
        hits = dict(zip(frame["item"], frame["p1"], strict=True))
        return {side: sum(hits[key] for key in keys) / len(keys) for side, keys in split._asdict().items()}

    before = right("before")
    work.fit("train")
    after = right("after")
    assert before["taught"] < 0.6 and after["taught"] == 1.0
    assert after["held"] < 0.7  # one of four objects, which no rule decides
