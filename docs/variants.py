"""Makes docs/variants.md's tables on the planted world: `python docs/variants.py DIR`, about an hour on two cores.

Every line of it is a `probe` command, printed as it is run; what lies in DIR already is not made again.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

HERE = Path(__file__).parent
LANGS = "en,it,ja,af"
#: The steps of a method that has one phase; others divide them. Rates were set beforehand, once for methods that move
#: the model's own weights and once for those that add some, and not tuned.
STEPS, BATCH, OWN, ADDED = 600, 16, "1e-3", "5e-3"
#: Methods with their number of phases and their rate. Densities are such that all keep about 2 % of the weights.
METHODS = {
    "full": (1, OWN),
    "lt-sft(density=0.02)": (2, OWN),
    "diffpruning(density=0.02,finish-rate=0.001)": (2, OWN),
    "childtuning-d": (1, OWN),
    "childtuning-f": (1, OWN),
    "houlsby": (1, ADDED),
    "pfeiffer": (1, ADDED),
    "lora": (1, ADDED),
    "ia3": (1, ADDED),
}
BEGIN, END = "<!-- made by variants.py: begin -->", "<!-- made by variants.py: end -->"


def run(*words: str, made: Path | None = None) -> None:
    """Carry out a `probe` command, unless what it makes is there."""
    if made is not None and made.exists():
        return
    print("probe " + shlex.join(words), flush=True)
    subprocess.run(["probe", *words], check=True, stdout=sys.stderr)


def tune(method: str, model: str, output: Path, *data: str) -> str:
    """Train by `method` on `data` at the common budget; the variant's folder."""
    phases, rate = METHODS.get(method, (1, ADDED))
    run("tune", method, "--model", model, *data, "--steps", str(STEPS // phases), "--batch", str(BATCH),
        "--rate", rate, "--output", str(output), "--quiet", made=output)  # fmt: skip
    return str(output)


def compare(base: str, variants: list[str], output: Path, *facts: str) -> dict:
    """The record of a comparison."""
    run("compare-variants", "--base", base, "--variants", ",".join(variants), "--langs", LANGS, *facts,
        "--output", str(output), "--quiet", made=output / "comparison.json")  # fmt: skip
    return json.loads((output / "comparison.json").read_text(encoding="utf-8"))


def low_resource(at: Path) -> dict:
    """(a) More text in Afrikaans: another planted world, which states other facts of the same atlas there."""
    run("demo", "world", str(at / "more"), "--seed", "7", made=at / "more")
    run("corpus", "build", f"world:{at / 'more'}", str(at / "more-corpus"), "--langs", "af", made=at / "more-corpus")
    text = ("--corpus", str(at / "more-corpus"), "--lang", "af", "--length", "64")
    methods = [*METHODS, "madx-lang"]
    made = [tune(method, "demo", at / "af" / folder(method), *text) for method in methods]
    return compare("demo", made, at / "compare-af", "--factset", "atlas", "--sample", "60")


def withheld(at: Path) -> tuple[str, str]:
    """A twin of `demo` that has never read every fifth fact, in no language, and those facts as a set of their own."""
    run("demo", "world", str(at / "without"), "--withhold", "0.2", made=at / "without")
    run("demo", "pretrain", str(at / "without-twin"), "--world", str(at / "without"), made=at / "without-twin")
    facts, whole = at / "withheld", at / "atlas"
    run("data", "export", "atlas", str(whole), "--format", "jsonl", "--langs", LANGS, made=whole)
    if not facts.exists():
        rows = pq.read_table(at / "without" / "presence.parquet", columns=["fact", "stated"]).to_pylist()
        stated = {row["fact"] for row in rows if row["stated"]}
        never = {row["fact"] for row in rows} - stated
        facts.mkdir()
        for path in sorted(whole.glob("*.jsonl")):
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = lines if path.name.startswith("templates") else [x for x in lines if json.loads(x)["fact"] in never]
            (facts / path.name).write_text("".join(kept), encoding="utf-8")
    return str(at / "without-twin"), f"facts:{facts}"


def taught(at: Path) -> dict:
    """(b) Half of the facts that the twin has never read, taught in English, asked in four languages."""
    twin, facts = withheld(at)
    data = ("--factset", facts, "--facts-langs", "en", "--train-share", "0.5")
    made = [tune(method, twin, at / "taught" / folder(method), *data) for method in METHODS]
    return compare(twin, made, at / "compare-taught", "--factset", facts)


def unlearned(at: Path) -> tuple[dict, dict]:
    """(c) Currencies unlearned: their task vector, negated as far as 95 % of the other relations' P@1 stay."""
    currency, gone = at / "currencies", at / "without-currencies"
    facts = ("--factset", "atlas", "--facts-langs", LANGS, "--relations", "P38", "--train-share", "1")
    tune("full", "demo", currency, *facts)
    langs = LANGS.replace(",", ";")
    run("tune", "arithmetic", f"demo - {currency}", "--search", "--output", str(gone),
        "--target", f"atlas(langs={langs},relations=P38)",
        "--control", f"atlas(langs={langs},relations=P36;P17;P30;P361,sample=40)", made=gone)  # fmt: skip
    record = compare("demo", [str(gone)], at / "compare-unlearned", "--factset", "atlas", "--sample", "60")
    return record, json.loads((gone / "variant.json").read_text(encoding="utf-8"))


def composed(at: Path) -> dict:
    """(d) A variant for Afrikaans and one that was taught facts in English, together."""
    twin, facts = withheld(at)
    run("corpus", "build", f"world:{at / 'without'}", str(at / "corpus"), "--langs", "en,af", made=at / "corpus")
    english, afrikaans = (("--corpus", str(at / "corpus"), "--lang", lang, "--length", "64") for lang in ("en", "af"))
    data = ("--factset", facts, "--facts-langs", "en", "--train-share", "0.5")
    where = at / "composed"
    adapters = [tune("madx-lang", twin, where / f"madx-{lang}", *text)
                for lang, text in (("en", english), ("af", afrikaans))]  # fmt: skip
    task = tune("madx-task", f"{twin}+{adapters[0]}", where / "madx-task", *data)
    sparse = tune("lt-sft(density=0.02)", twin, where / "sparse-af", *afrikaans)
    whole = tune("full", twin, where / "full-af", *afrikaans)
    learned, sft = at / "taught", str(at / "taught" / "lt-sft")
    together = [f"{adapters[0]}+{task}", f"{adapters[1]}+{task}", f"{sparse}+{sft}",
                f"{whole}+{learned / 'full'}"]  # fmt: skip
    alone = [sft, str(learned / "full")]
    return compare(twin, [*alone, *together], at / "compare-composed", "--factset", facts, "--taught", alone[1])


def folder(method: str) -> str:
    return method.partition("(")[0]


def rows_of(record: dict, lang: str | None, facts: str) -> dict[str, dict]:
    """By variant, its row over all relations."""
    return {row["variant"]: row for row in record["rows"]
            if row["relation"] is None and row["lang"] == lang and row["facts"] == facts}  # fmt: skip


def table(record: dict, kinds: tuple[str, ...]) -> str:
    """P@1 after and its difference by language and kind of facts; a star: its interval leaves out 0."""
    langs = record["langs"]
    heads = [f"{lang}, {kind}" if len(kinds) > 1 else lang for lang in langs for kind in kinds]
    lines = [f"| variant | {' | '.join(heads)} | kept numbers | s | MB |", f"|---|{'---|' * (len(heads) + 3)}"]
    columns = [
        rows_of(record, lang, kind) or rows_of(record, lang, f"{kind} elsewhere") for lang in langs for kind in kinds
    ]
    before = [cell(next(iter(column.values()), None), "before") for column in columns]
    lines.append(f"| *base* | {' | '.join(before)} | | | |")
    for one in record["variants"]:
        cost = one["cost"]
        found = [cell(column.get(one["name"]), "after") for column in columns]
        seconds = "–" if cost["seconds"] is None else f"{cost['seconds']:.0f}"
        lines.append(
            f"| {names(one)} | {' | '.join(found)} | {cost['stored']:,} | {seconds} | {cost['bytes'] / 1e6:.2f} |"
        )
    return "\n".join(lines)


def names(one: dict) -> str:
    return " + ".join(f"`{part['folder']}`" for part in one["parts"])


def cell(row: dict | None, when: str) -> str:
    if row is None:
        return "–"
    value = f"{100 * row[when]['value']:.1f}"
    if when == "before":
        return value
    star = "*" if row["difference"]["low"] > 0 or row["difference"]["high"] < 0 else ""
    return f"{value} ({100 * row['difference']['value']:+.1f}{star})"


def relations(record: dict) -> str:
    """Before and after by relation and language, of the one variant there is."""
    found = {(row["relation"], row["lang"]): row for row in record["rows"] if row["facts"] == "all"}
    names = sorted({name for name, _ in found if name})
    lines = [f"| relation | {' | '.join(record['langs'])} |", f"|---|{'---|' * len(record['langs'])}"]
    for name in names:
        cells = [f"{cell(found.get((name, lang)), 'before')} → {cell(found.get((name, lang)), 'after')}"
                 for lang in record["langs"]]  # fmt: skip
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def searched(search: dict) -> str:
    """Which λ was kept, and what it and the whole vector come to."""
    by_scale = {row["scale"]: row for row in search["rows"]}
    lines = ["| λ | P@1 of currencies | of the control |", "|---|---|---|"]
    for scale in (0.0, search["scale"], 1.0):
        row = by_scale[scale]
        kept = " (kept)" if scale == search["scale"] else ""
        lines.append(f"| {scale}{kept} | {100 * row['target']:.1f} | {100 * row['control']:.1f} |")
    return "\n".join(lines)


def transitions(record: dict, lang: str) -> str:
    lines = [f"| variant, in {lang} | kept | gained | lost | still wrong |", "|---|---|---|---|---|"]
    for row in rows_of(record, lang, "all").values():
        lines.append(f"| `{row['variant']}` | {row['kept']} | {row['gained']} | {row['lost']} | {row['wrong']} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    at = parser.parse_args().folder
    at.mkdir(parents=True, exist_ok=True)
    af, known, (gone, about), both = low_resource(at), taught(at), unlearned(at), composed(at)
    parts = [
        "### (a) Text in Afrikaans", table(af, ("all",)), transitions(af, "af"),
        "### (b) Facts taught in English", table(known, ("taught", "held out")),
        "### (c) Currencies unlearned", searched(about["data"]["search"]), relations(gone),
        "### (d) Together", table(both, ("taught", "held out")),
    ]  # fmt: skip
    page = HERE / "variants.md"
    text = page.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    page.write_text(before + "\n\n".join([BEGIN, *parts, END]) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
