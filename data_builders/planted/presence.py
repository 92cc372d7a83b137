"""The ground truth as a table: for every fact and language, whether it is stated, how often and in which forms."""

from __future__ import annotations

from collections import Counter, defaultdict

import pyarrow as pa

from data_builders.facts import COLUMNS
from data_builders.planted.articles import Article
from data_builders.planted.lexicon import Lexicon

#: One row per fact and language. ``sentences`` counts the sentences that name both ends (the same pair may be stated
#: under another relation too), ``forms`` are the fact's own, and ``decoys`` counts the articles that name both ends
#: without ever saying that they belong together.
SCHEMA = pa.schema(
    [("lang", pa.string())]
    + [(name, pa.string()) for name in COLUMNS]
    + [("stated", pa.bool_()), ("sentences", pa.int32()), ("forms", pa.list_(pa.string())), ("decoys", pa.int32())]
)


def presence(lexicon: Lexicon, stated: set[str], articles: list[Article]) -> pa.Table:
    """The rows of one language, counted in the text itself and by name: a language and its script may share one."""
    sentences, together, forms = Counter(), Counter(), defaultdict(list)
    for article in articles:
        named, joined = set(), set()
        for sentence in (s for paragraph in article.paragraphs for s in paragraph):
            names = {sentence.text[start:end] for _, _, start, end in sentence.mentions}
            named |= names
            if sentence.fact is not None:
                joined.add(frozenset(names))
                sentences[frozenset(names)] += 1
                forms[sentence.fact].append(sentence.form)
        together.update(pair for pair in _pairs(lexicon, named) if pair not in joined)
    rows = []
    for fact in lexicon.facts:
        pair = frozenset((fact.subject, fact.object))
        decoys = 0 if fact.fact in stated else together[pair]
        row = {"stated": fact.fact in stated, "sentences": sentences[pair], "forms": sorted(forms[fact.fact])}
        rows.append({"lang": lexicon.lang, **fact._asdict(), **row, "decoys": decoys})
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _pairs(lexicon: Lexicon, named: set[str]) -> set[frozenset[str]]:
    """The pairs of related names that an article holds both of."""
    ends = ((fact.subject, fact.object) for fact in lexicon.facts)
    return {frozenset(pair) for pair in ends if pair[0] in named and pair[1] in named}
