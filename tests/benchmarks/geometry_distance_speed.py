"""What a distance and axes cost against the published script, scipy and scikit-learn; `--help`.

Times are of the processor, on one thread; each pair of ways runs in turn, and the median of the ratios is said, with
how far their results lie apart. Axes are found from moments that fits have already; scikit-learn reads the vectors, as
many as were published (five languages, 4,096 tokens of each).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from scipy.linalg import subspace_angles
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from probe.geometry import angles
from probe.geometry.classes import Classes
from probe.geometry.discriminants import discriminants
from probe.geometry.distance import riemannian
from probe.geometry.moments import Moments
from probe.geometry.subspace import Subspace


def timed(work: Callable):
    """Processor seconds and the outcome."""
    began = time.process_time()
    made = work()
    return time.process_time() - began, made


def compare(name: str, ours: Callable, theirs: Callable, rounds: int) -> None:
    """Print how many times faster, the times, and the greatest difference."""
    pairs = [(timed(ours), timed(theirs)) for _ in range(rounds)]
    (own, a), (other, b) = pairs[-1]
    ratio = median(there / here for (here, _), (there, _) in pairs)
    apart = np.abs(np.asarray(a) - np.asarray(b)).max()
    print(f"{name}: {ratio:.1f} times faster ({own:.3f} s, {other:.3f} s), apart by {apart:.1e}", flush=True)


def published(a: np.ndarray, b: np.ndarray) -> float:
    """tylerachang/multilingual-geometry, src/distances.py."""
    with np.errstate(invalid="ignore"):
        return float(np.sqrt(np.nansum(np.square(np.log(np.real(np.linalg.eigvals(np.linalg.inv(a) @ b)))))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--tokens", type=int, default=4096, help="of each of five languages")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    draw, d = np.random.default_rng(0), options.width
    turn = np.linalg.qr(draw.normal(size=(d, d)))[0]
    scale = np.arange(1, d + 1) ** -0.5
    vectors = [draw.normal(size=(options.tokens, d)) * scale @ turn + draw.normal(size=d) / 9 for _ in range(5)]
    moments = [Moments.of(own) for own in vectors]
    a, b = (own.covariance for own in moments[:2])
    compare("Riemannian distance, published", lambda: riemannian(a, b), lambda: published(a, b), options.rounds)
    own, other = (Subspace.of(one).basis() for one in moments[:2])
    compare(
        "principal angles, scipy",
        lambda: angles.principal(own, other),
        lambda: subspace_angles(own, other),
        options.rounds,
    )
    sums = np.stack([one.n * one.mean for one in moments])
    total = moments[0]
    for one in moments[1:]:
        total = total.merged(one)
    classes = Classes(tuple("abcde"), np.full(5, options.tokens), sums, total)
    stacked, which = np.concatenate(vectors), np.repeat(np.arange(5), options.tokens)

    def theirs() -> np.ndarray:
        return np.abs(LinearDiscriminantAnalysis().fit(stacked, which).scalings_)

    compare("axes, scikit-learn", lambda: np.abs(discriminants(classes).directions), theirs, options.rounds)


if __name__ == "__main__":
    main()
