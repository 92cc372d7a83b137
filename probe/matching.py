"""Whether a text that a model has filled in is one of the right ones, and which of its texts is its answer.

Jiang et al. 2020 (EMNLP, arXiv 2010.06189), `LamaPredictions` in scripts/probe.py of jzbjyb/X-FACTR.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

import numpy as np

from data_builders.errors import unknown

#: The accents that X-FACTR strips, of Greek vowels alone (it does so in Greek; the letters occur in no other).
_UNSTRESSED = str.maketrans("άόίέύώή", "αοιευωη")


def exact(text: str) -> str:
    """The text as it stands."""
    return text


def xfactr(text: str) -> str:
    """Lower case, Greek vowels without their accent, and no white space.

    X-FACTR has the tokenizer spell the right answers too, so that "Saint - Denis" is compared with "Saint - Denis";
    leaving out white space does the same without it. It also takes "New York" for "Newyork", which theirs does not.
    """
    return "".join(text.lower().translate(_UNSTRESSED).split())


def fold(text: str) -> str:
    """NFKC, case folded, accents stripped, and no white space; folding twice is folding once.

    Accents are combining marks of Latin, Greek and Cyrillic letters, vowel points of Hebrew and Arabic, and hamza and
    madda. What changes the letter itself stays: voicing marks of kana, nukta and virama, Thai and Lao vowels and tones
    (canonical combining classes below 10 and from 37 to 199). A dotless ı is not an i, though a dotted İ is.
    """
    lower = unicodedata.normalize("NFKC", text).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", lower) if not _is_accent(c))
    return unicodedata.normalize("NFKC", "".join(bare.casefold().split()))


def _is_accent(character: str) -> bool:
    kind = unicodedata.combining(character)
    return 10 <= kind <= 36 or kind >= 200


#: How texts are made comparable. Adding one is a line.
MATCHES: dict[str, Callable[[str], str]] = {"exact": exact, "xfactr": xfactr, "folded": fold}

#: What the confidence in a text is divided by, for n masks. X-FACTR's paper and scripts/probe.py take the mean (the
#: latter the sum under ``--no_len_norm``); scripts/ana.py, which judges its output, takes the sum unless ``--norm``.
LENGTHS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"mean": lambda n: n, "sum": lambda n: np.ones_like(n)}


def matches(text: str, golds: Iterable[str], how: str = "xfactr", period: bool = True) -> bool:
    """Whether `text` is one of `golds` (the object's labels and aliases) when both are made comparable.

    With `period`, a gold's last period may be missing ("Warner Bros" for "Warner Bros."), since the sentence's own may
    stand for it; X-FACTR allows that in English, where [Y] and a period end the sentence. An ``exact`` match never
    does. A text of which nothing is left matches nothing.
    """
    if how not in MATCHES:
        raise unknown("match", how, MATCHES)
    known = {MATCHES[how](gold) for gold in golds}
    if period and how != "exact":
        known |= {gold[:-1] for gold in known if gold.endswith(".")}
    return MATCHES[how](text) in known - {""}


def choose(confidence: np.ndarray, how: str = "mean") -> np.ndarray:
    """The place of the number of masks n that the model is surest of: argmax over n of (1/n) Σ log p(y_i).

    `confidence` [.., K] are sums of log-probabilities for 1, 2, .. K masks; returns places [..]. The fewest masks win
    a tie. Raises ValueError where a confidence is not a number.
    """
    if how not in LENGTHS:
        raise unknown("length", how, LENGTHS)
    confidence = np.asarray(confidence, dtype=np.float64)
    if np.isnan(confidence).any():
        raise ValueError("a confidence is not a number: leave out items with a fault")
    return (confidence / LENGTHS[how](np.arange(1, confidence.shape[-1] + 1))).argmax(axis=-1)
