"""A run's portrait against plain loops over its files: every number but the intervals, which have their own tests."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations
from statistics import mean

import pyarrow.parquet as pq
import pytest
from probe_fixtures import fact, loaded, probed, tiny_model, wordpiece, write_facts

from probe.portrait import Portrait, portrait
from probe.protocols import Protocol

LANGS = ("it", "ja", "af")
RELATIONS = ("P36", "P47", "P50")
OBJECTS = {
    "it": ["Roma", "Paris", "Lima", "Tunis", "Roma"],  # O4 is O0's namesake
    "ja": ["東京", "本", "日本東", "首都", "は"],
    "af": ["Roma", "Par", "Lim", "Tun", "la"],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Three languages, two or three templates, facts and objects that not all of them have, and a tiny model's answers.

    P36 has an entity with two names in it; P47's O3 is unknown in ja.
    """
    folder = tmp_path_factory.mktemp("portrait")
    rows, templates = {}, {}
    for number, lang in enumerate(LANGS):
        facts = [
            fact(
                relation,
                f"{lang[0].upper()}{'abcdefghilmn'[i]}",
                OBJECTS[lang][(i * i + step) % 5],
                subject_uri=f"S{i}",
                object_uri=f"O{(i * i + step) % 5}",
                fact=f"{relation}-{i}",
            )
            for relation, step, subjects in (("P36", 1, 12), ("P47", 2, 12), ("P50", 3, 7))
            for i in range(subjects)
            if (i + number) % 6 and not (lang == "ja" and relation == "P47" and (i * i + step) % 5 == 3)
        ]
        facts.append(fact("P36", f"{lang}z", "Italia", subject_uri="S99", object_uri="O1", fact="P36-99"))
        rows[lang] = facts
        templates[lang] = {"P36": ["the capital of [X] is [Y].", "[Y] la [X].", "[X] [Y]"], "P47": "[Y] of [X]."}
        templates[lang]["P50"] = ["[X] is of [Y].", "la [Y] [X]"]
    text = write_facts(folder / "facts", rows, templates)
    tokenizer = wordpiece()
    model = tiny_model("bert", tokenizer, seed=2)  # one whose answers differ, as the next test sees to
    return probed(folder / "run", f"{text}(langs={';'.join(LANGS)},templates=all)", loaded(model, tokenizer))


def read(store, lang: str) -> dict[tuple, dict]:
    """Every answer by (relation, fact, template): its gold, every entity's best score, and the best of these."""
    names = {}
    for row in pq.read_table(store.candidates(lang)).to_pylist():
        names.setdefault(row["relation"], []).append((row["uri"], len(row["tokens"])))
    found = {}
    for row in pq.read_table(store.items(lang)).to_pylist():
        scores, places = {}, list(zip(names[row["relation"]], row["logprob"] or (), strict=True))
        for (uri, length), logprob in places:
            scores[uri] = max(scores.get(uri, -math.inf), logprob / length)
        best = max(scores.values())
        for key, gold in zip(row["facts"], row["golds"], strict=True):
            levels = [logprob / length for (_, length), logprob in places]
            tied = [i for i, level in enumerate(levels) if level == max(levels)]
            found[row["relation"], key, row["template"]] = {
                "gold": names[row["relation"]][gold][0],
                "scores": scores,
                "said": sorted(uri for uri in scores if scores[uri] == best),
                "p1": (gold in tied) / len(tied),
                "pieces": names[row["relation"]][gold][1],
            }
    return found


def rankc(one: dict[str, float], other: dict[str, float]) -> float:
    """Softmax-weighted RankC of what both rank, the mean over both ways to order the only two that ever tie."""
    both = sorted(set(one) & set(other))
    values = []
    for names in (both, both[::-1]):
        for others in (both, both[::-1]):
            first, second = sorted(names, key=lambda u: -one[u]), sorted(others, key=lambda u: -other[u])
            total = sum(math.exp(-j) for j in range(1, len(both) + 1))
            shares = [len(set(first[:j]) & set(second[:j])) / j for j in range(1, len(both) + 1)]
            values.append(sum(math.exp(-j) / total * share for j, share in enumerate(shares, 1)))
    return mean(values)


def same(*answers: dict) -> tuple[float, float]:
    """The chances that independent choices among each one's best are one entity, and one that is wrong."""
    weights = [{uri: 1 / len(a["said"]) for uri in a["said"]} for a in answers]
    agree = {uri: math.prod(w.get(uri, 0) for w in weights) for uri in weights[0]}
    golds = {a["gold"] for a in answers}
    return sum(agree.values()), sum(share for uri, share in agree.items() if uri not in golds)


def floors(answers: list[tuple[dict, dict]]) -> float:
    values = []
    for one, other in answers:
        n = len(set(one["scores"]) & set(other["scores"]))
        total = sum(math.exp(-j) for j in range(1, n + 1))
        values.append(sum(math.exp(-j) / total * j / n for j in range(1, n + 1)))
    return mean(values)


def macro(values: dict[tuple, float]) -> float:
    relations = sorted({key[0] for key in values})
    return mean(mean(v for key, v in values.items() if key[0] == relation) for relation in relations)


@pytest.fixture(scope="module")
def found(store) -> Portrait:
    return portrait(store, Protocol.parse("kassner2021"))


def test_answers_differ(found):
    """Otherwise the tests below would prove little."""
    assert all(pair.gap.value != 0 and 0 < pair.overlap.value < 1 for pair in found.pairs)
    assert all(0 < pair.wrong.value < pair.agree.value < 1 for pair in found.pairs)
    assert sum(row.agree.value < 1 for row in found.paraphrases) == 2


@pytest.mark.parametrize("how", ["micro", "macro"])
def test_gap(store, how):
    """The gap alone is averaged as the protocol says."""
    files = {lang: read(store, lang) for lang in LANGS}
    for pair in portrait(store, Protocol.parse(f"kassner2021(aggregate={how})")).pairs:
        a, b = files[pair.a], files[pair.b]
        differences = {k: a[k]["p1"] - b[k]["p1"] for k in a.keys() & b.keys()}
        expected = macro(differences) if how == "macro" else mean(differences.values())
        assert pair.gap.value == pytest.approx(expected)


def test_pairs(store, found):
    files = {lang: read(store, lang) for lang in LANGS}
    assert [(p.a, p.b) for p in found.pairs] == list(combinations(LANGS, 2))
    for pair in found.pairs:
        a, b = files[pair.a], files[pair.b]
        shared = sorted(a.keys() & b.keys())
        assert pair.n == pair.ranked == len(shared) < min(len(a), len(b))
        assert pair.rankc.value == pytest.approx(mean(rankc(a[k]["scores"], b[k]["scores"]) for k in shared))
        assert pair.floor == pytest.approx(floors([(a[k], b[k]) for k in shared]))
        assert pair.corrected.value == pytest.approx((pair.rankc.value - pair.floor) / (1 - pair.floor))
        both = sum(a[k]["p1"] * b[k]["p1"] for k in shared)
        either = sum(1 - (1 - a[k]["p1"]) * (1 - b[k]["p1"]) for k in shared)
        assert 0 < pair.overlap.value == pytest.approx(both / either)
        known = {r: [mean(f[k]["p1"] for k in shared if k[0] == r) for f in (a, b)] for r in RELATIONS}
        counts = Counter(k[0] for k in shared)
        alone = sum(n * math.prod(known[r]) for r, n in counts.items())
        alone /= sum(n * (1 - (1 - known[r][0]) * (1 - known[r][1])) for r, n in counts.items())
        assert pair.independent == pytest.approx(alone)
        assert (pair.agree.value, pair.wrong.value) == pytest.approx(
            tuple(mean(values) for values in zip(*(same(a[k], b[k]) for k in shared), strict=True))
        )


def test_all_languages(store, found):
    files = [read(store, lang) for lang in LANGS]
    shared = sorted(set.intersection(*(set(one) for one in files)))
    expected = [mean(values) for values in zip(*(same(*(f[k] for f in files)) for k in shared), strict=True)]
    assert (found.all.langs, found.all.n) == (3, len(shared))
    assert (found.all.agree.value, found.all.wrong.value) == pytest.approx(tuple(expected))
    assert found.all.agree.value > 0


def test_paraphrases(store, found):
    """P36 has three templates, P50 two, and P47 one, so that P47's facts are left out."""
    for row in found.paraphrases:
        answers = read(store, row.lang)
        facts = {}
        for key in sorted(answers):
            facts.setdefault(key[:2], []).append(answers[key])
        several = {key: own for key, own in facts.items() if len(own) > 1}
        assert (row.facts, row.one) == (len(several), len(facts) - len(several))
        assert row.one > 0
        pairs = {key: [same(x, y) for x, y in combinations(own, 2)] for key, own in several.items()}
        assert row.agree.value == pytest.approx(macro({k: mean(p[0] for p in own) for k, own in pairs.items()}))
        right = {k: mean(p[0] - p[1] for p in own) for k, own in pairs.items()}
        assert row.right.value == pytest.approx(macro(right))
        chance = {}
        for relation in ("P36", "P50"):
            said = [answer["said"] for key, own in several.items() if key[0] == relation for answer in own]
            uris = {uri for own in said for uri in own}
            shares = [sum((uri in own) / len(own) for own in said) / len(said) for uri in uris]
            chance[(relation,)] = sum(share**2 for share in shares)
        assert row.by_chance == pytest.approx(macro(chance))
        hit = {k: mean((a["gold"] in a["said"]) / len(a["said"]) for a in own) for k, own in several.items()}
        assert row.accuracy.value == pytest.approx(macro(hit))
    assert [row.lang for row in found.paraphrases] == list(LANGS)


def test_confidence(store, found):
    for row in found.confidence:
        sure, brier, by_candidate, plain, bins = [], [], [], [], {}
        for answer in read(store, row.lang).values():
            total = sum(map(math.exp, answer["scores"].values()))
            shares = {uri: math.exp(score) / total for uri, score in answer["scores"].items()}
            sure.append(max(shares.values()))
            brier.append(sum((share - (uri == answer["gold"])) ** 2 for uri, share in shares.items()))
            by_candidate.append(brier[-1] / len(shares))
            plain.append(1 - 1 / len(shares))
            bins.setdefault(math.ceil(10 * sure[-1]), []).append((sure[-1], answer["p1"]))
        assert row.n == len(sure)
        assert row.confidence.value == pytest.approx(mean(sure))
        assert row.brier.value == pytest.approx(mean(brier))
        assert row.brier_by_candidate.value == pytest.approx(mean(by_candidate))
        assert row.indifferent == pytest.approx(mean(plain))
        error = sum(abs(sum(s - p for s, p in own)) for own in bins.values()) / len(sure)
        assert row.error.value == pytest.approx(error)
        assert [b.n for b in row.bins] == [len(bins[number]) for number in sorted(bins)]
    assert [row.lang for row in found.confidence] == list(LANGS)


def test_strata(store, found):
    for lang in LANGS:
        answers = read(store, lang)
        counts = Counter((key[0], gold) for key, gold in {(k[:2], a["gold"]) for k, a in answers.items()})
        groups = {}
        for key, answer in answers.items():
            n = counts[key[0], answer["gold"]]
            often = "1" if n == 1 else "2-5" if n < 6 else "6-20"
            for by, name in (("tokens", str(answer["pieces"]) if answer["pieces"] < 4 else "4+"), ("frequency", often)):
                groups.setdefault((by, name), []).append(answer["p1"])
        rows = {(row.by, row.stratum): row for row in found.strata if row.lang == lang}
        assert rows.keys() == groups.keys()
        for name, row in rows.items():
            assert (row.n, row.p1.value) == (len(groups[name]), pytest.approx(mean(groups[name])))
