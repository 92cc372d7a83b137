"""What docs/geometry.md shows of a model: tables of its kept figures, and its pictures."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

HERE = Path(__file__).parent
TITLES = {"demo": "demo, on the planted world", "splade-tiny": "An English masked LM", "gemma3-270m": "Gemma 3 270M"}
PICTURES = ("dimensions", "ratio", "tree", "axes-2d")


def section(model: str, found: dict) -> str:
    """A model's tables and pictures."""
    layers = sorted({one["layer"] for one in found["means"]})
    few = layers if len(layers) <= 5 else layers[:: len(layers) // 4]
    n = found["tokens"]
    parts = [
        f"### {TITLES[model]}",
        f"{len(found['langs'])} languages ({', '.join(found['langs'])}); fitted to {n:,} tokens each, "
        f"{n / found['width']:.0f} a dimension, and {n:,} more for the floor; {found['test']:,} to test. "
        f"{found['measure']} perplexity under a condition over that without, geometric mean over pairs:",
        _means(found["means"], few),
        _table(["one over the other", *(f"layer {layer}" for layer in few)],
               [[" / ".join(pair), *(_interval(found["contrasts"], {"condition": pair[0], "against": pair[1],
                "layer": layer}, "quotient") for layer in few)]
                for pair in dict.fromkeys((one["condition"], one["against"]) for one in found["contrasts"])]),
    ]  # fmt: skip
    if moved := (found.get("moved") or {}).get("means"):
        parts += [
            "With the states of special tokens (`<bos>`) moved too:",
            _means(moved, sorted({one["layer"] for one in moved})),
        ]
    if found["facts"]:
        parts += ["P@1 of facts under it minus P@1 without, points, mean over languages (and pairs):", _facts(found)]
    parts += [_riemann(found)] if found["riemann"] else []
    parts += [f"![{name}](geometry/{model}/{name}.png)" for name in PICTURES
              if (HERE / "geometry" / model / f"{name}.png").exists()]  # fmt: skip
    return "\n\n".join(parts)


def _means(means: list[dict], layers: list[int]) -> str:
    """Ratios by condition and layer."""
    return _table(["condition", *(f"layer {layer}" for layer in layers)],
                  [[name, *(_interval(means, {"condition": name, "layer": layer}, "geometric") for layer in layers)]
                   for name in dict.fromkeys(one["condition"] for one in means)])  # fmt: skip


def _facts(found: dict) -> str:
    rows = found["facts"]["rows"]
    layers = sorted({row["layer"] for row in rows})
    names = dict.fromkeys(row["condition"] for row in rows)

    def cell(name: str, layer: int) -> str:
        own = [row["difference"]["value"] for row in rows if (row["condition"], row["layer"]) == (name, layer)]
        return f"{100 * mean(own):+.1f} <sub>{100 * min(own):+.0f} to {100 * max(own):+.0f}</sub>" if own else "–"

    return _table(["condition", *(f"layer {one}" for one in layers)],
                  [[name, *(cell(name, layer) for layer in layers)] for name in names])  # fmt: skip


def _riemann(found: dict) -> str:
    """Distances with floors, and how many axes hold 90 % of the variance."""
    rows = [
        [str(one["layer"]), f"{one['value']:.2f}", f"{one['floor']:.2f}", f"{one['value'] / one['floor']:.1f}",
         _k(found["k_by_layer"][str(one["layer"])]), _angle(found, "language", one["layer"]),
         _angle(found, "position", one["layer"])]
        for one in found["riemann"]
    ]  # fmt: skip
    head = ["layer", "Riemannian distance", "floor", "times", f"axes for 90 %, of {found['width']}",
            "language axes to the middle layer's", "position axes"]  # fmt: skip
    return _table(head, rows)


def _k(values: list[int]) -> str:
    middle = values[len(values) // 2] if len(values) % 2 else mean(values[len(values) // 2 - 1 : len(values) // 2 + 1])
    return f"{middle:g} <sub>{values[0]}–{values[-1]}</sub>"


def _angle(found: dict, kind: str, layer: int) -> str:
    own = next((one for one in found["stable"].get(kind, []) if one["layer"] == layer), None)
    return "–" if own is None else f"{own['angle']:.0f}° <sub>chance {own['chance']:.0f}°</sub>"


def _interval(rows: list[dict], key: dict, name: str) -> str:
    one = next((row[name] for row in rows if all(row[k] == v for k, v in key.items())), None)
    return "–" if one is None else f"{one['value']:.3g} <sub>{one['low']:.3g}–{one['high']:.3g}</sub>"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])
