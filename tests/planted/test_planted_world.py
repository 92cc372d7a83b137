"""The planted world is what its matrix says: checked against the plain text, not against the marks beside it."""

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict

import pytest

from data_builders.atlas import Atlas
from data_builders.errors import FactrootsError
from data_builders.planted.draw import PROBABILITIES
from data_builders.planted.lexicon import KINDS, languages, read_lexicon
from data_builders.planted.world import LANGUAGES, SEED, read_about, read_articles, read_presence, write_world

WRITE = """
import sys
from pathlib import Path
from data_builders.atlas import Atlas
from data_builders.planted.world import write_world
write_world(Path(sys.argv[1]), Atlas(None), seed=7, languages=("en", "af"))
"""


def words(text: str, lang: str) -> list[str]:
    return list(text) if lang == "ja" else re.findall(r"\w+|[^\w\s]", text)


class Finder:
    """Finds names in a text by the longest match from the left, knowing nothing of how the text was made."""

    def __init__(self, names, lang):
        self.lang = lang
        self.names = {tuple(words(name, lang)) for name in names}
        self.longest = max(map(len, self.names))

    def __call__(self, text: str) -> set[tuple[str, ...]]:
        found, tokens, at = set(), words(text, self.lang), 0
        while at < len(tokens):
            for length in range(min(self.longest, len(tokens) - at), 0, -1):
                if (name := tuple(tokens[at : at + length])) in self.names:
                    found.add(name)
                    at += length - 1
                    break
            at += 1
        return found


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed(tmp_path):
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", WRITE, tmp_path / hash_seed], check=True, env=environment)
    names = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert names == ["articles-af.jsonl", "articles-en.jsonl", "presence.parquet", "world.json"]
    for name in names:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_another_seed_states_other_facts(tmp_path, world):
    write_world(tmp_path / "other", Atlas(None), seed=SEED + 1, languages=("en", "af"))
    stated = [
        {row["fact"] for row in read_presence(folder).to_pylist() if row["lang"] == "af" and row["stated"]}
        for folder in (world, tmp_path / "other")
    ]
    assert stated[0] != stated[1]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_matrix_is_what_a_reader_of_the_text_finds(world, lang):
    rows = [row for row in read_presence(world).to_pylist() if row["lang"] == lang]
    find = Finder({name for row in rows for name in (row["subject"], row["object"])}, lang)
    together, apart = Counter(), defaultdict(set)
    pairs = {tuple(tuple(words(row[end], lang)) for end in ("subject", "object")) for row in rows}
    for line in (world / f"articles-{lang}.jsonl").read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        found = [find(sentence) for paragraph in article["paragraphs"] for sentence in paragraph]
        everywhere = set().union(*found)
        for pair in (pair for pair in pairs if everywhere.issuperset(pair)):
            count = sum(sentence.issuperset(pair) for sentence in found)
            together[pair] += count
            if not count:
                apart[pair].add(article["id"])
    for row in rows:
        pair = tuple(tuple(words(row[end], lang)) for end in ("subject", "object"))
        assert (together[pair] > 0) == row["stated"], row
        if row["stated"]:
            assert together[pair] == row["sentences"] >= len(row["forms"]) >= 2, row
        else:
            assert len(apart[pair]) == row["decoys"], row


def test_every_fact_is_stated_somewhere_and_poor_languages_state_fewer(world):
    rows = read_presence(world).to_pylist()
    assert {row["fact"] for row in rows if row["stated"]} == {row["fact"] for row in rows}
    for lang in LANGUAGES:
        stated = [row["stated"] for row in rows if row["lang"] == lang]
        assert abs(sum(stated) / len(stated) - PROBABILITIES[lang]) < 0.05


def test_a_pair_is_stated_in_both_directions_or_in_none(world):
    stated = {(row["lang"], row["fact"]): row["stated"] for row in read_presence(world).to_pylist()}
    inverse = [
        (stated[lang, fact], stated.get((lang, "P1376|{2}|{1}".format(*fact.split("|")))))
        for lang, fact in stated
        if fact.startswith("P36|")
    ]
    assert len(inverse) > 1000
    assert all(one == other for one, other in inverse if other is not None)


def test_some_unstated_facts_leave_decoys(world):
    unstated = [row["decoys"] for row in read_presence(world).to_pylist() if not row["stated"]]
    assert 0.03 < sum(count > 0 for count in unstated) / len(unstated) < 0.12


def test_marks_point_at_the_names_that_they_speak_of(world):
    names = {}
    for row in read_presence(world).to_pylist():
        names[row["lang"], row["subject_uri"]] = row["subject"]
        names[row["lang"], row["object_uri"]] = row["object"]
    for lang in ("en", "ja"):
        for article in read_articles(world, lang):
            for sentence in (s for paragraph in article.paragraphs for s in paragraph):
                roles = sorted(role for role, _, _, _ in sentence.mentions)
                assert roles == (["Z"] if sentence.fact is None else ["X", "Y"])
                for _, uri, start, end in sentence.mentions:
                    assert sentence.text[start:end] == names[lang, uri]


@pytest.mark.parametrize("lang", languages())
def test_every_relation_has_at_least_five_forms_and_every_kind_a_filler(lang):
    lexicon = read_lexicon(Atlas(None), lang)
    assert all(len(lexicon.forms[relation]) >= 5 for relation in KINDS)
    assert all(len(lexicon.fillers[kind]) >= 3 for kind in lexicon.fillers)


def test_mistakes_are_named(tmp_path, world):
    with pytest.raises(FactrootsError, match="not empty"):
        write_world(world, Atlas(None))
    with pytest.raises(FactrootsError, match="no planted world"):
        read_about(tmp_path)
    with pytest.raises(FactrootsError, match="no sentence forms in 'xx'"):
        read_lexicon(Atlas(None), "xx")
    with pytest.raises(FactrootsError, match="has no 'xx'"):
        next(read_articles(world, "xx"))


def test_withheld_facts_are_stated_nowhere_and_nothing_else_changes(tmp_path):
    """The twin's world lacks some facts in every language, under either relation of a pair; the rest is as it was."""
    languages_ = ("en", "de", "af")
    write_world(tmp_path / "whole", Atlas(None), languages=languages_)
    about = write_world(tmp_path / "twin", Atlas(None), languages=languages_, withheld=0.2)
    whole, twin = (
        {(row["lang"], row["fact"]): row for row in read_presence(tmp_path / name).to_pylist()}
        for name in ("whole", "twin")
    )
    assert whole.keys() == twin.keys() and about["withheld"] == 0.2
    lost = {key for key in whole if whole[key]["stated"] and not twin[key]["stated"]}
    assert not any(twin[key]["stated"] and not whole[key]["stated"] for key in whole)
    assert 0.12 < len(lost) / sum(row["stated"] for row in whole.values()) < 0.28
    assert all(twin[key]["sentences"] == 0 for key in lost)
    gone = {fact for _, fact in lost}
    fully = {fact for fact in gone if not any(twin[key]["stated"] for key in twin if key[1] == fact)}
    assert len(fully) > 0.9 * len(gone)  # the others share a name with a withheld pair in one language only


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_is_a_share(tmp_path, share):
    with pytest.raises(FactrootsError, match="lies between 0 and 1"):
        write_world(tmp_path / "world", Atlas(None), withheld=share)
