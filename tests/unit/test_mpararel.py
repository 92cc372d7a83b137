"""mParaRel's patterns as templates."""

from __future__ import annotations

from collections import Counter

import pytest

from data_builders.errors import FactrootsError, Problems
from data_builders.facts import Template
from data_builders.mpararel import paraphrases


def test_patterns_by_relation(tmp_path, write_jsonl):
    good = {"pattern": "[Y] è la capitale di [X]", "checked-by-human": True}
    write_jsonl("it/P36.jsonl", good, {"pattern": "[X] senza", "checked-by-human": False}, {"x": 1})
    write_jsonl("it/P19.jsonl", {"pattern": "[X] è nato a [Y]", "checked-by-human": False})
    problems = Problems()
    assert paraphrases(str(tmp_path), "it", problems) == [
        Template("P19", "it", "[X] è nato a [Y]", "machine"),
        Template("P36", "it", "[Y] è la capitale di [X]", "human-checked"),
    ]
    assert [(p.line, p.message.split(";")[0]) for p in problems.found] == [
        (2, "template '[X] senza' has no [Y]"),
        (3, "has no pattern"),
    ]


def test_chinese_is_simplified(tmp_path, write_jsonl):
    write_jsonl("zh-hans/P36.jsonl", {"pattern": "[X]的首都是[Y]", "checked-by-human": False})
    assert paraphrases(tmp_path, "zh", Problems())[0].lang == "zh"
    with pytest.raises(FactrootsError, match="there are: zh-hans"):
        paraphrases(tmp_path, "xx", Problems())
    with pytest.raises(FactrootsError, match="no such folder"):
        paraphrases(tmp_path / "none", "zh", Problems())


def test_published_set(shared_data):
    folder, problems = shared_data("mpararel_patterns"), Problems()
    langs = sorted(d.name for d in folder.iterdir() if d.is_dir())
    made = Counter(t.made for lang in langs for t in paraphrases(folder, lang, problems))
    assert (len(langs), made, problems.found) == (46, {"machine": 13597, "human-checked": 2197}, [])
