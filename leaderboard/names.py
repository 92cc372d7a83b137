"""Names of folders and files that every file system can hold and tells apart, whatever a submission calls itself."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath

from data_builders.factset import FactSet
from leaderboard.comparable import comparable
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

    It follows from the record alone. Weights, number format, the facts' own hash and the class of what another tool
    tells decide too.
    """
    result = submission.result
    model, data = result.model, result.data
    ours = submission.origin == OURS
    revision = [str(model.get("revision") or "local")[:12], str(model.get("sha256") or "")[:8]]
    if model.get("dtype") not in (None, "float32"):
        revision.append(str(model["dtype"]))
    return PurePosixPath(
        safe(submission.model, "" if ours else submission.origin),
        "-".join(safe(part) for part in revision if part),
        safe(factset(submission), str(data["sha256"]) if ours else comparable(submission)),
        safe(result.protocol, "" if ours else submission.origin),
    )


def factset(submission: Submission) -> str:
    """The facts that were asked, without folders of whoever asked them."""
    spec = str(submission.result.data.get("spec") or "?")
    return FactSet.parse(spec).portable if submission.origin == OURS else spec
