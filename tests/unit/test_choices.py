"""Fewer candidates: the right answers always, the sampled objects first, the same in every language."""

from __future__ import annotations

import hashlib
import random

from hypothesis import given
from hypothesis import strategies as st

from data_builders.choices import choice, ranked

URIS = [f"Q{i}" for i in range(200)]


def chosen(relation: str, uris: list[str], sampled: set[str], own: set[str], number: int) -> list[str]:
    places = choice(ranked(relation, uris, sampled), [uris.index(uri) for uri in own], number)
    assert list(places) == sorted(set(places))
    return [uris[place] for place in places]


def by_hash(relation: str, uris) -> list[str]:
    return sorted(uris, key=lambda uri: hashlib.sha256(f"{relation}|{uri}".encode()).hexdigest())


@given(
    total=st.integers(1, 80),
    sampled=st.sets(st.sampled_from(URIS), max_size=60),
    own=st.sets(st.integers(0, 10_000), min_size=1, max_size=12),
    number=st.just(0) | st.integers(2, 100),
)
def test_which_and_how_many(total, sampled, own, number):
    """The right ones, then sampled objects, then others, each by hash; so many, or all there are."""
    uris = URIS[:total]
    own = {uris[i % total] for i in own}
    rest = [uri for uri in uris if uri not in own]
    order = [*by_hash("P36", set(rest) & sampled), *by_hash("P36", set(rest) - sampled)]
    wanted = number or total
    expected = own | set(order[: max(0, wanted - len(own))])
    found = chosen("P36", uris, sampled, own, number)
    assert set(found) == expected
    assert len(found) == max(len(own), min(wanted, total))


def test_languages_choose_alike():
    """Candidates stand at other places in other languages; where all have the same, the same are chosen."""
    sampled, own = set(URIS[::3]), {"Q7", "Q150"}
    turned = random.Random(0).sample(URIS, len(URIS))
    found = chosen("P36", URIS, sampled, own, 50)
    assert set(found) == set(chosen("P36", turned, sampled, own, 50))
    lacking = [uri for uri in turned if uri in own or int(uri[1:]) % 4]
    assert {uri for uri in found if uri in lacking} <= set(chosen("P36", lacking, sampled, own, 50))


def test_relations_choose_differently():
    """A URI's place in one relation says nothing about another: half of two choices of half is expected in both."""
    one, other = (set(chosen(relation, URIS, set(), {"Q0"}, 100)) for relation in ("P36", "P37"))
    assert 30 < len(one & other) < 70
