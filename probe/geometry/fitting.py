"""The fit: one pass of a model over each language's text, in which the states at all layers are counted."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from data_builders.errors import FactrootsError
from data_builders.folder import lock
from data_builders.progress import Quiet
from probe.geometry import sequences_file
from probe.geometry.body import Body
from probe.geometry.fits import Fits, class_names, moments_file
from probe.geometry.fits_record import SCHEMA_VERSION, About, Language, Model, claim
from probe.geometry.tags import load_tagger, pipeline, tags
from probe.geometry.tally import FITTED, Tally, TallyFile
from probe.geometry.text import Sequences, special_ids
from probe.running import called
from probe.signature import version

#: Tokens that are read at a time; places in a sequence whose states are summed apart, as published.
TOKENS, PLACES = 4096, 16
#: Seconds between two states that are kept in case of a kill, and how many times as long as keeping one takes.
_SECONDS, _TIMES = 5, 20


def describe(
    body: Body, text: str, found: Mapping[str, Sequences], seed: int, specials: bool = True, at: str | None = None
) -> About:
    """All that decides a fit to the sequences `found` in a text of this name.

    Raises FactrootsError where they have fewer tokens a language than states have dimensions.
    """
    loaded, (number, length) = body.loaded, next(iter(found.values())).fit.shape
    if number * length < body.width:
        raise FactrootsError(
            f"{number} sequences of {length} tokens are fewer than the {body.width} dimensions of {loaded.spec}, so "
            "that no language has a covariance; give more text, or more --sequences"
        )
    step = max(1, length // PLACES)
    return About(
        schema_version=SCHEMA_VERSION,
        version=version(),
        model=Model(
            spec=str(loaded.spec),
            id=loaded.id,
            name=called(loaded.spec, loaded.id),
            family=loaded.family,
            sha256=loaded.sha256,
            dtype=loaded.dtype,
        ),
        text=text,
        length=length,
        number=number,
        test=len(next(iter(found.values())).test),
        seed=seed,
        specials=specials,
        layers=len(body.blocks),
        width=body.width,
        at=at,
        positions=[*range(1, length, step)][:PLACES],
        languages={lang: Language.of(own, pipeline(lang)) for lang, own in found.items()},
    )


def default_folder(about: About) -> Path:
    """``runs/<model>-geometry-<hash>``, the hash over all that decides the numbers."""
    digest = hashlib.sha256(about.model_dump_json().encode()).hexdigest()[:10]
    return Path("runs") / f"{Path(about.model.id.partition('+')[0]).name}-geometry-{digest}"


def carry_out(body: Body, about: About, found: Mapping[str, Sequences], folder: Path, bar: Quiet) -> Fits:
    """Make or finish the fits in `folder`, alone there; after a kill the same call ends with the same bytes.

    Raises FactrootsError where the folder holds others, and on states that are not finite.
    """
    with lock(folder):
        claim(folder, about)
        for lang, own in found.items():
            bar.start(lang, len(FITTED) * about.number)
            target, journal = moments_file(folder, lang), folder / f".moments-{lang}.journal"
            if target.exists():
                bar.advance(len(FITTED) * about.number, before=True)
            else:
                sequences_file.keep(folder, own)
                _count(body, about, own, journal, bar).write(target)
            journal.unlink(missing_ok=True)
    return Fits.open(folder)


def _count(body: Body, about: About, own: Sequences, journal: Path, bar: Quiet) -> Tally:
    """Count a language's states, from where the journal has got to."""
    tokenizer, places = body.loaded.tokenizer, np.full(about.length, -1)
    places[about.positions] = np.arange(len(about.positions))
    which = {"position": np.tile(places, (about.number, 1))}
    if tagger := about.languages[own.lang].tagger:
        which["pos"] = tags(own.texts, tokenizer, about.length, load_tagger(tagger))
    names = {kind: every for kind, every in class_names(about).items() if kind in which}
    left_out = [] if about.specials else special_ids(tokenizer)
    tally = TallyFile(journal, names).whole() if journal.exists() else Tally.zero(about.layers, about.width, names)
    bar.advance(tally.done, before=True)
    keep = _keeping(journal)
    for part, rows, done in _batches(about):
        if done <= tally.done:
            continue
        ids = getattr(own, part)[rows]
        counted = ~np.isin(ids, left_out)
        states = body.states(ids, counted)
        _check(states, own.lang, about)
        moments = tally.moments | {part: tally.moments[part].plus(states)}
        classes = tally.classes
        if part == "fit":
            classes = {kind: held.plus(states, which[kind][rows][counted]) for kind, held in classes.items()}
        tally = Tally(done, moments, classes)
        keep(tally)
        bar.advance(len(ids))
    return tally


def _batches(about: About) -> Iterator[tuple[str, slice, int]]:
    """Each part's sequences, some at a time, and how many have been counted after them; the same in every run."""
    at_once = max(1, TOKENS // about.length)
    for number, part in enumerate(FITTED):
        for start in range(0, about.number, at_once):
            stop = min(start + at_once, about.number)
            yield part, slice(start, stop), number * about.number + stop


def _keeping(journal: Path) -> Callable[[Tally], None]:
    """What keeps a tally now and then, and spends no more than a twentieth of the time on it."""
    due = time.monotonic() + _SECONDS

    def keep(tally: Tally) -> None:
        nonlocal due
        if (began := time.monotonic()) >= due:
            tally.write(journal)
            due = time.monotonic() + max(_SECONDS, _TIMES * (time.monotonic() - began))

    return keep


def _check(states: np.ndarray, lang: str, about: About) -> None:
    """Raises FactrootsError on states that are not finite."""
    bad = [str(layer) for layer, own in enumerate(states) if not np.isfinite(own).all()]
    if bad:
        raise FactrootsError(
            f"{about.model.spec} has states in {lang} that are not finite, at layer {', '.join(bad)}; "
            + ("pass --dtype float32" if about.model.dtype != "float32" else "choose another --model")
        )
