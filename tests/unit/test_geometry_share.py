"""Which tokens are a language's alone, and what share of what is said they are."""

from __future__ import annotations

import numpy as np
from neuron_fixtures import tiny
from sweep_fixtures import fits_of, made

from probe.geometry.share import Own, Vocabularies
from probe.geometry.text import digest


def test_tokens_of_one_text_and_not_of_the_other(tmp_path):
    one = tiny("bert")
    texts = {"xa": made("xa", range(10, 30), 2), "xb": made("xb", range(20, 45), 2)}
    words = Vocabularies(fits_of(tmp_path, one, texts), one)
    own = words.own("xa", "xb")
    seen = {lang: set(np.unique(np.concatenate([text.fit, text.again]))) - {2} for lang, text in texts.items()}
    assert set(np.flatnonzero(own.a)) == seen["xa"] - seen["xb"]
    assert set(np.flatnonzero(own.b)) == seen["xb"] - seen["xa"]
    assert len(own.a) == one.model.config.vocab_size
    assert not own.a[2]  # special tokens are no language's
    test = texts["xa"].test[:, 1:].ravel()
    assert (words.test("xa") == test).all()
    alone = [list(seen["xa"] - seen["xb"]), list(seen["xb"] - seen["xa"])]
    assert own.shares(test) == tuple(np.isin(test, tokens).mean() for tokens in alone)
    assert own.shares(test)[0] > 0.4
    assert words.own("xb", "xa").a.tolist() == own.b.tolist()


def test_a_rare_token_of_much_text_is_not_the_language_s(tmp_path, monkeypatch):
    one = tiny("bert")
    texts = {"xa": made("xa", range(10, 30), 2), "xb": made("xb", range(20, 45), 2)}
    fit = texts["xa"].fit.copy()
    fit[0, 1] = 50  # once among 48 × 11
    texts["xa"] = texts["xa"]._replace(fit=fit, sha256=digest(fit, *texts["xa"][2:4]))
    fits = fits_of(tmp_path, one, texts)
    assert Vocabularies(fits, one).own("xa", "xb").a[50]
    monkeypatch.setattr("probe.geometry.share.FREQUENCY", 1.5 / (48 * 11))
    own = Vocabularies(fits, one).own("xa", "xb").a
    assert not own[50]
    assert own.any()


def test_counts_by_sequence():
    own = Own(np.array([True, False, False]), np.array([False, True, False]))
    counts = own.counts(np.array([0, 0, 1, 2, 1]), np.array([0, 1, 1, 1, 3]), 4)
    assert [part.tolist() for part in counts] == [[1, 1, 0, 0], [0, 1, 0, 1]]
