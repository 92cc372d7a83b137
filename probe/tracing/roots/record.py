"""The record of a tracing: everything that is printed, drawn or put on a page, as one JSON value."""

from __future__ import annotations

from probe import uncertainty
from probe.portrait import record as plain
from probe.provenance import code, packages
from probe.tracing.neurons import overlap
from probe.tracing.precision import precision
from probe.tracing.roots import summary
from probe.tracing.roots.run import Traced, Tracing

SCHEMA_VERSION = 1
_INTERVALS = {
    "level": uncertainty.LEVEL,
    "resamples": uncertainty.RESAMPLES,
    "seed": uncertainty.SEED,
    "unit": "subject",
}


def record(tracing: Tracing, about: dict, traced: Traced, sensitive: bool) -> dict:
    """What a tracing comes to; intervals are of a bootstrap over subjects."""
    gathered, threshold = traced.gathered, tracing.how.threshold
    langs = gathered.langs
    p1 = _p1(traced.table, langs)
    sizes = {lang: tracing.corpus.about["languages"][lang]["lead"] for lang in langs}
    pairs = [] if traced.overlaps is None else overlap.pairs(traced.overlaps)
    return {
        "schema_version": SCHEMA_VERSION,
        "signature": signature(about),
        "made_of": about,
        "not_in_corpus": [lang for lang in about["run"]["data"]["langs"] if lang not in tracing.corpus.langs],
        "totals": plain(summary.totals(traced.table, langs)),
        "answers": [
            {"lang": lang, "right": len(own.right), "wrong": len(own.wrong), "unscored": dict(own.unscored)}
            for lang, own in zip(langs, gathered.answers, strict=True)
        ],
        "presence": [
            {"lang": lang, **precision(table, shuffled, threshold)._asdict()}
            for lang, table, shuffled in zip(langs, gathered.tables, gathered.shuffled, strict=True)
        ],
        "absence": plain(summary.absences(traced.table, langs, threshold)),
        "neurons": plain(pairs),
        "without_neurons": traced.unasked,
        "silenced": plain(traced.silenced),
        "p1": p1,
        "abstract_bytes": sizes,
        "correlation": summary.correlation(p1, sizes)._asdict(),
        "sensitivity": plain(summary.sensitivity(gathered, tracing.how)) if sensitive else None,
        "ci": _INTERVALS,
        "code": code(),
        "packages": packages(),
    }


def _p1(table, langs) -> dict[str, float]:
    """The share of right answers among those that there are, by language."""
    rows = table.select(["lang", "root"]).to_pandas()
    rows = rows[~rows["root"].isin(["", "unscored"])]
    found = (rows["root"] != "wrong").groupby(rows["lang"]).mean()
    return {lang: float(found[lang]) for lang in langs if lang in found}


def signature(about: dict) -> str:
    """``key:value`` pairs that say what decided the roots, hashes by their first eight digits."""
    run, presence = about["run"], about["presence"]
    parts = {
        "facts": presence["facts"],
        "data": presence["data"]["sha256"][:8],
        "model": run["model"]["name"],
        "weights": run["model"]["sha256"][:8],
        "protocol": about["protocol"],
        "scoring": run["scoring"],
        "gold": about["gold"],
        "corpus": ";".join(f"{lang}={sha[:8]}" for lang, sha in presence["corpus"].items()),
        "unit": ";".join(presence["units"]),
        "names": presence["names"],
        "tokenizer": presence["tokenizer"] and presence["tokenizer"][:8],
        "shuffled": f"seed={presence['seed']}",
        "neurons": about["neurons"],
        "how": about["how"].replace("|", ","),
        "version": presence["version"],
    }
    return "|".join(f"{key}:{value}" for key, value in parts.items() if value is not None)
