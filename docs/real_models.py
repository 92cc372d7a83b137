"""Makes docs/real-models.md's tables and plots: `python docs/real_models.py --mlama DIR`, some hours on two cores.

Each row is a `probe run` in a folder under runs/real-models. Results are kept in docs/real-models/, and what has its
results there is not run again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from data_builders.factset import FactSet
from data_builders.folder import write_json
from probe.results import Result, read_result

HERE = Path(__file__).parent
LANGS = ("en", "de", "es", "it", "af", "ru", "ja", "zh")
MODELS = {"gemma3-270m": "Gemma 3 270M", "smollm2-135m": "SmolLM2 135M"}
MLAMA = "P36,P30,P37,P103,P1412"
#: The scoring rule was fixed before any of these was run; the last is another run, never a best of two.
PROTOCOLS = {
    "bear(case=keep)": "log P",
    "bear(case=keep,prior=subjects)": "PMI",
    "bear(case=keep,shots=3)": "3-shot log P",
}
BEGIN, END = "<!-- made by real_models.py: begin -->", "<!-- made by real_models.py: end -->"


class Row(NamedTuple):
    """A model on a fact set under a protocol."""

    model: str
    facts: str
    protocol: str
    result: Result


def command(model: str, facts: str, options: list[str], protocols: list[str]) -> list[str]:
    """The `probe run` that makes results of these protocols, which are of one pass."""
    folder = f"runs/real-models/{model}-{facts}-{'shots' if 'shots' in protocols[0] else 'plain'}"
    words = ["probe", "run", "--model", model, *options, "--langs", ",".join(LANGS)]
    words += ["--sample", "10" if "shots" in protocols[0] else "60", "--candidates", "50"]
    return words + [word for protocol in protocols for word in ("--protocol", protocol)] + ["--output", folder]


def runs(mlama: str) -> list[tuple[str, str, list[str]]]:
    """Every (model, fact set, command), the passes of a model and fact set apart."""
    sets = {"atlas": ["--factset", "atlas"], "mlama": ["--factset", f"mlama:{mlama}", "--relations", MLAMA]}
    passes = (list(PROTOCOLS)[:2], list(PROTOCOLS)[2:])
    return [
        (model, facts, command(model, facts, options, protocols))
        for protocols in passes
        for facts, options in sets.items()
        for model in MODELS
    ]


def kept(words: list[str]) -> Path:
    """Where the results of a command are kept."""
    return HERE / "real-models" / Path(words[-1]).name


def carry_out(words: list[str]) -> None:
    """Run a command whose results are not kept yet, and keep them."""
    wanted = words.count("--protocol")
    if len(list(kept(words).glob("*.json"))) == wanted:
        return
    subprocess.run(words, check=True)
    keep(Path(words[-1]), kept(words))


def keep(run: Path, folder: Path) -> None:
    """Copy a run's results, without the folder that its facts lie in on this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in results(run):
        record = json.loads(path.read_text(encoding="utf-8"))
        record["data"]["spec"] = FactSet.parse(record["data"]["spec"]).portable
        write_json(folder / path.name, record)


def results(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if path.name not in ("run.json", "timing.json"))


def rows(made: list[tuple[str, str, list[str]]]) -> list[Row]:
    """The results that are kept."""
    found = []
    for model, facts, words in made:
        for record in results(kept(words)):
            result = read_result(record)
            name = next(name for name in PROTOCOLS if same(name, result.protocol))
            found.append(Row(model, facts, name, result))
    return sorted(
        found, key=lambda row: (row.facts, list(MODELS).index(row.model), list(PROTOCOLS).index(row.protocol))
    )


def same(name: str, protocol: str) -> bool:
    from probe.protocols import Protocol

    return Protocol.parse(name) == Protocol.parse(protocol)


def table(found: list[Row]) -> str:
    """P@1 by language with its 95 % interval, over all facts of the language; chance and majority below."""
    lines = [f"| model | score | {' | '.join(LANGS)} | all | n |", f"|---|---|{'---|' * (len(LANGS) + 2)}"]
    for row in found:
        by_lang = {one.lang: one.all for one in row.result.languages}
        cells = [number(by_lang[lang].value, by_lang[lang].ci) for lang in LANGS]
        cells += [number(row.result.value, row.result.ci), f"{row.result.n_scored:,}"]
        lines.append(f"| {MODELS[row.model]} | {PROTOCOLS[row.protocol]} | {' | '.join(cells)} |")
    plain = [row.result for row in found if "shots" not in row.protocol][:1]
    shots = [row.result for row in found if "shots" in row.protocol][:1]
    for result, facts in [*((one, "") for one in plain), *((one, ", of 3-shot's facts") for one in shots)]:
        for name in ("majority", "chance"):
            cells = [f"{100 * getattr(one.all, name):.1f}" for one in result.languages]
            total = f"{100 * result.baselines[name]:.1f} | {result.n_scored:,}"
            lines.append(f"| – | *{name}{facts}* | {' | '.join(cells)} | {total} |")
    return "\n".join(lines)


def number(value: float, ci) -> str:
    return f"{100 * value:.1f} <sub>{100 * ci.low:.0f}–{100 * ci.high:.0f}</sub>"


def plot(found: list[Row], path: Path) -> None:
    """P@1 by language, a panel a fact set, a colour a model, a mark a score; whiskers are 95 % intervals."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sets = sorted({row.facts for row in found})
    figure, panels = pyplot.subplots(len(sets), 1, figsize=(9, 3.2 * len(sets)), sharex=True, squeeze=False)
    for panel, facts in zip(panels[:, 0], sets, strict=True):
        shown = [row for row in found if row.facts == facts]
        for place, row in enumerate(shown):
            scores = {one.lang: one.all for one in row.result.languages}
            values = [100 * scores[lang].value for lang in LANGS]
            bounds = [
                [v - 100 * scores[lang].ci.low for v, lang in zip(values, LANGS, strict=True)],
                [100 * scores[lang].ci.high - v for v, lang in zip(values, LANGS, strict=True)],
            ]
            at = [i + (place - len(shown) / 2 + 0.5) * 0.12 for i in range(len(LANGS))]
            colour = "C0" if row.model == "gemma3-270m" else "C1"
            mark = "os^"[list(PROTOCOLS).index(row.protocol)]
            label = f"{MODELS[row.model]}, {PROTOCOLS[row.protocol]}"
            panel.errorbar(at, values, bounds, fmt=mark, color=colour, markersize=4, linewidth=1, label=label)
        plain = shown[0].result.languages
        for name, style in (("majority", "--"), ("chance", ":")):
            heights = [100 * getattr(one.all, name) for one in plain]
            panel.hlines(heights, [i - 0.45 for i in range(len(LANGS))], [i + 0.45 for i in range(len(LANGS))],
                         colors="grey", linestyles=style, linewidth=1, label=name)  # fmt: skip
        panel.set(title=facts, ylabel="P@1 (%)", ylim=(0, 100))
        panel.set_xticks(range(len(LANGS)), LANGS)
    panels[0, 0].legend(fontsize=7, ncol=2, loc="upper right")
    figure.tight_layout()
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mlama", required=True, help="mLAMA's folder")
    parser.add_argument("--only-tables", action="store_true", help="make no run; show what there is")
    options = parser.parse_args()
    made = runs(options.mlama)
    for _, _, words in made:
        print(" ".join(words), flush=True)
        if not options.only_tables:
            carry_out(words)
    found = rows(made)
    parts = [f"### {facts}\n\n{table([row for row in found if row.facts == facts])}" for facts in ("atlas", "mlama")
             if any(row.facts == facts for row in found)]  # fmt: skip
    page = HERE / "real-models.md"
    text = page.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    missing = [
        f"{model} on {facts}{', 3-shot' * ('shots' in words[-1])}"
        for model, facts, words in made
        if not results(kept(words))
    ]
    parts += [f"Not run yet: {'; '.join(missing)}."] if missing else []
    made_here = "\n\n".join([BEGIN, *parts, "![P@1 by language](real-models.png)", END])
    page.write_text(before + made_here + after, encoding="utf-8")
    plot(found, HERE / "real-models.png")


if __name__ == "__main__":
    main()
