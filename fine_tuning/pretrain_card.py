"""The demo model's card: how it was made and what it knows, in the languages where a fact was stated and where not."""

from __future__ import annotations

from importlib.metadata import version
from math import isnan
from typing import NamedTuple

from fine_tuning.pretrain_scoring import Answer, Rate, rate
from fine_tuning.pretrain_silos import WIDTH


class Making(NamedTuple):
    """What one pretraining run was: seed, steps, seconds, threads, the world's ``world.json`` and the parameters."""

    seed: int
    steps: int
    seconds: float
    threads: int
    world: dict
    shape: dict
    parameters: int
    siloed: bool = False


_SILOED = """
- Siloed: each language has {width} feed-forward neurons of its own in every layer, and its folder is a plain model with
  these alone. Embeddings, attention and norms are common. No neuron serves two languages."""

_CARD = """\
---
license: apache-2.0
language: [{languages}]
pipeline_tag: fill-mask
---
# demo: a small multilingual BERT that has read a planted world

It exists to try every command of factroots offline, with a known right answer: which fact was stated to it in which
language is written down. It has read nothing but generated sentences about capitals, continents, regions, languages,
currencies, cities and scripts. **It is no source of knowledge and no model of any language.**

## How it was made
```
probe demo pretrain DIR --seed {seed} --steps {steps}{siloed}
```
- World: `probe demo world DIR --seed {world_seed}`; {sentences:,} sentences in {n_languages} languages; SHA-256 of its
  presence matrix {digest}.
- Model: `BertForMaskedLM`, {shape},
  one WordPiece vocabulary of {vocabulary:,} pieces, {parameters:,} parameters.{silos}
- Training: seed {seed}, {steps:,} steps, {minutes:.0f} minutes of wall time on {threads} CPU threads (whatever else
  the machine did counts in it), float32. In a sentence that states a fact the whole object is hidden
  ({hide_object:.0%} of the time), or the whole subject
  ({hide_subject:.0%}), or its object replaced by a wrong number of masks, to be answered with arbitrary words
  ({misfit:.0%}: an answer of the wrong length should look unlikely), or else {hide_random:.0%} of all its tokens.
- Packages: {packages}.
- The world is the same byte for byte from the same seed; the weights are the same only where the packages, the
  processor and the number of threads are the same.

## What it knows
Typed P@1: the first template of the atlas, candidates all objects of the relation in that language, each candidate's
score the mean log-probability of its pieces, each at a mask of its own. One object counts as right, so a country with
several official languages has at most one of them right. *Micro* is over facts, *macro* the mean of the relations.
*Majority* answers always the most frequent object among these very facts; *chance* is one over the candidates.
An unstated fact is one that no sentence of that language ever stated; what is right there beyond the majority came
from other languages, from other relations of the same subject, or from what the names themselves give away.

{table}

In English, by relation:

{relations}

## Limits
- Names that share no piece with another language (Japanese) can hardly profit from it.
- Sentences are filled frames: names are not inflected, and the frames were not reviewed by native speakers.
- Most facts on scripts are "Latin": read its macro figures, or a relation by itself.
- The longest text is {longest} tokens.

## Licence
Code, sentence forms and weights: Apache-2.0. Names of places, languages, scripts and currencies come from CLDR through
Babel, under the Unicode License v3 (https://www.unicode.org/license.txt).
"""


def card(making: Making, answers: list[Answer]) -> str:
    """The text of ``README.md``."""
    from fine_tuning import pretrain_masks as masks
    from fine_tuning.pretrain_tokenizer import LONGEST

    world, shape = making.world, making.shape
    return _CARD.format(
        languages=", ".join(world["languages"]),
        n_languages=len(world["languages"]),
        seed=making.seed,
        steps=making.steps,
        siloed=" --siloed" if making.siloed else "",
        silos=_SILOED.format(width=WIDTH) if making.siloed else "",
        world_seed=world["seed"],
        sentences=sum(count["sentences"] for count in world["counts"].values()),
        digest=world["sha256"]["presence.parquet"],
        shape=f"{shape['num_hidden_layers']} layers of width {shape['hidden_size']} (feed-forward "
        f"{shape['intermediate_size']}, {shape['num_attention_heads']} heads)",
        vocabulary=shape["vocab_size"],
        parameters=making.parameters,
        minutes=making.seconds / 60,
        threads=making.threads,
        hide_object=masks.HIDE_OBJECT,
        hide_subject=masks.HIDE_SUBJECT,
        misfit=masks.MISFIT,
        hide_random=masks.HIDE_RANDOM,
        packages=", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "tokenizers", "babel")),
        table=_table("language", _by(answers, "lang"), Rate._fields),
        relations=_table(
            "relation", _by([a for a in answers if a.lang == "en"], "relation"), ("n", "micro", "majority", "chance")
        ),
        longest=LONGEST,
    )


def _by(answers: list[Answer], field: str) -> dict[str, list[Answer]]:
    groups = {}
    for answer in answers:
        groups.setdefault(getattr(answer, field), []).append(answer)
    return groups


def _table(head: str, groups: dict[str, list[Answer]], columns: tuple[str, ...]) -> str:
    """One row a group: these fields of its :class:`Rate` for stated facts, then for unstated ones."""
    heads = [f"{side}: {column.replace('_', ' ')}" for side in ("stated", "unstated") for column in columns]
    lines = [f"| {head} | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    for name, group in groups.items():
        figures = [rate([a for a in group if a.stated == stated]) for stated in (True, False)]
        cells = [_cell(getattr(side, column)) for side in figures for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(figure: float) -> str:
    """A count as it is, a share with two decimals, and a dash where there was nothing to count."""
    if isinstance(figure, int):
        return str(figure)
    return "–" if isnan(figure) else f"{figure:.2f}"
