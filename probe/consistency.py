"""Whether a model gives one answer however it is asked (Elazar et al., TACL 2021; Fierro and Søgaard, ACL 2022).

An answer is the entity that has the best score, not its spelling. Where several tie for it each is the answer with
the same chance, in each template on its own, and every share below is its expectation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array


class Paraphrases(NamedTuple):
    """By fact, all [facts], in order of the facts' numbers.

    agree : the share of pairs of templates that have one answer; NaN with fewer than two templates.
    right : the share of pairs that have one answer, and a right one.
    accuracy : the share of templates whose answer is right.
    templates : how many were answered.
    """

    agree: np.ndarray
    right: np.ndarray
    accuracy: np.ndarray
    templates: np.ndarray


def answers(scores: np.ndarray) -> csr_array:
    """The chance [n, c] that a candidate is the answer, from scores [n, c] (NaN: not a candidate; one at least is)."""
    best = scores == np.nanmax(scores, axis=1, keepdims=True)
    return csr_array(best / best.sum(axis=1, keepdims=True))


def paraphrases(given: csr_array, gold: np.ndarray, fact: np.ndarray) -> Paraphrases:
    """Consistency from answers [n, c], right ones [n, c] (bool) and the number [n] of the fact each was asked for."""
    facts = int(fact.max()) + 1
    by_fact = csr_array((np.ones(len(fact)), (fact, np.arange(len(fact)))), shape=(facts, len(fact)))
    right = given.multiply(gold).tocsr()
    templates = np.bincount(fact, minlength=facts)
    pairs = np.where(templates > 1, templates * (templates - 1) / 2, np.nan)
    accuracy = by_fact @ right.sum(axis=1) / templates
    return Paraphrases(_agreeing(given, by_fact) / pairs, _agreeing(right, by_fact) / pairs, accuracy, templates)


def by_chance(given: csr_array) -> float:
    """The agreement of answers [n, c] that had nothing to go by but how often each is given (Fleiss 1971).

    (agree - by_chance) / (1 - by_chance) is Fleiss' kappa.
    """
    shares = given.sum(axis=0) / given.shape[0]
    return float(shares @ shares)


def _agreeing(given: csr_array, by_fact: csr_array) -> np.ndarray:
    """Σ over pairs of a fact's rows of their product: half of what the square of their sum has beyond their squares."""
    together, own = by_fact @ given, given.multiply(given).sum(axis=1)
    return (together.multiply(together).sum(axis=1) - by_fact @ own) / 2
