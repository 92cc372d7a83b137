"""Whether the parts of a record agree with each other, and hold what stands in such parts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from leaderboard import signed
from leaderboard.converters.table import CONVERTERS
from leaderboard.submission import OURS, Submission, Told, part
from leaderboard.text import shown
from probe import uncertainty
from probe.results import Result

_SHA256, _REVISION = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{7,64}")
_VERSION, _DEVICE = re.compile(r"[\w.+!-]{1,64}"), re.compile(r"[a-z]{1,16}(:\d{1,4})?")
_MOST = 2**53  # counts beyond it are no longer whole numbers in JavaScript
#: The keys of a record's parts whose keys the schema leaves open.
_KEYS = {
    "model": {"spec", "id", "family", "revision", "quantization", "dtype", "sha256", "device"},
    "data": {"spec", "sha256", "n"},
    "code": {"version", "commit", "dirty"},
    "seeds": {"bootstrap"},
    "baselines": {"chance", "majority"},
}
_KINDS = {
    ("model", "dtype"): {"float32", "float16", "bfloat16"},
    ("model", "family"): {"masked", "causal", "seq2seq"},
    ("code", "dirty"): {True, False, None},
}


def faults(submission: Submission) -> Iterator[str]:
    """What contradicts what, a line each."""
    yield from _counts(submission)
    yield from _about(submission)
    if isinstance(submission.result, Told):
        yield from _told(submission)
        return
    yield from _languages(submission.result)
    if submission.origin != OURS:
        yield from _told(submission)
        return
    if submission.unverified != (["roots"] if submission.roots else []):
        yield "unverified: is for what cannot be derived again, and that is roots alone"
    yield from _keys(submission.result)
    yield from signed.faults(submission.result)


def _counts(submission: Submission) -> Iterator[str]:
    """How many facts were asked, three times over: complete is complete everywhere."""
    result = submission.result
    if isinstance(result, Told):
        return
    asked = result.n_scored + sum(result.n_unscored.values())
    for name, n in (("n", submission.n), ("data.n", result.data.get("n"))):
        if n != asked:
            yield f"{name}: is {shown(n)}, and {asked:,} facts are scored or have a reason why not"
    if submission.answers and submission.answers.rows != result.n_scored:
        yield f"answers.rows: is {submission.answers.rows:,}, and {result.n_scored:,} are scored"
    if max([asked, result.n_bad_rows, *(language.n_unknown_golds for language in result.languages)]) > _MOST:
        yield "a count is larger than can be counted"
    yield from _parts(result)


def _parts(result: Result) -> Iterator[str]:
    """The counts of languages, which add up to those of the whole."""
    parts = Counter()
    for language in result.languages:
        parts.update(language.n_unscored)
        if language.n_unknown_golds > (language.all.n if language.all else 0):
            yield f"languages.{shown(language.lang)}.n_unknown_golds: is more than what is scored"
    if dict(parts) != result.n_unscored:
        yield f"n_unscored: is {_summed(result.n_unscored)}, and its languages have {_summed(parts)}"
    scored = sum(language.all.n for language in result.languages if language.all)
    if scored != result.n_scored:
        yield f"n_scored: is {result.n_scored:,}, and its languages have {scored:,}"


def _summed(counts) -> str:
    return f"{sum(counts.values()):,} for {len(counts)} reasons"


def _about(submission: Submission) -> Iterator[str]:
    """What stands beside the result."""
    if submission.started is not None:
        try:
            datetime.fromisoformat(submission.started)
        except ValueError:
            yield f"started: {shown(submission.started)} is no time, as 2026-01-31T12:00:00+00:00"
    base = submission.model.partition("+")[0]
    if submission.variant and (submission.variant.base != base or "+" not in submission.model):
        yield f"variant.base: is {shown(submission.variant.base)}, and the model is {shown(submission.model)}"
    known = {language.lang for language in submission.result.languages} | {""}
    for lang, shares in (submission.roots or {}).items():
        if lang not in known:
            yield f"roots.{shown(lang)}: the result has no such language"
        if (total := sum(share for root, share in shares.items() if root != "cue")) > 1 + 1e-9:
            yield f"roots.{shown(lang)}: its shares add up to {total:.3f}"


def _languages(result: Result) -> Iterator[str]:
    names = [language.lang for language in result.languages]
    for name, count in Counter(names).items():
        if count > 1:
            yield f"languages: {shown(name)} stands there {count} times"
    float32 = result.float32
    if float32 and (float32.items > result.n_scored or float32.answers_differ > float32.items):
        yield "float32: counts more items than there are"
    if float32 and float32.ranks_differ is not None and float32.ranks_differ > float32.items:
        yield "float32: counts more ranks than there are items"


def _told(submission: Submission) -> Iterator[str]:
    """Of another tool: it says which, what it cannot show, and its signature begins with that."""
    if submission.origin not in CONVERTERS:
        yield f"origin: {shown(submission.origin)} is none of {', '.join([OURS, *CONVERTERS])}"
    if submission.origin == OURS:
        yield "result.metric: a result of factroots is P@1, with its answers"
    elif not submission.unverified:
        yield f"unverified: says nothing, and a result of {shown(submission.origin)} has things that cannot be checked"
    signature = submission.result.signature
    if not signature.startswith(f"origin:{submission.origin}|"):
        yield f"signature: does not begin with origin:{shown(submission.origin)}|"
    if part(signature, "model") != submission.result.model.get("spec"):
        yield "signature: its model is not the result's"
    if part(signature, "protocol") not in (None, submission.result.protocol):
        yield "signature: its protocol is not the result's"


def _keys(result: Result) -> Iterator[str]:
    """Parts whose keys the schema leaves open, and the kinds of values that stand there."""
    for name, keys in _KEYS.items():
        held = getattr(result, name).keys()
        yield from (f"{name}.{shown(key)}: is a key that no submission has" for key in held - keys)
        yield from (f"{name}.{key}: is missing" for key in keys - held)
    model, code = result.model, result.code
    checks = [
        ("model.sha256", model.get("sha256"), _SHA256, False),
        ("model.revision", model.get("revision"), _REVISION, True),
        ("model.device", model.get("device"), _DEVICE, False),
        ("data.sha256", result.data.get("sha256"), _SHA256, False),
        ("code.version", code.get("version"), _VERSION, False),
        ("code.commit", code.get("commit"), _REVISION, True),
        *((f"packages.{shown(name)}", version, _VERSION, False) for name, version in result.packages.items()),
    ]
    for where, value, pattern, may_lack in checks:
        if not (value is None and may_lack) and not (isinstance(value, str) and pattern.fullmatch(value)):
            yield f"{where}: {shown(value)} is not what stands there"
    for (where, name), known in _KINDS.items():
        if (held := getattr(result, where).get(name)) not in known:
            yield f"{where}.{name}: {shown(held)} is none of {', '.join(sorted(map(str, known)))}"
    for name in ("spec", "id"):
        if not isinstance(model.get(name), str):
            yield f"model.{name}: {shown(model.get(name))} is no text"
    if result.seeds.get("bootstrap") != uncertainty.SEED:
        yield f"seeds.bootstrap: is not {uncertainty.SEED}"
    if model.get("dtype") == "float32" and result.float32 is not None:
        yield "float32: is said of a result in float32"
