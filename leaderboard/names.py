"""Names of folders and files that every file system can hold and tells apart, whatever a submission calls itself."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath

from data_builders.factset import FactSet
from leaderboard.submission import OURS, Submission

_LONGEST = 48
#: Names that Windows keeps for devices, with any extension.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
#: What an altered name ends with: a plain one must not look like it.
_HASHED = re.compile(r"-[0-9a-f]{8}$")


def safe(text: str, also: str = "") -> str:
    """`text` in small letters, digits and ``._-``; where that alters it, or `also` decides too, with a short hash.

    Two texts that differ have names that differ also where case does not count.
    """
    slug = re.sub(r"[^a-z0-9._-]+", "-", text.lower())[:_LONGEST].strip("._-") or "x"
    if _DEVICES.match(slug):
        slug = f"x-{slug}"
    if slug == text and not also and not _HASHED.search(text):
        return text
    return f"{slug}-{hashlib.sha256(f'{text}|{also}'.encode()).hexdigest()[:8]}"


def place(submission: Submission) -> PurePosixPath:
    """``<model>/<revision>/<factset>/<protocol>``: where a board keeps a submission, without an extension.

    It follows from the record alone. Weights, number format, the facts' own hash and the origin decide too.
    """
    result = submission.result
    model, data = result.model, result.data
    also = "" if submission.origin == OURS else submission.origin
    revision = str(model.get("revision") or "local")[:12]
    weights = [str(model[key])[:8] for key in ("sha256",) if model.get(key)]
    dtype = [] if model.get("dtype") in (None, "float32") else [str(model["dtype"])]
    facts = str(data.get("spec") or "?")
    if submission.origin == OURS:
        facts = FactSet.parse(facts).portable
    return PurePosixPath(
        safe(submission.model, also),
        "-".join([safe(revision), *map(safe, weights), *map(safe, dtype)]),
        safe(facts, str(data.get("sha256") or also)),
        safe(result.protocol, also),
    )
