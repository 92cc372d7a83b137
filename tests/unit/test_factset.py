"""The FactSet value, its filters and gold policies, and the hash that says which facts a number is about."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_fixtures import fact, rigged, wordpiece, write_facts

from data_builders.errors import FactrootsError
from data_builders.export import export
from data_builders.facts import from_rows
from data_builders.factset import GOLDS, FactSet
from data_builders.filters import sample, some
from probe.protocols import Protocol
from probe.scores import judge, score

NAMES = st.lists(st.text(min_size=1, max_size=5).map(str.strip).filter(bool), max_size=3, unique=True).map(tuple)
FACTSETS = st.builds(
    FactSet,
    st.sampled_from(["atlas", "mlama", "facts"]),
    st.none() | st.text(min_size=1, max_size=12),
    langs=NAMES,
    relations=NAMES,
    parallel=st.booleans(),
    one_token=st.booleans(),
    no_leaks=st.booleans(),
    sample=st.none() | st.floats(0, 1, exclude_min=True) | st.integers(2, 10**6),
    candidates=st.just(0) | st.integers(2, 10**6),
    gold=st.sampled_from(GOLDS),
    templates=st.sampled_from(["first", "all", "mpararel:a (b), c;d=e%"]),
)


@given(value=FACTSETS)
def test_round_trip(value):
    """Any value's text reads back to an equal value, whatever its folder is called."""
    assert FactSet.parse(str(value)) == value


@given(value=FACTSETS)
def test_portable_text_names_no_folder(value):
    """Two machines that keep the same set in other folders give it one text."""
    other = replace(value, path="/elsewhere", templates=value.templates.replace("a (b), c;d=e%", "/elsewhere"))
    assert value.portable == other.portable
    assert "elsewhere" not in other.portable


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("mlama:x(relation=P36)", ["relations", "parallel", "gold"]),
        ("mlama:x(gold=best)", ["one", "any", "unique", "filtered"]),
        ("mlama:x(gold)", ["one value"]),
        ("mlama:x(gold=one;any)", ["one value"]),
        ("mlama:x(parallel=no)", ["takes no value", "no"]),
        ("mlama:x(sample)", ["one value"]),
        ("mlama:x(sample=few)", ["between 0 and 1", "few"]),
        ("mlama:x(sample=0)", ["between 0 and 1"]),
        ("mlama:x(sample=nan)", ["between 0 and 1"]),
        ("mlama:x(sample=1.1)", ["between 0 and 1", "number of facts of each relation", "1.1"]),
        ("mlama:x(sample=-60)", ["between 0 and 1"]),
        ("mlama:x(sample=inf)", ["between 0 and 1"]),
        ("mlama:x(candidates)", ["one value"]),
        ("mlama:x(candidates=1)", ["2 or more", "got 1"]),
        ("mlama:x(candidates=-50)", ["2 or more", "got -50"]),
        ("mlama:x(candidates=50.0)", ["2 or more", "50.0"]),
        ("mlama:x(candidates=all)", ["2 or more", "all"]),
        ("mlama:x(templates=none)", ["first", "all", "mpararel:DIR"]),
    ],
)
def test_refusals(text, listed):
    """What cannot be a fact set is refused in one line that says what could."""
    with pytest.raises(FactrootsError) as caught:
        FactSet.parse(text)
    assert all(word in str(caught.value) for word in listed), caught.value


# Italia has two objects of P36 (N-M), Roma leaks in "Roma antica", and only some facts are in both languages.
IT = [
    fact("P36", "Italia", "Roma"),
    fact("P36", "Italia", "Par"),
    fact("P36", "Roma antica", "Roma"),
    fact("P36", "Tunis", "Lima"),
    fact("P47", "Italia", "Tunis"),
]
JA = [
    fact("P36", "Italia", "Roma", object="東京"),
    fact("P36", "Tunis", "Lima", object="首都"),
    fact("P47", "Tunis", "Lima", object="本"),
]
TEMPLATES = {"P36": "la capital of [X] is [Y].", "P47": "[X] la [Y]"}


@pytest.fixture
def facts(tmp_path):
    return write_facts(tmp_path / "facts", {"it": IT, "ja": JA}, {"it": TEMPLATES, "ja": TEMPLATES})


def kept(text: str, lang: str, **how) -> list[tuple[str, str]]:
    """Subjects and objects (by URI) that pass a set's filters, in order."""
    table = FactSet.parse(text).open(**how).table(lang)
    return [(row["subject_uri"][2:], row["object_uri"][2:]) for row in table.to_pylist()]


def test_filters(facts):
    """Each filter keeps what it says, and their conjunction keeps what each of them keeps."""
    everything = [(row["subject"], row["object"]) for row in IT]
    assert kept(facts, "it") == everything
    assert kept(f"{facts}(relations=P47)", "it") == everything[4:]
    assert kept(f"{facts}(no_leaks)", "it") == [pair for pair in everything if pair[0] != "Roma antica"]
    assert kept(f"{facts}(parallel)", "it") == kept(f"{facts}(parallel)", "ja") == [everything[0], everything[3]]
    assert kept(f"{facts}(parallel,langs=it)", "it") == everything
    assert kept(f"{facts}(parallel,no_leaks,relations=P36)", "ja") == [everything[0], everything[3]]
    assert kept(f"{facts}(parallel,relations=P47)", "ja") == []


def test_one_token(facts):
    """Only objects that are one token to the model stay, among the candidates too."""
    tokenizer = wordpiece()

    def pieces(labels):
        return [len(ids) for ids in tokenizer(labels, add_special_tokens=False)["input_ids"]]

    assert kept(f"{facts}(one_token)", "it", pieces=pieces) == [
        ("Italia", "Roma"), ("Italia", "Par"), ("Roma antica", "Roma"),
    ]  # fmt: skip
    with pytest.raises(FactrootsError, match="needs a model's tokenizer"):
        FactSet.parse(f"{facts}(one_token)").open().table("it")


def many(prefix: str) -> pa.Table:
    return from_rows([fact("P36", f"{prefix}{i}", "x", fact=f"f{i}") for i in range(2000)])


def test_sample_is_nested_and_the_same_everywhere():
    """A smaller sample lies in a larger one, languages and orders give the same facts, and shares are kept."""
    it, ja = many("I"), many("日")
    shares = {share: set(sample(it, share)["fact"].to_pylist()) for share in (0.01, 0.1, 0.5, 1.0)}
    assert shares[0.01] < shares[0.1] < shares[0.5] < shares[1.0] == set(it["fact"].to_pylist())
    assert 850 < len(shares[0.5]) < 1150
    turned = ja.take(list(reversed(range(2000))))
    assert set(sample(turned, 0.1)["fact"].to_pylist()) == shares[0.1]


@pytest.mark.parametrize(("size", "text"), [(60, "60"), (60.0, "60"), (1, "1.0"), (1.0, "1.0"), (0.02, "0.02")])
def test_sizes_that_are_equal_have_one_text(size, text):
    """A share stays a share and a number a number, however it was given; 1 is everything."""
    value = FactSet("mlama", "x", sample=size)
    assert str(value) == f"mlama:x(sample={text})"
    assert type(FactSet.parse(str(value)).sample) is type(value.sample)


def first(rows: list[dict], count: int) -> list[str]:
    """The keys of the `count` facts of each relation whose SHA-256 comes first, in the order of the rows."""
    kept = set()
    for relation in {row["relation"] for row in rows}:
        keys = [row["fact"] for row in rows if row["relation"] == relation]
        kept |= set(sorted(keys, key=lambda key: hashlib.sha256(key.encode()).hexdigest())[:count])
    return [row["fact"] for row in rows if row["fact"] in kept]


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from(["P19", "P36", "P47"]), st.integers(0, 99)), max_size=60, unique=True),
    count=st.integers(2, 12),
)
def test_a_number_of_facts(rows, count):
    """So many of each relation, or all that it has; without some facts, those that are left stay chosen."""
    rows = [fact(relation, f"{i}", "x", fact=f"{relation}-{i}") for relation, i in rows]
    chosen = some(from_rows(rows), count)["fact"].to_pylist()
    assert chosen == first(rows, count)
    fewer = some(from_rows(rows[::2]), count)["fact"].to_pylist()
    assert {row["fact"] for row in rows[::2]} & set(chosen) <= set(fewer)


def test_a_number_of_facts_that_all_languages_share(tmp_path):
    """The sample is drawn from the facts that are left, so parallel languages have as many as were asked for."""
    has = {"it": range(300), "ja": range(100, 400), "af": range(150, 300)}
    rows = {lang: [fact("P36", f"s{i}", "x", fact=f"f{i}") for i in own] for lang, own in has.items()}
    facts = write_facts(tmp_path, rows, dict.fromkeys(rows, TEMPLATES))
    own, same = (FactSet.parse(f"{facts}({flags}sample=60)").open() for flags in ("", "parallel,"))
    assert {len(opened.table(lang)) for opened in (own, same) for lang in rows} == {60}
    keys = [same.table(lang)["fact"].to_pylist() for lang in rows]
    assert keys[0] == keys[1] == keys[2] == first(rows["af"], 60)
    assert own.table("it")["fact"].to_pylist() == first(rows["it"], 60) != keys[0]


def test_a_share_commutes_with_the_facts_that_are_shared(facts):
    """Keeping a share of the shared facts is keeping the shared ones of a share."""
    for share in (0.2, 0.5, 0.8):
        whole = {f for lang in ("it", "ja") for f in kept(f"{facts}(parallel)", lang)}
        expected = [pair for pair in kept(f"{facts}(sample={share})", "it") if pair in whole]
        assert kept(f"{facts}(parallel,sample={share})", "it") == expected


def test_a_set_without_templates_says_where_some_are(tmp_path):
    opened = FactSet.parse(write_facts(tmp_path, {"it": IT}, {})).open()
    with pytest.raises(FactrootsError, match="no templates in it; .* --templates mpararel:DIR brings some"):
        opened.need_questions()


def test_unknown_relation_and_language(facts):
    with pytest.raises(FactrootsError, match="unknown relation 'P99'; there are: P36, P47"):
        FactSet.parse(f"{facts}(relations=P36;P99)").open()
    with pytest.raises(FactrootsError, match="no language xx; it has: it ja"):
        FactSet.parse(f"{facts}(langs=it;xx)").open()


#: For Italia the model likes Par best, then Roma; everywhere else it likes Lima best, then Roma.
LIKES = {"Italia": {"Par": -1.0, "Roma": -2.0}}


def likes(relation: str, subject: str, label: str) -> float:
    return LIKES.get(subject, {"Lima": -1.0, "Roma": -2.0}).get(label, -9.0)


def italian(store, gold: str, column: str) -> list[float]:
    """A column of each Italian P36 item under a gold policy, in the order of the facts."""
    frame = judge(store, Protocol.parse("kassner2021"), gold)["it"].frame
    return frame[frame["relation"] == "P36"][column].tolist()


def test_gold_policies(facts, tmp_path):
    """On facts whose subject has several objects, each policy asks and accepts what it says."""
    store = rigged(tmp_path / "run", facts, likes)
    assert italian(store, "one", "p1") == [0, 1, 0, 1]  # Italia: Roma, Par; Roma antica: Roma; Tunis: Lima
    assert italian(store, "filtered", "p1") == [1, 1, 0, 1]
    assert italian(store, "unique", "p1") == [0, 1]
    assert italian(store, "any", "p1") == [1, 0, 1]


def test_gold_policies_count_what_they_leave_out(facts, tmp_path):
    """Nothing vanishes: scored and unscored facts add up, and chance knows how many objects are right."""
    store = rigged(tmp_path / "run", facts, likes)
    results = {gold: score(store, Protocol.parse("kassner2021"), gold) for gold in GOLDS}
    reasons = {gold: result.n_unscored for gold, result in results.items()}
    assert reasons["unique"] == {"the subject has several objects": 2}
    assert not reasons["one"] and not reasons["any"] and not reasons["filtered"]
    assert [results[g].n_scored for g in ("one", "filtered", "unique", "any")] == [8, 8, 6, 7]
    assert italian(store, "one", "chance")[0] == pytest.approx(1 / 3)
    assert italian(store, "filtered", "chance")[0] == pytest.approx(1 / 2)
    assert italian(store, "any", "chance")[0] == pytest.approx(2 / 3)


def digest(folder, rows: dict, templates: dict) -> str:
    return FactSet.parse(write_facts(folder, rows, templates)).open().sha256


def test_hash_does_not_know_row_order(tmp_path):
    """Rows in another order are the same facts."""
    expected = digest(tmp_path / "a", {"it": IT, "ja": JA}, {"it": TEMPLATES, "ja": TEMPLATES})
    for seed in range(5):
        turned = random.Random(seed).sample(IT, len(IT))
        assert digest(tmp_path / f"{seed}", {"it": turned, "ja": JA}, {"it": TEMPLATES, "ja": TEMPLATES}) == expected


def test_hash_does_not_know_the_format(facts, tmp_path):
    """The same facts in mLAMA's layout, as JSON Lines and as Parquet have one hash."""
    opened = FactSet.parse(facts).open()
    hashes = {opened.sha256}
    for name in ("mlama", "jsonl", "parquet"):
        triples = [(lang, opened.table(lang), opened.templates(lang)) for lang in opened.langs]
        export(triples, tmp_path / name, name)
        source = "mlama" if name == "mlama" else "facts"
        hashes.add(FactSet.parse(f"{source}:{tmp_path / name}").open().sha256)
    assert len(hashes) == 1


@pytest.mark.parametrize("column", ["fact", "relation", "subject_uri", "object_uri", "subject", "object"])
def test_hash_knows_every_value(column, tmp_path):
    """A change of a single character anywhere, or one that moves between two values, is another hash."""
    keyed = [{"fact": f"f{i}", **row} for i, row in enumerate(IT)]
    hashes = {digest(tmp_path / "a", {"it": keyed}, {"it": TEMPLATES})}
    changed = [dict(row) for row in keyed]
    changed[2][column] += "x"
    hashes.add(digest(tmp_path / "b", {"it": changed}, {"it": TEMPLATES}))
    moved = [dict(row) for row in keyed]
    moved[1][column], moved[2][column] = moved[1][column] + moved[2][column][0], moved[2][column][1:] or "y"
    hashes.add(digest(tmp_path / "c", {"it": moved}, {"it": TEMPLATES}))
    assert len(hashes) == 3


def test_hash_knows_aliases_where_there_are_some(tmp_path):
    """Other names are other content; a set without any has the hash that it always had."""
    named = [{**row, "aliases": names} for row, names in zip(IT, [["a", "b"], [], [], [], []], strict=True)]
    split = [{**row, "aliases": names} for row, names in zip(IT, [["a"], ["b"], [], [], []], strict=True)]
    hashes = [digest(tmp_path / f"{i}", {"it": rows}, {"it": TEMPLATES}) for i, rows in enumerate((IT, named, split))]
    assert len(set(hashes)) == 3
    two = [
        {"relation": "P36", "subject_uri": "Q38", "object_uri": "Q220", "subject": "Italia", "object": "Roma"},
        {"relation": "P36", "subject_uri": "Q17", "object_uri": "Q1490", "subject": "Giappone", "object": "東京"},
    ]
    assert digest(tmp_path / "two", {"it": two}, {"it": {"P36": "[Y] è la capitale di [X]."}}).startswith("176cc1fb20")


def test_hash_knows_templates_and_languages(tmp_path):
    """Another template, or the same facts under another language's name, is another hash."""
    other = TEMPLATES | {"P47": "[X] di [Y]"}
    hashes = {
        digest(tmp_path / "a", {"it": IT}, {"it": TEMPLATES}),
        digest(tmp_path / "b", {"it": IT}, {"it": other}),
        digest(tmp_path / "c", {"la": IT}, {"la": TEMPLATES}),
        digest(tmp_path / "d", {"it": IT, "ja": JA}, {"it": TEMPLATES, "ja": TEMPLATES}),
    }
    assert len(hashes) == 4
