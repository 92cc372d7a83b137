"""``probe corpus``: build, show and measure corpora."""

from __future__ import annotations

import json
from pathlib import Path

import click

from data_builders.cli import json_option, langs_option


@click.group("corpus")
def group():
    """Corpora: Wikipedia dumps and other text, as passages to trace facts in."""


@group.command()
@click.argument("spec")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@langs_option
@click.option("--skip-bad", is_flag=True, help="Go on without what is broken, and count it.")
@click.option("--quiet", is_flag=True, help="Say nothing on the way.")
def build(spec, directory, langs, skip_bad, quiet):
    """Build SPEC into the folder DIR: documents, their sentences, and what they are made of.

    SPEC is a kind of corpus and where it lies, as dump:DIR. After an interruption the same command goes on; languages
    may be added to a folder later. Kinds:

    \b
    dump:DIR       Wikipedia's XML dumps, <lang>wiki-*-pages-articles*.xml.bz2
    abstracts:DIR  its abstract dumps, <lang>wiki-*-abstract*.xml.gz
    wikipedia:DIR  wikimedia/wikipedia, <date>.<lang>/train-*.parquet
    hub:NAME       the same, streamed: hub:wikimedia/wikipedia(date=20231101)
    jsonl:DIR      <lang>.jsonl with id, title, qid, text or paragraphs
    text:DIR       <lang>.txt, a sentence a line, or text:DIR(line=paragraph)
    world:DIR      the planted world that `probe demo world` writes
    """
    from data_builders.corpora.build import build
    from data_builders.progress import progress

    with progress(quiet, "documents") as bar:
        about = build(spec, langs, directory, bar, skip_bad)
    for lang in langs or about["wanted"]:
        click.echo(_line(lang, about["languages"][lang]))


@group.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--lang", help="The language whose passages to show.")
@click.option("--document", type=click.IntRange(min=0), help="Show all passages of this document (its number, from 0).")
@click.option("--head", type=click.IntRange(min=1), help="Show so many passages; 5 if neither is given.")
@json_option
def show(directory, lang, document, head, as_json):
    """Counts and faults of a built corpus by language, or passages of one language."""
    from data_builders.corpora.built import open_built
    from data_builders.corpora.reading import passages

    built = open_built(directory)
    if lang is None and (document is not None or head):
        raise click.UsageError("say of which language with --lang")
    if lang is not None:
        for row in passages(built, lang, document, head or 5):
            plain = f"{row['document']} {row['title']} {row['paragraph']}.{row['sentence']}\t{row['text']}"
            click.echo(json.dumps(row, ensure_ascii=False) if as_json else plain)
        return
    if as_json:
        click.echo(json.dumps(built.about, indent=2, ensure_ascii=False))
        return
    click.echo(f"{built.about['source']}: {len(built.langs)} languages")
    for name in built.langs:
        click.echo(_line(name, built.about_language(name)))


@group.command()
@click.argument("corpus", metavar="DIR|SPEC")
@langs_option
@json_option
def sizes(corpus, langs, as_json):
    """Articles, bytes of text and bytes of abstracts by language, of a built corpus or of a source."""
    from data_builders.corpora.sizes import sizes

    found = sizes(corpus, langs)
    if as_json:
        click.echo(json.dumps({lang: size._asdict() for lang, size in found.items()}, indent=2))
        return
    click.echo(f"{'lang':<6} {'articles':>12} {'bytes':>16} {'abstracts':>16}")
    for lang, size in found.items():
        click.echo(f"{lang:<6} {size.documents:>12,} {size.bytes:>16,} {size.lead:>16,}")


def _line(lang: str, about: dict) -> str:
    """What a user should know of a language that was built, faults and doubts included."""
    from data_builders.corpora.faults import Faults

    line = f"{lang}  {about['documents']:,} documents, {about['sentences']:,} sentences, {about['bytes']:,} bytes"
    faults = Faults(about["faults"], about["places"])
    if summary := faults.summary():
        line += f"; left out or mended: {summary}"
    if about["partial"]:
        line += "; partial, since the input is broken:" + "".join(f"\n    {place}" for place in faults.bad_lines())
    if about["looks_like"]:
        line += f"\n    warning: the text of {lang} looks like {about['looks_like']}"
    return line
