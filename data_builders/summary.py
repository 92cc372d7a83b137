"""Counting what an open fact set holds."""

from __future__ import annotations

from collections import Counter

import pyarrow.compute as pc

from data_builders.factset import OpenFactSet

_WIDE = 8  # columns that fit beside each other


def summarise(opened: OpenFactSet) -> dict:
    """Facts by relation and templates by how they were made, for each language; and over all: facts and distinct."""
    languages, keys = {}, set()
    for lang in opened.langs:
        table, templates = opened.table(lang), opened.templates(lang)
        counts = pc.value_counts(table["relation"]).to_pylist()
        languages[lang] = {
            "facts": len(table),
            "relations": {c["values"]: c["counts"] for c in sorted(counts, key=lambda c: c["values"])},
            "templates": dict(sorted(Counter(t.made for t in templates).items())),
        }
        keys.update(table["fact"].to_pylist())
    total = sum(counts["facts"] for counts in languages.values())
    spec = {"spec": str(opened.spec), "sha256": opened.sha256}
    return {
        **spec,
        "facts": total,
        "distinct": len(keys),
        "bad_rows": len(opened.problems.found),
        "languages": languages,
    }


def by_relation(summary: dict) -> tuple[tuple[str, ...], list[tuple]]:
    """Head and rows of a table: relation by language, either across; by number of languages where both are many."""
    languages = summary["languages"]
    relations = sorted({relation for counts in languages.values() for relation in counts["relations"]})
    if len(languages) <= _WIDE:
        rows = [(r, *(counts["relations"].get(r, 0) for counts in languages.values())) for r in relations]
        return ("relation", *languages), rows
    if len(relations) <= _WIDE:
        rows = [(lang, *(c["relations"].get(r, 0) for r in relations)) for lang, c in languages.items()]
        return ("language", *relations), rows
    found = {r: [c["relations"][r] for c in languages.values() if r in c["relations"]] for r in relations}
    return ("relation", "languages", "facts"), [(r, len(counts), sum(counts)) for r, counts in found.items()]


def by_language(summary: dict) -> tuple[tuple[str, ...], list[tuple]]:
    """Head and rows of a table: facts, relations and templates of each language."""
    rows = [
        (
            lang,
            c["facts"],
            len(c["relations"]),
            ", ".join(f"{n:,} {made}" for made, n in c["templates"].items()) or "none",
        )
        for lang, c in summary["languages"].items()
    ]
    return ("language", "facts", "relations", "templates"), rows
