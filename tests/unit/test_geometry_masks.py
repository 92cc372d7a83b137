"""What is asked of a sequence: how much of it, what is read there, and that nothing but the seed decides."""

from __future__ import annotations

import numpy as np
import pytest
from probe_fixtures import wordpiece

from data_builders.errors import FactrootsError
from probe.geometry.masks import Words, askings, batches, digest, joined
from probe.geometry.measures import MEASURES, Measure

WORDS = Words.of(wordpiece())
IDS = np.random.default_rng(0).integers(5, WORDS.size, (40, 200)).astype(np.int32)
IDS[:, 0], IDS[:, 99] = 2, 3


def of(text: str, seed: int = 0, lang: str = "it", ids: np.ndarray = IDS):
    return askings(Measure.parse(text), ids, lang, WORDS, seed)


@pytest.mark.parametrize("name", MEASURES)
def test_targets_are_what_stood_there_and_specials_are_never_asked(name):
    for ids, one in zip(IDS, of(name), strict=True):
        places = one.column + (name == "causal")
        assert (one.targets == ids[places]).all()
        assert not np.isin(places, [0, 99]).any()
        assert not np.isin(one.targets, WORDS.special).any()
        others = np.ones(one.ids.shape, bool)
        others[one.row, places] = False
        assert (one.ids == ids)[others].all()  # all that is not asked is as it was


def test_together_asks_15_percent_of_which_80_10_10():
    found = joined(of("mlm"))
    share = len(found.targets) / (IDS.size - 2 * len(IDS))
    read = found.ids[found.row, found.column]
    masked, kept = (read == WORDS.mask).mean(), (read == found.targets).mean()
    assert abs(share - 0.15) < 4 * np.sqrt(0.15 * 0.85 / IDS.size)
    assert abs(masked - 0.8) < 4 * np.sqrt(0.8 * 0.2 / len(read))
    assert abs(kept - 0.1 - 0.1 / WORDS.size) < 4 * np.sqrt(0.1 * 0.9 / len(read))
    other = read[(read != WORDS.mask) & (read != found.targets)]
    assert len(np.unique(other)) > 20  # any token, not one


def test_one_by_one_masks_a_place_a_row():
    for one in of("pseudo(share=0.1)"):
        assert len(one.ids) == len(one.targets) == 20  # a tenth of 198, rounded up
        assert ((one.ids == WORDS.mask).sum(axis=1) == 1).all()
        assert (one.ids[one.row, one.column] == WORDS.mask).all()
        assert len(np.unique(one.column)) == len(one.column)


def test_after_reads_what_stands_there_and_asks_all_but_the_first():
    (one,) = of("causal", ids=IDS[:1])
    assert (one.ids == IDS[:1]).all()
    assert one.column.tolist() == [i for i in range(199) if i + 1 != 99]


def test_the_seed_the_language_and_the_number_decide_and_no_order():
    again = of("mlm")
    assert digest(of("mlm")) == digest(again)
    assert digest(of("mlm", seed=1)) != digest(again)
    assert digest(of("mlm", lang="ja")) != digest(again)
    assert digest(of("mlm", ids=IDS[:7])) == digest(again[:7])
    assert (again[0].column.tolist()) != again[1].column.tolist()


def test_batches_have_so_many_tokens_and_leave_none_out():
    asked = of("mlm")
    cut = [*batches(asked, 700)]
    assert [i for which in cut for i in which] == [*range(40)]
    assert {len(which) for which in cut[:-1]} == {3}
    assert [len(which) for which in batches(asked, 1)] == [1] * 40


def test_joined_keeps_rows_and_sequences_apart():
    asked = of("pseudo(share=0.02)")[:3]
    found = joined(asked)
    assert found.sequence.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert (found.ids[found.row[5]] == asked[1].ids[1]).all()
    assert (found.ids[found.row, found.column] == WORDS.mask).all()


def test_canonical_text():
    for text in ("mlm", "pseudo", "causal", "mlm(share=0.3)"):
        assert str(Measure.parse(text)) == text
        assert Measure.parse(str(Measure.parse(text))) == Measure.parse(text)
    assert str(Measure.parse(" mlm(share=0.15) ")) == "mlm"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bleu", "there are: causal, mlm, pseudo"),
        ("mlm(share=2)", "above 0 and at most 1"),
        ("mlm(share=0)", "above 0 and at most 1"),
        ("mlm(share=much)", r"expected mlm\(share=0.1\)"),
        ("mlm(part=0.2)", r"expected mlm\(share=0.1\)"),
        ("mlm:x", "there are: causal, mlm, pseudo"),
    ],
)
def test_what_is_no_measure(text, said):
    with pytest.raises(FactrootsError, match=said):
        Measure.parse(text)
