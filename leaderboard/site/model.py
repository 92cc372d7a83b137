"""A page for each model: what it was asked, by language and relation, with intervals, and all that decided it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from leaderboard.site import layout
from leaderboard.site.content import Row, Table
from leaderboard.site.layout import Column, Html, foreign, join, tag
from leaderboard.site.wording import between, count, language, percent, root_names
from probe.results import Result, Score

SCRIPTS = ("assets/site.js",)


class Place(NamedTuple):
    """A submission and the table that it stands in."""

    table: Table
    row: Row


def page(places: Sequence[Place]) -> str:
    """``models/<page>.html``, from the model's submissions."""
    name = places[0].row.submission.model
    titles = [place.table.title for place in places]
    named = [
        title if titles.count(title) == 1 else f"{title}, {place.row.entry.name.split('/')[1]}"
        for title, place in zip(titles, places, strict=True)
    ]
    contents = [
        tag("li", tag("a", foreign(title), href=f"#{place.row.id}"), f", rank {_rank(place.row)}")
        for title, place in zip(named, places, strict=True)
    ]
    sections = [_section(title, place) for title, place in zip(named, places, strict=True)]
    main = [tag("ul", *contents) if len(places) > 1 else "", *sections]
    return layout.page(name, name, main, SCRIPTS, up="../")


def _rank(row: Row) -> str:
    if row.rank is None:
        return f"none; lacks {', '.join(row.lacks)}" if row.lacks else "none"
    best, worst = row.rank
    return f"{best}" if best == worst else f"{best}–{worst}"


def _section(title: str, place: Place) -> Html:
    row, submission, result = place.row, place.row.submission, place.row.submission.result
    told = not isinstance(result, Result)
    value = f"{percent(result.value)} %" + ("" if told else f" {between(result.ci)}")
    said = {
        result.metric: value,
        "Rank": _rank(row),
        "Facts scored": count(result.n_scored) + ("" if submission.n is None else f" of {submission.n:,}"),
        **({} if told else _baselines(result)),
        **_known({"Parameters": count(submission.parameters), "Seconds": _seconds(submission.seconds)}),
        "Entry": row.entry.name,
        "From": submission.origin,
        **({"Note": submission.note} if submission.note else {}),
        **({"Variant": _variant(submission.variant)} if submission.variant else {}),
    }
    links = [tag("a", "Compare fact by fact", href=f"../pair.html#a={row.id}")] if submission.answers else []
    return tag(
        "section",
        tag("h2", foreign(title)),
        layout.parts(said),
        tag("p", join(links)) if links else "",
        _unverified(submission.unverified),
        _languages(result),
        "" if told else _relations(result),
        _roots(submission.roots),
        _how(place),
        id=row.id,
    )


def _variant(variant) -> str:
    return f"of {variant.base}" + (f", by {variant.method}" if variant.method else "")


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:,.0f}"


def _known(said: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in said.items() if value != "–"}


def _baselines(result: Result) -> dict[str, str]:
    chance, majority = result.baselines.get("chance"), result.baselines.get("majority")
    return {"Chance, majority": f"{percent(chance)}, {percent(majority)} %"}


def _unverified(lines: Sequence[str]) -> Html:
    if not lines:
        return Html("")
    return join([tag("p", "Cannot be verified:"), tag("ul", *(tag("li", foreign(line)) for line in lines))])


def _languages(result) -> Html:
    """A row a language; a score that there is not is a dash, and what could not be asked is said."""
    if not isinstance(result, Result):
        rows = [(_lang(one.lang), percent(one.value), count(one.n)) for one in result.languages]
        columns = [Column("Language", "name"), Column(result.metric), Column("n")]
        return layout.table("By language, as told", columns, rows) if rows else Html("")
    heads = ["P@1", "95 %", "P@5", "P@10", "MRR", "chance", "majority", "n", "not scored", "same facts", "one token"]
    rows = [
        (
            _lang(one.lang),
            *_scores(one.all),
            _counted(one.n_unscored),
            percent(one.shared and one.shared.value),
            percent(one.one_token and one.one_token.value),
        )
        for one in result.languages
    ]
    return layout.table("By language, %", [Column("Language", "name"), *map(Column, heads)], rows)


def _lang(code: str) -> Html:
    return join([foreign(code), f" {language(code)}"]) if language(code) != code else foreign(code)


def _scores(score: Score | None) -> list[str]:
    if score is None:
        return ["–"] * 8
    fields = [score.p5, score.p10, score.mrr, score.chance, score.majority]
    return [percent(score.value), between(score.ci), *map(percent, fields), count(score.n)]


def _counted(reasons: dict[str, int]) -> str:
    return "; ".join(f"{number:,}: {reason}" for reason, number in reasons.items()) or "0"


def _relations(result: Result) -> Html:
    """P@1 and its interval by relation (rows) and language (columns)."""
    names = sorted({name for one in result.languages for name in one.relations})
    rows = [(foreign(name), *(_cell(one.relations.get(name)) for one in result.languages)) for name in names]
    columns = [Column("Relation", "name"), *(Column(one.lang) for one in result.languages)]
    shown = layout.table("By relation and language, % [95 %]", columns, rows)
    return tag("details", tag("summary", f"By relation ({len(names)})"), shown)


def _cell(score: Score | None) -> str:
    return "–" if score is None else f"{percent(score.value)} {between(score.ci)}"


def _roots(roots: dict[str, dict[str, float]] | None) -> Html:
    if not roots:
        return Html("")
    names = root_names({name for shares in roots.values() for name in shares})
    rows = [
        (_lang(lang) if lang else "all languages", *(percent(own.get(name)) for name in names))
        for lang, own in roots.items()
    ]
    columns = [Column("Language", "name"), *map(Column, names)]
    return layout.table("Roots of right answers, %", columns, rows)


def _how(place: Place) -> Html:
    """All that decided the numbers."""
    submission, result = place.row.submission, place.row.submission.result
    model = {f"model: {key}": str(value) for key, value in result.model.items() if value is not None}
    code = {f"code: {key}": str(value) for key, value in result.code.items() if value is not None}
    packages = {f"package: {key}": value for key, value in getattr(result, "packages", {}).items()}
    signed = [layout.copied("Signature", result.signature)]
    signed += [layout.copied("Command", submission.command)] if submission.command else []
    return tag(
        "details",
        tag("summary", "Signature, command, protocol, packages"),
        *signed,
        layout.parts({**place.table.meaning, **model, **code, **packages}),
    )
