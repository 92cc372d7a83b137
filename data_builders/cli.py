"""``probe data``: list, show, validate, export and fetch fact sets."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group("data")
def group():
    """Fact sets: what there is, what is in it, and is it sound."""


def _split(_context, _parameter, value: str | None) -> list[str] | None:
    return [lang for lang in value.split(",") if lang] if value else None


langs_option = click.option("--langs", metavar="it,ja,...", callback=_split, help="Only these languages.")
skip_option = click.option("--skip-bad", is_flag=True, help="Go on without bad rows, and count them.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@group.command("list")
@json_option
def list_(as_json):
    """Every source of facts, its licence and how to spell it."""
    from data_builders.sources import SOURCES, source_class

    classes = {name: source_class(name) for name in sorted(SOURCES)}
    rows = [(f"{n}:DIR" if c.needs_path else n, c.summary, c.licence) for n, c in classes.items()]
    if as_json:
        click.echo(json.dumps([dict(zip(("spec", "summary", "licence"), row, strict=True)) for row in rows], indent=2))
        return
    _print_table(("spec", "holds", "licence"), rows)


@group.command()
@click.argument("spec")
@langs_option
@skip_option
@json_option
def show(spec, langs, skip_bad, as_json):
    """Count facts and templates of SPEC by language and relation."""
    from data_builders.summary import by_language, by_relation, summarise

    opened = _open(spec, langs, skip_bad, templates="all")
    summary = summarise(opened)
    if as_json:
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
        return
    _print_table(*by_relation(summary))
    _print_table(*by_language(summary))
    click.echo(f"{summary['facts']:,} facts in {len(opened.langs)} languages, {summary['distinct']:,} distinct")


@group.command()
@click.argument("spec")
@langs_option
@json_option
@click.pass_context
def validate(context, spec, langs, as_json):
    """List every problem of SPEC with its file and line; the exit code is 1 if there is any."""
    from data_builders.factset import FactSet

    problems = FactSet.parse(spec).open(langs, skip_bad=True).problems.found
    if as_json:
        click.echo(json.dumps([p._asdict() for p in problems], indent=2, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(str(problem))
        click.echo(f"{len(problems)} problems")
    context.exit(1 if problems else 0)


@group.command()
@click.argument("spec")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--format", "format_", required=True, metavar="mlama|jsonl|parquet", help="The layout to write.")
@langs_option
@skip_option
def export(spec, directory, format_, langs, skip_bad):
    """Write the facts and templates of SPEC to a new folder DIRECTORY."""
    from data_builders.export import export

    opened = _open(spec, langs, skip_bad)
    tables = ((lang, opened.table(lang), opened.templates(lang)) for lang in opened.langs)
    done = export(tables, directory, format_)
    click.echo(f"{directory}: {done.facts:,} facts and {done.templates:,} templates in {done.languages} languages")
    if done.left_out:
        click.echo(
            f"left out: {done.left_out:,} templates; this format has one a relation, the first was kept", err=True
        )


@group.command()
@click.argument("name")
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Agree to the licence without being asked.")
@click.option(
    "--from", "local", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A zip file at hand."
)
def fetch(name, directory, yes, local):
    """Download the fact set NAME from its publisher into a new folder DIRECTORY.

    Without DIRECTORY it goes to the user's cache, where NAME alone finds it.
    """
    from data_builders.fetch import download_named, fetch
    from data_builders.sources import home

    download = download_named(name)
    spelled = f"{name}:{directory}" if directory else name
    directory = directory or home(name)
    click.echo(f"{download.title}\nLicence: {download.licence}")
    if not yes:
        click.confirm("Do you agree to it?", abort=True)
    fetch(download, directory, local)
    click.echo(f"{directory}: ready, use it as {spelled}")


def _open(spec: str, langs: list[str] | None, skip_bad: bool, **changes):
    from dataclasses import replace

    from data_builders.factset import FactSet

    opened = replace(FactSet.parse(spec), **changes).open(langs, skip_bad)
    if opened.problems.found:
        click.echo(f"left out: {len(opened.problems.found):,} bad rows; see `probe data validate`", err=True)
    return opened


def _print_table(head, rows) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name, cell in zip(head, rows[0] if rows else head, strict=True):
        table.add_column(name, justify="right" if isinstance(cell, int) else "left")
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else cell for cell in row))
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 1000  # a file has no width to keep to, and a cell broken over lines is hard to search for
    console.print(table)
