"""A result folder of LM-PUB-QUIZ: ``metadata_results.json`` and ``<relation>_results.jsonl``, with every score.

Its answers are judged anew from the scores that it kept, so all of the record can be derived again from them; what the
tool does not keep (hashes, numbers of tokens) is said to be unverified.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_builders.errors import FactrootsError
from leaderboard import answers
from leaderboard.converters.reading import plain, read_object, signed
from leaderboard.files import ARCHIVE, open_plain, sha256_of
from leaderboard.strict_json import parse
from leaderboard.submission import Answers, Submission
from leaderboard.text import shown
from probe import metrics, uncertainty
from probe.judging import COLUMNS
from probe.protocols import PLL, Protocol
from probe.results import Result
from probe.scores import summed, with_majority

ORIGIN = "lm-pub-quiz"
#: Data sets whose language is known; of others it is not.
LANGUAGES = {"BEAR": "en", "BEAR-big": "en", "BEAR_small": "en"}
_UNVERIFIED = (
    "weights and their hash",
    "number format",
    "number of tokens of objects (one-token scores are left out)",
    "facts (their hash is of what was scored)",
    "command",
)


def read(path: Path, into: Path) -> Iterator[tuple[Submission, Path]]:
    """The folder's one submission, of all relations in it."""
    path = Path(path)
    about = read_object(path / "metadata_results.json")
    if not about or not all(isinstance(one, dict) for one in about.values()):
        raise FactrootsError(f"{path}: metadata_results.json names no relation")
    known = {name: _same(about, name) for name in ("model_name_or_path", "dataset_name", "pll_metric", "reduction")}
    protocol = _protocol(known, path)
    lang = LANGUAGES.get(str(known["dataset_name"]), "und")
    parts = [_judged(path, relation, one, lang, protocol) for relation, one in sorted(about.items())]
    frame = with_majority(pd.concat(parts, ignore_index=True)[COLUMNS].astype({"lang": "category"}))
    file = into / "answers.parquet"
    rows = answers.write({lang: answers.Kept(frame, {}, 0)}, file)
    hashed = [one for _, one in answers.by_language(answers.read(file), [lang])]
    numbers = summed({lang: answers.Kept(with_majority(hashed[0]), {}, 0)}, protocol)
    result = _result(known, about, numbers, protocol, _sha256(frame))
    unverified = [*_UNVERIFIED, "language"] if lang == "und" else list(_UNVERIFIED)
    made = Answers(sha256=sha256_of(file), rows=rows)
    yield Submission(result=result, n=rows, answers=made, origin=ORIGIN, unverified=unverified), file


def _same(about: dict[str, dict], name: str) -> Any:
    """What all relations say alike."""
    values = {json.dumps(one.get(name)) for one in about.values()}
    if len(values) > 1:
        raise FactrootsError(f"its relations have several {name}: {', '.join(sorted(map(shown, values)))}")
    return json.loads(values.pop())


def _protocol(known: dict[str, Any], path: Path) -> Protocol:
    """Our words for how the tool scores; raw scores are summed, which is its own default."""
    metric, how = known["pll_metric"], known["reduction"] or "sum"
    if how not in ("sum", "mean") or metric not in (None, "sentence", *PLL):
        raise FactrootsError(
            f"{path}: scores by {shown(metric)}, {shown(how)}; only PLL metrics, summed or mean, are known"
        )
    scoring = "sentence" if metric in (None, "sentence", "within_word_l2r") else metric
    return Protocol.parse(f"bear(scoring={scoring},combine={how})")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with open_plain(path, ARCHIVE) as file:
        for count, line in enumerate(file, 1):
            value, faults = parse(line)
            if value is None or faults:
                raise FactrootsError("\n".join(f"{path.name}:{count} {fault}" for fault in faults))
            yield value


def _judged(path: Path, relation: str, about: dict[str, Any], lang: str, protocol: Protocol) -> pd.DataFrame:
    """A relation's rows judged: ties share the first place, where the tool takes the first that is listed."""
    if not relation.isascii() or not relation.replace("-", "").replace("_", "").isalnum():
        raise FactrootsError(f"{shown(relation)} is no relation's name")
    file = path / f"{relation}_results.jsonl"
    rows = list(_lines(file))
    if not rows:
        raise FactrootsError(f"{file.name} has no row")
    ids = about.get("answer_space_ids")
    found = [_row(row, number, ids, f"{file.name}:{number + 1}") for number, row in enumerate(rows)]
    places = [row["answer_idx"] for row in rows]
    ranks = [metrics.rank(s[None], np.arange(len(s))[None] == gold, protocol.ties) for (_, s), gold in
             zip(found, places, strict=True)]  # fmt: skip
    judged = pd.DataFrame([row for row, _ in found])
    seen: Counter = Counter()
    for place, item in enumerate(judged["item"]):  # a fact that stands there twice in one template is two
        key = (item, judged["template"][place])
        seen[key] += 1
        if seen[key] > 1:
            judged.loc[place, "item"] = f"{item}|{seen[key]}"
    judged["item"] = f"{relation}|" + judged["item"]
    for name, value in (("p1", 1), ("p5", 5), ("p10", 10)):
        judged[name] = [float(metrics.precision_at(value, rank)[0]) for rank in ranks]
    judged["rr"] = [float(metrics.reciprocal_rank(rank)[0]) for rank in ranks]
    return judged.assign(lang=lang, relation=relation, pieces=0)


def _row(row: dict[str, Any], number: int, ids: Any, where: str) -> tuple[dict[str, Any], np.ndarray]:
    """A row's names and its candidates' scores; a token's scores each, where they were not reduced, are summed."""
    scores, gold = row.get("pll_scores"), row.get("answer_idx")
    try:
        values = np.array([sum(one) if isinstance(one, list) else one for one in scores], float)
    except (TypeError, ValueError) as error:
        raise FactrootsError(f"{where}: its pll_scores are no numbers; write the results anew") from error
    if not isinstance(gold, int) or not 0 <= gold < len(values) or not np.isfinite(values).all():
        raise FactrootsError(f"{where}: its answer_idx is none of its pll_scores, or one of these is no number")
    subject = str(row.get("sub_id") or row.get("sub_label") or number)
    answer = str(ids[gold]) if isinstance(ids, list) and gold < len(ids) else str(gold)
    template = row.get("template_index", 0)
    named = {"item": f"{subject}|{answer}", "template": template if isinstance(template, int) else 0}
    return named | {"subject_uri": subject, "chance": 1 / len(values), "golds": (gold,)}, values


def _sha256(frame: pd.DataFrame) -> str:
    """A hash of the questions: which items under which templates, how many candidates, and which is right."""
    names = ["relation", "item", "template", "chance", "golds"]
    lines = sorted("\0".join(map(str, row)) for row in frame[names].itertuples(index=False))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _result(known: dict, about: dict, numbers: dict[str, Any], protocol: Protocol, sha256: str) -> Result:
    spec, version = plain(known["model_name_or_path"]), next(iter(about.values())).get("lm_pub_quiz_version")
    signature = signed(
        ORIGIN,
        data=known["dataset_name"],
        data_hash=sha256[:16],
        metric=known["pll_metric"],
        reduction=known["reduction"],
        protocol=protocol,
        ties=protocol.ties,
        model=spec,
        version=version,
    )
    return Result(
        **numbers,
        signature=signature,
        n_bad_rows=0,
        float32=None,
        protocol=str(protocol),
        model={"spec": spec, "id": spec, "family": None, "revision": None, "dtype": None, "sha256": None},
        data={"spec": str(known["dataset_name"] or "?"), "sha256": sha256, "n": numbers["n_scored"]},
        code={"version": version and str(version)},
        packages={},
        seeds={"bootstrap": uncertainty.SEED},
    )
