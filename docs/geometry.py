"""Makes docs/geometry.md's tables and pictures: `python docs/geometry.py --ntrex DIR --work DIR`.

Some hours on two cores. Every line of it is a `probe` command, printed as it is run; what lies in the work folder
already is not made again. Records and pictures are kept in docs/geometry/, and tables are made of these alone.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from geometry_tables import HERE, PICTURES, section

#: NTREX-128's files by language, and demo's text.
NTREX = {"en": "eng-US", "de": "deu", "af": "afr", "es": "spa", "it": "ita", "fr": "fra", "ru": "rus",
         "tr": "tur", "ja": "jpn", "zh": "zho-CN"}  # fmt: skip


class Run(NamedTuple):
    """Options of a model's fit, ratios, distances and axes.

    moved : of ratios with special tokens' states moved too. facts : of ratios with facts; where these are None, `ratio`
    has what there is.
    """

    fit: list[str]
    ratio: list[str]
    distance: list[str]
    axes: list[str]
    moved: list[str] | None = None
    facts: list[str] | None = None


#: By model, as two cores have time for.
RUNS = {
    "demo": Run(
        ["--text", "planted", "--sequences", "256", "--test", "64"],
        ["--others", "en,ja,af", "--facts", "atlas", "--sample", "20"],
        ["--measure", "riemann,angles"],
        [],
    ),
    "splade-tiny": Run(
        ["--sequences", "128", "--test", "64", "--length", "128"],
        [],
        ["--measure", "riemann,angles"],
        [],
    ),
    "gemma3-270m": Run(
        ["--sequences", "128", "--test", "16", "--length", "128", "--no-specials"],
        ["--others", "en,ja", "--layers", "6,12,18",
         "--conditions", "own,other,other-own-mean,shift,random,pooled,again"],
        ["--measure", "riemann,angles", "--layers", "6,9,12,15,18"],
        ["--layers", "3,6,9,12,15,18"],
        ["--specials", "--others", "en,ja", "--layers", "12", "--conditions", "own,other,shift,random"],
        ["--langs", "en,it", "--others", "en,it", "--layers", "12", "--conditions", "own,other,shift,random",
         "--facts", "atlas", "--sample", "10", "--candidates", "50"],
    ),
}  # fmt: skip
PARTS = ("ratio", "distance", "axes")
BEGIN, END = "<!-- made by geometry.py: begin -->", "<!-- made by geometry.py: end -->"


def run(*words: str) -> None:
    """Carry out a `probe` command, which goes on where it stopped."""
    print("probe " + shlex.join(words), flush=True)
    subprocess.run(["probe", *words], check=True, stdout=sys.stderr)


def text(ntrex: Path, folder: Path) -> Path:
    """NTREX's sentences as <lang>.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    for lang, code in NTREX.items():
        if not (folder / f"{lang}.txt").exists():
            shutil.copyfile(ntrex / f"newstest2019-ref.{code}.txt", folder / f"{lang}.txt")
    return folder


def spec(model: str) -> str:
    """How `probe` is told of a model; the English one lies in a package."""
    if model != "splade-tiny":
        return model
    return str(Path(find_spec("cognition").submodule_search_locations[0]) / "model")


def make(model: str, work: Path, sentences: Path) -> None:
    """Everything of one model, kept in docs/geometry/<model>/."""
    options, fits, kept = RUNS[model], work / model, HERE / "geometry" / model
    source = [] if model == "demo" else ["--text", str(sentences), "--langs", ",".join(NTREX)]
    run("geometry", "fit", "--model", spec(model), *source, *options.fit, "--output", str(fits), "--quiet")
    for part in PARTS:
        run("geometry", part, "--fits", str(fits), *getattr(options, part), "--quiet")
    made = {part: next(fits.glob(f"{part}-*/{part}.json")) for part in PARTS}
    for name in ("moved", "facts"):
        if more := getattr(options, name):
            run("geometry", "ratio", "--fits", str(fits), *more, "--output", str(fits / name), "--quiet")
            made[name] = fits / name / "ratio.json"
    run("geometry", "plot", "--fits", str(fits))
    keep(fits, kept, made)


def keep(fits: Path, kept: Path, records: dict[str, Path]) -> None:
    """Copy pictures, and what the tables show of the records."""
    kept.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        if (fits / f"{name}.png").exists():
            shutil.copyfile(fits / f"{name}.png", kept / f"{name}.png")
    made = {part: json.loads(path.read_text(encoding="utf-8")) for part, path in records.items()}
    about = json.loads((fits / "fits.json").read_text(encoding="utf-8"))
    (kept / "figures.json").write_text(json.dumps(figures(about, made), indent=1) + "\n", encoding="utf-8")


def figures(about: dict, made: dict) -> dict:
    """What the tables show of a model's records."""
    ratio, distance, axes = (made[part] for part in PARTS)
    moved = made.get("moved")
    riemann = [
        {"layer": layer["layer"], **{key: mean(one[key] for one in pairs) for key in ("value", "floor")}}
        for layer in distance["layers"]
        if (pairs := [one for one in layer["pairs"] if one["measure"] == "riemann"])
    ]
    stable = {
        kind["kind"]: [{"layer": layer["layer"], **layer["stable"]} for layer in kind["layers"] if layer["stable"]]
        for kind in axes["kinds"]
    }
    return {
        "langs": list(about["languages"]),
        "tokens": about["number"] * about["length"],
        "test": about["test"] * about["length"],
        "width": about["width"],
        "measure": ratio["measure"],
        "signature": ratio["signature"],
        "k": sorted({one for layer in distance["layers"] for one in layer["k"].values()}),
        "k_by_layer": {layer["layer"]: sorted(layer["k"].values()) for layer in distance["layers"]},
        "means": ratio["means"],
        "contrasts": ratio["contrasts"],
        "riemann": riemann,
        "stable": stable,
        "facts": made.get("facts", ratio)["facts"],
        "moved": moved and {"signature": moved["signature"], "means": moved["means"]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ntrex", type=Path, help="the folder of newstest2019-ref.*.txt")
    parser.add_argument("--work", type=Path, default=Path("runs/geometry"), help="where fits are kept")
    parser.add_argument("--models", nargs="*", default=list(RUNS), choices=list(RUNS))
    parser.add_argument("--only-tables", action="store_true", help="run nothing; show what is kept")
    options = parser.parse_args()
    if not options.only_tables:
        if options.ntrex is None:
            parser.error("--ntrex DIR has the sentences; without it only --only-tables works")
        sentences = text(options.ntrex, options.work / "text")
        for model in options.models:
            make(model, options.work, sentences)
    sections = []
    for model in RUNS:
        if (kept := HERE / "geometry" / model / "figures.json").exists():
            sections.append(section(model, json.loads(kept.read_text(encoding="utf-8"))))
    page = HERE / "geometry.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    page.write_text("\n\n".join([before + BEGIN, *sections, END + rest.partition(END)[2]]), encoding="utf-8")


if __name__ == "__main__":
    main()
