"""``probe evidence``."""

from __future__ import annotations

import click

from probe.commands.options import Names, as_json, names, unit


@click.command()
@click.argument("fact")
@click.option("--lang", "--langs", "langs", type=Names(), required=True, help="One language or several, as it,ja.")
@click.option("--corpus", help="A folder that `probe corpus build` made, or planted.")
@click.option("--factset", default="atlas", show_default=True, help="A fact set, as for `probe run`.")
@click.option("--k", "number", type=click.IntRange(min=1), default=10, show_default=True, help="So many passages.")
@unit(among=("sentence", "paragraph"))
@names
@click.option(
    "--index",
    type=click.Path(file_okay=False),
    help="Ask this index: one that Pyserini or Anserini made, or one of ours.",
)
@click.option("--skip-bad", is_flag=True, help="Go on without bad rows of the fact set.")
@as_json
@click.option("--quiet", is_flag=True, help="No progress.")
def evidence(fact, langs, corpus, factset, number, unit, matching, index, skip_bad, as_json, quiet):
    """Show the passages of a corpus that hold both names of a FACT, the best first.

    FACT is its key, relation|subject|object in labels of a language asked for or of English, or a beginning of either
    that no other fact has. The first question to a language makes its index, inside the corpus's folder.
    """
    from pathlib import Path

    from data_builders.errors import FactrootsError
    from data_builders.progress import progress
    from probe.tracing.corpora import open_corpus
    from probe.tracing.evidence.asked import asked
    from probe.tracing.evidence.finding import in_languages
    from probe.tracing.evidence.index import Kind
    from probe.tracing.evidence.opening import of_corpus, of_folder
    from probe.tracing.evidence.report import Shown
    from probe.tracing.matching import Matching

    matching = Matching.parse(matching)
    if not corpus and not index:
        raise FactrootsError("say which text to look in: --corpus DIR (or planted), or --index DIR")
    if index and len(langs) > 1:
        raise FactrootsError("an index is of one language; ask for one --lang with --index")
    found = in_languages(fact, factset, langs, skip_bad)
    built = open_corpus(corpus, quiet) if corpus else None
    shown = []
    for lang in langs:
        if lang not in found.facts:
            click.echo(f"{lang}: {factset} has no such fact there ({found.key})", err=True)
            continue
        facts, row = found.facts[lang]
        wanted = asked(facts, row, matching)
        kind = Kind(lang, unit, matching.fold)
        if index:
            opened = of_folder(Path(index), kind, built)
        else:
            with progress(quiet, f"{unit}s") as bar:
                opened = of_corpus(built, kind, bar)
        shown.append(Shown.of(lang, facts.slice(row, 1).to_pylist()[0], opened, opened.evidence(wanted, number)))
    _print(shown, as_json)


def _print(shown, as_json: bool) -> None:
    if as_json:
        import json

        from probe.tracing.evidence.report import as_dict

        click.echo(json.dumps({one.lang: as_dict(one) for one in shown}, ensure_ascii=False, allow_nan=False))
        return
    from rich.console import Console

    from probe.tracing.evidence.report import show

    console = Console(highlight=False, emoji=False)
    for number, one in enumerate(shown):
        if number:
            console.print()
        show(one, console)
