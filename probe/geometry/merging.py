"""Fits of one model to different text, added up: as if it had all been read at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import numpy as np

from data_builders.errors import FactrootsError
from data_builders.folder import lock
from probe.geometry import sequences_file
from probe.geometry.fits import Fits, class_names, moments_file
from probe.geometry.fits_record import About, Language, claim
from probe.geometry.tally import Tally, TallyFile
from probe.geometry.text import PARTS, Sequences, digest

#: What has to be the same in fits that are merged.
_SAME = ("version", "model", "length", "specials", "layers", "width", "at", "positions")


def merge(folders: Sequence[Path], folder: Path) -> Fits:
    """Add up the fits in `folders`, which hold the same languages, in `folder`; their order matters to rounding alone.

    Raises FactrootsError, naming what differs, for fits of another model or made in another way, and for such as share
    lines of text, since one's test would be on what another was fitted to.
    """
    each = [Fits.open(one) for one in folders]
    sequences = {lang: [fits.sequences(lang) for fits in each] for lang in _languages(each)}
    for lang, own in sequences.items():
        _check_apart(folders, lang, own)
    joined = {lang: _joined(own) for lang, own in sequences.items()}
    about = _about(each, joined)
    with lock(folder):
        claim(folder, about)
        for lang, own in joined.items():
            if not (target := moments_file(folder, lang)).exists():
                sequences_file.keep(folder, own)
                reduce(Tally.merged, (_whole(fits, lang) for fits in each)).write(target)
    return Fits.open(folder)


def _languages(each: Sequence[Fits]) -> tuple[str, ...]:
    """Those of the first, once it is sure that all others fit to it."""
    first, *others = each
    for fits in others:
        differ = [name for name in _SAME if getattr(fits.about, name) != getattr(first.about, name)]
        differ += ["languages"] if set(fits.langs) != set(first.langs) else []
        if differ:
            raise FactrootsError(
                f"{first.folder} and {fits.folder} cannot be merged: their {', '.join(differ)} differ; merge fits that "
                "were made by the same command but for --text, --sequences and --seed"
            )
    return first.langs


def _check_apart(folders: Sequence[Path], lang: str, each: Sequence[Sequences]) -> None:
    lines, times = np.unique(np.concatenate([own.held for own in each]), return_counts=True)
    if shared := int((times > 1).sum()):
        raise FactrootsError(
            f"{', '.join(map(str, folders))} share {shared:,} of {len(lines):,} lines in {lang}; merge fits to "
            "different text only"
        )


def _joined(each: Sequence[Sequences]) -> Sequences:
    parts = [np.concatenate([getattr(own, part) for own in each]) for part in PARTS]
    return Sequences(
        each[0].lang,
        *parts,
        sha256=digest(*parts),
        origin=hashlib.sha256("".join(own.origin for own in each).encode()).hexdigest(),
        lines=sum(own.lines for own in each),
        repeated=sum(own.repeated for own in each),
        whole=sum(own.whole for own in each),
        held=np.sort(np.concatenate([own.held for own in each])),
    )


def _about(each: Sequence[Fits], joined: dict[str, Sequences]) -> About:
    first = each[0].about
    languages = {}
    for lang, own in joined.items():
        taggers = {fits.about.languages[lang].tagger for fits in each}
        languages[lang] = Language.of(own, None if None in taggers else " + ".join(sorted(taggers)))
    return first.model_copy(
        update={
            "text": " + ".join(fits.about.text for fits in each),
            "number": sum(fits.about.number for fits in each),
            "test": sum(fits.about.test for fits in each),
            "languages": languages,
        }
    )


def _whole(fits: Fits, lang: str) -> Tally:
    return TallyFile(moments_file(fits.folder, lang), class_names(fits.about)).whole()
