"""The planted world as a folder: ``articles-<lang>.jsonl``, ``presence.parquet`` and ``world.json``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.errors import FactrootsError
from data_builders.planted import articles as writing
from data_builders.planted.articles import Article, Sentence, compose
from data_builders.planted.draw import PROBABILITIES, draw
from data_builders.planted.lexicon import read_lexicon
from data_builders.planted.presence import presence
from data_builders.sources import Source

SEED = 20240611
LANGUAGES = ("en", "it", "ja", "af", "de", "fr", "es", "nl")


def write_world(
    folder: Path, source: Source, seed: int = SEED, languages: tuple[str, ...] = LANGUAGES, withheld: float = 0.0
) -> dict:
    """Write the world that `seed` stands for into `folder` and return what ``world.json`` says about it.

    `withheld` is the share of facts that no language states. The same seed, share, source and code give the same bytes.
    Raises FactrootsError if `folder` already holds anything, or if the share is none.
    """
    if not 0 <= withheld < 1:
        raise FactrootsError(f"the share of withheld facts lies between 0 and 1, got {withheld:g}")
    if folder.exists() and any(folder.iterdir()):
        raise FactrootsError(f"{folder} is not empty; name a new folder for the world")
    folder.mkdir(parents=True, exist_ok=True)
    lexicons = {lang: read_lexicon(source, lang) for lang in languages}
    stated = draw(lexicons, seed, withheld)
    tables, counts = [], {}
    for lang, lexicon in lexicons.items():
        articles = compose(lexicon, stated[lang], seed)
        _write_articles(_articles_file(folder, lang), articles)
        tables.append(presence(lexicon, stated[lang], articles))
        counts[lang] = {
            "facts": len(lexicon.facts),
            "stated": len(stated[lang]),
            "articles": len(articles),
            "sentences": sum(len(paragraph) for article in articles for paragraph in article.paragraphs),
        }
    pq.write_table(pa.concat_tables(tables), folder / "presence.parquet")
    about = {
        "seed": seed,
        "languages": list(languages),
        "stated_probability": {lang: PROBABILITIES[lang] for lang in languages},
        "sentences_per_stated_fact": list(writing.SENTENCES),
        "decoy_probability": writing.DECOY,
        "counts": counts,
        "sha256": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())},
        "factroots": version("factroots"),
        "babel": version("babel"),
    }
    if withheld:
        about["withheld"] = withheld
    (folder / "world.json").write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return about


def read_about(folder: Path) -> dict:
    """What ``world.json`` says. Raises FactrootsError if `folder` holds no world."""
    try:
        return json.loads((folder / "world.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FactrootsError(f"{folder} holds no planted world; write one with: probe demo world {folder}") from None


def read_presence(folder: Path) -> pa.Table:
    """The presence matrix (:data:`data_builders.planted.presence.SCHEMA`)."""
    read_about(folder)
    return pq.read_table(folder / "presence.parquet")


def read_articles(folder: Path, lang: str) -> Iterator[Article]:
    """The articles of one language, as they were written."""
    if lang not in (known := read_about(folder)["languages"]):
        raise FactrootsError(f"the world in {folder} has no {lang!r}; there are: {', '.join(known)}")
    with open(_articles_file(folder, lang), encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            marks = iter(row["marks"])
            paragraphs = tuple(tuple(_sentence(text, next(marks)) for text in texts) for texts in row["paragraphs"])
            yield Article(row["id"], row["lang"], row["title"], row["uri"], paragraphs)


def _articles_file(folder: Path, lang: str) -> Path:
    return folder / f"articles-{lang}.jsonl"


def _write_articles(path: Path, articles: list[Article]) -> None:
    """One article a line: plain ``paragraphs`` for a reader who wants text, then ``marks``, one for every sentence."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for article in articles:
            sentences = [sentence for paragraph in article.paragraphs for sentence in paragraph]
            row = article._asdict()
            row["paragraphs"] = [[sentence.text for sentence in paragraph] for paragraph in article.paragraphs]
            row["marks"] = [{"form": s.form, "fact": s.fact, "mentions": s.mentions} for s in sentences]
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _sentence(text: str, mark: dict) -> Sentence:
    return Sentence(text, mark["form"], mark["fact"], tuple(tuple(mention) for mention in mark["mentions"]))
