"""What candidates are worth before the subject is known: a prior estimated from the relation's other subjects."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp


def others(scores: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """For each row the log of a candidate's mean probability over the rows of *other* subjects [n, c].

    `scores` [n, c] become probabilities over the candidates of their row (NaN: no candidate of it). Subtracted from a
    row's scores this gives pointwise mutual information, up to a constant of the row, with p(candidate) estimated by
    the relation's other subjects: it is transductive, for it looks at what else is asked. NaN where no other subject
    has the candidate.
    """
    logs = scores - logsumexp(np.where(np.isnan(scores), -np.inf, scores), axis=1, keepdims=True)
    here = ~np.isnan(logs)
    logs = np.where(here, logs, -np.inf)
    names, group = np.unique(subjects.astype(str), return_inverse=True)
    sums = np.full((len(names), scores.shape[1]), -np.inf)
    counts = np.zeros(sums.shape)
    for i, g in enumerate(group):  # one subject may have several rows
        sums[g] = np.logaddexp(sums[g], logs[i])
        counts[g] += here[i]
    # All but one without subtraction, which would cancel: what stands before, and what stands after.
    nothing = np.full((1, scores.shape[1]), -np.inf)
    before = np.concatenate([nothing, np.logaddexp.accumulate(sums, axis=0)[:-1]])
    after = np.concatenate([np.logaddexp.accumulate(sums[::-1], axis=0)[::-1][1:], nothing])
    left = counts.sum(axis=0) - counts
    with np.errstate(divide="ignore", invalid="ignore"):
        prior = np.where(left > 0, np.logaddexp(before, after) - np.log(left), np.nan)
    return prior[group]
