"""What a sweep comes to: its record, and a table of all its ratios."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from data_builders.folder import lock
from data_builders.progress import progress
from fine_tuning.models import Loaded
from probe import uncertainty
from probe.geometry.facts import Asking, put
from probe.geometry.fits import Fits
from probe.geometry.measured import Measured, measured
from probe.geometry.parts import default_folder, fits_sha256, keep, signature
from probe.geometry.plan import Plan, Swept, describe
from probe.geometry.ratio_record import CI, Facts, Ratios, Speech
from probe.geometry.ratios import broken_rows, contrast_rows, mean_rows, plain_rows, ratio_rows
from probe.geometry.rows import PLAIN
from probe.geometry.share import Vocabularies
from probe.geometry.sweep import sweep
from probe.provenance import code, packages


def results(
    plan: Plan,
    fits: Fits,
    loaded: Loaded,
    output: str | None = None,
    quiet: bool = False,
    asking: Asking | None = None,
) -> tuple[Path, Ratios]:
    """Sweep, put the facts that are `asking`, and keep, in `output` or below the fits by all that decides the rows."""
    asked = describe(plan, fits, loaded)
    swept = Swept(output or default_folder(fits, "ratio", json.dumps(asked, sort_keys=True)))
    with lock(swept.folder):
        swept.claim(asked)
        with progress(quiet, "steps") as bar:
            sweep(plan, fits, loaded, swept, bar)
        facts = asking and put(asking, fits, loaded, swept.folder / "facts", quiet)
        made = record(plan, fits, loaded, swept, facts)
        keep(swept.folder, "ratio", made, flat(made))
    return swept.folder, made


def record(plan: Plan, fits: Fits, loaded: Loaded, swept: Swept, facts: Facts | None = None) -> Ratios:
    """Of a finished sweep."""
    tables, asked = [pq.read_table(swept.rows(lang)) for lang in plan.langs], swept.asked()
    found = [measured(table) for table in tables]
    named = dict.fromkeys(key.condition for one in found for key in one.keys if key.condition != PLAIN)
    ci = CI(level=uncertainty.LEVEL, resamples=uncertainty.RESAMPLES, seed=uncertainty.SEED, unit="sequence")
    decided = {
        "text": fits.about.text,
        "measure": plan.measure,
        "conditions": ";".join(named),
        "variance": plan.variance,
        "specials": "moved" if plan.specials else "kept",
        "seed": plan.seed,
        "ci": f"bootstrap,{ci.unit},n={ci.resamples},seed={ci.seed}",
    }
    return Ratios(
        signature=signature(fits, decided),
        model=fits.about.model.id,
        fits=fits_sha256(fits),
        text=fits.about.text,
        measure=str(plan.measure),
        variance=plan.variance,
        seed=plan.seed,
        langs=list(plan.langs),
        layers=list(plan.layers),
        masks=asked["masks"],
        plain=plain_rows(found),
        ratios=ratio_rows(found),
        means=mean_rows(found),
        contrasts=contrast_rows(found),
        speech=_speech(found, Vocabularies(fits, loaded)),
        broken=broken_rows(tables),
        facts=facts,
        ci=ci,
        code=code(),
        packages=packages(),
    )


def _speech(found: Sequence[Measured], words: Vocabularies) -> list[Speech]:
    rows = []
    for one in found:
        for k, key in enumerate(one.keys):
            if key.condition == PLAIN and key.other:
                own = words.own(one.lang, key.other)
                text, other = own.shares(words.test(one.lang)), own.shares(words.test(key.other))
                rows.append(Speech(
                    lang=one.lang, other=key.other, plain_own=one.share(k, 0), plain_other=one.share(k, 1),
                    text_own=text[0], text_other=text[1], other_text_own=other[0], other_text_other=other[1],
                ))  # fmt: skip
    return rows


def flat(record: Ratios) -> list[dict]:
    """The ratios as rows of a table."""
    rows = []
    for one in record.ratios:
        row = one.model_dump()
        for name in ("ratio", "accuracy", "gained"):
            values = row.pop(name) or dict.fromkeys(("value", "low", "high"))
            row |= {name: values["value"], f"{name}_low": values["low"], f"{name}_high": values["high"]}
        rows.append(row)
    return rows
