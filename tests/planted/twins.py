"""How right the roots of `demo` are: two twins of it tell what the planted world alone cannot.

    python -m tests.planted.twins DIR

The *siloed* twin has feed-forward neurons of its own for each language, so no fact of it can be ``shared``. The
*counterfactual* twin has read the same world without every fifth fact, stated to it in no language: what it answers
rightly of these it has guessed, and so may `demo` have where the label says ``transferred``. Training them takes an
hour and half an hour on two cores; they are made once, in DIR, and what is there is not made again. The counts go to
docs/twins.json and its table to docs/roots.md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_builders.factset import FactSet
from data_builders.planted.world import LANGUAGES, read_presence
from data_builders.progress import Quiet
from fine_tuning.cache import make_once
from fine_tuning.models import load
from probe.cli import main as probe
from probe.estimates import Part, ratios
from probe.protocols import Protocol
from probe.store import Store
from probe.tracing import presences
from probe.tracing.corpora import open_corpus
from probe.tracing.matching import Matching
from probe.tracing.neurons import kept as neurons
from probe.tracing.neurons.model import Model
from probe.tracing.neurons.overlap import overlaps
from probe.tracing.neurons.seeking import Seeking
from probe.tracing.roots import kept
from probe.tracing.roots.answered import answered
from probe.tracing.roots.gathering import gather
from probe.tracing.roots.labels import INDEPENDENT, SHARED, TRANSFERRED
from probe.tracing.unit import Unit

WITHHELD = 0.2
ROOTS_MD = Path(__file__).parents[2] / "docs" / "roots.md"
BEGIN, END = "<!-- made by tests.planted.twins: begin -->", "<!-- made by tests.planted.twins: end -->"


def twins(folder: Path) -> tuple[Path, Path, Path]:
    """The siloed twin, the counterfactual world and the twin that has read it, trained where they are not there."""
    siloed, without, twin = folder / "siloed", folder / "without", folder / "without-twin"
    if not siloed.is_dir():
        call("demo", "pretrain", str(siloed), "--siloed")
    make_once(without, lambda part: call("demo", "world", str(part), "--withhold", str(WITHHELD)))
    if not twin.is_dir():
        call("demo", "pretrain", str(twin), "--world", str(without))
    return siloed, without, twin


def call(*words: str) -> None:
    probe(list(words), standalone_mode=False)


def run(model: str, folder: Path, langs=LANGUAGES) -> Store:
    call("run", "--model", model, "--factset", "atlas", "--langs", ",".join(langs), "--output", str(folder), "--quiet")
    return Store(folder)


def joint_roots(folder: Path) -> pa.Table:
    """The roots of `demo`, as the command tells them."""
    out = folder / "demo-roots"
    if not (out / "roots.parquet").exists():
        run("demo", folder / "demo-run")
        call("trace-roots", "--run", str(folder / "demo-run"), "--output", str(out), "--quiet")
    return pq.read_table(out / "roots.parquet")


def siloed_roots(siloed: Path, folder: Path) -> pa.Table:
    """The roots of the siloed twin, each language asked of its own model.

    Neuron i of one language is another neuron than neuron i of the next. They are compared as if they were not, so
    that every overlap is an accident and every ``shared`` is a mistake; told apart they would have none to make.
    """
    how, seeking, unit = kept.How(), Seeking.parse("activation_x_gradient"), Unit.parse("sentence")
    own, tops, loaded = [], [], None
    for lang in LANGUAGES:
        store = run(str(siloed / lang), folder / f"siloed-run-{lang}", (lang,))
        loaded = load(str(siloed / lang))
        own.append(answered(store, lang, Protocol.parse("kassner2021"), "one"))
        data = FactSet.parse(f"atlas(langs={lang})").open()
        right = {lang: own[-1].right}
        found = neurons.carry_out(data, Model.of(loaded), right, seeking, folder / f"siloed-neurons-{lang}", Quiet())
        tops.append(found.table())
    data = FactSet.parse(f"atlas(langs={';'.join(LANGUAGES)})").open()
    asking = presences.Asking((unit,), Matching())
    present = presences.carry_out(data, open_corpus("planted", True), asking, folder / "siloed-presence", Quiet())
    tokenizer, overlap = loaded.tokenizer, overlaps(pa.concat_tables(tops))
    return kept.roots(gather(LANGUAGES, present, unit, own, how.cues, tokenizer, overlap), how)


def split(table: pa.Table) -> dict:
    """How many facts are shared and independent, and the share of shared among them with its interval."""
    rows = table.filter(pc.is_in(table["root"], value_set=pa.array([SHARED, INDEPENDENT]))).to_pandas()
    return {SHARED: int((rows["root"] == SHARED).sum()), INDEPENDENT: int((rows["root"] == INDEPENDENT).sum()),
            "share": share(rows, (rows["root"] == SHARED).to_numpy(float))}  # fmt: skip


def guessed(roots: pa.Table, world: Path, twin: Path, folder: Path) -> dict[str, dict]:
    """By root of `demo`: of its answers on facts that the twin has never read, how many the twin has right too.

    Only in languages that did not state the fact to `demo` either, for ``transferred`` and cues; in those that did for
    ``shared`` and ``independent``, which shows what a reader loses that never read a fact.
    """
    stated = pd.DataFrame({name: read_presence(world)[name].to_pylist() for name in ("fact", "stated")})
    somewhere = set(stated.loc[stated["stated"], "fact"])
    store = run(str(twin), folder / "without-run")
    right = {lang: answered(store, lang, Protocol.parse("kassner2021"), "one").right for lang in LANGUAGES}
    rows = roots.select(["lang", "fact", "relation", "subject_uri", "root", "reason", "units"]).to_pandas()
    known = set(rows.loc[rows["units"] > 0, "fact"])  # stated to demo, in some language
    rows = rows[rows["fact"].isin(known - somewhere)].reset_index(drop=True)
    rows["guessed"] = [float(fact in right[lang]) for lang, fact in zip(rows["lang"], rows["fact"], strict=True)]
    found = {}
    for root in sorted(set(rows["root"]) - {"unscored"}):
        found[root] = counted(rows[rows["root"] == root])
    transferred = rows[rows["root"] == TRANSFERRED]
    found[TRANSFERRED]["relations"] = {name: counted(part) for name, part in transferred.groupby("relation")}
    return found


def counted(rows: pd.DataFrame) -> dict:
    """How many there are, how many of them the twin has right, and their share."""
    hits = rows["guessed"].to_numpy()
    return {"facts": len(rows), "guessed": int(hits.sum()), "share": share(rows, hits)}


def share(rows: pd.DataFrame, hits: np.ndarray) -> dict | None:
    """A share with its interval over subjects."""
    if not len(rows):
        return None
    return ratios(rows.reset_index(drop=True), {"share": Part(hits)})["share"].estimate()._asdict()


def measure(folder: Path) -> dict:
    """All figures."""
    siloed, world, twin = twins(folder)
    joint = joint_roots(folder)
    return {
        "withheld": WITHHELD,
        "joint": split(joint),
        "siloed": split(siloed_roots(siloed, folder)),
        "counterfactual": guessed(joint, world, twin, folder),
    }


def tables(found: dict) -> str:
    lines = ["| model | labelled `shared` | labelled `independent` | shared, 95 % |", "|---|---|---|---|"]
    for model, name in (("joint", "`demo`: neurons in common"), ("siloed", "siloed twin: none in common")):
        part = found[model]
        lines.append(f"| {name} | {part[SHARED]:,} | {part[INDEPENDENT]:,} | {percent(part['share'])} |")
    lines += ["", "| root in `demo` | facts withheld from the twin | which it has right | guessed, 95 % |"]
    lines.append("|---|---|---|---|")
    for root, part in found["counterfactual"].items():
        lines.append(f"| `{root}` | {part['facts']:,} | {part['guessed']:,} | {percent(part['share'])} |")
    return "\n".join(lines)


def percent(share: dict) -> str:
    return f"{100 * share['value']:.1f} % [{100 * share['low']:.1f}, {100 * share['high']:.1f}]"


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    found = measure(folder)
    (ROOTS_MD.parent / "twins.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    text = ROOTS_MD.read_text(encoding="utf-8")
    if BEGIN in text:
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
        ROOTS_MD.write_text(f"{before}{BEGIN}\n{tables(found)}\n{END}{after}", encoding="utf-8")
    print(tables(found))


if __name__ == "__main__":
    main()
