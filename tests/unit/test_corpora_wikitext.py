"""Wikitext to plain text: by hand, and against mwparserfromhell."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress

import pytest

from data_builders.corpora.wikitext import HIDDEN, plain

ARTICLE = """{{Infobox city|name=Rome|flag={{flag|it}}|
|population={{formatnum:2800000}}|note={{{x|}}}
}}
[[File:Rome.jpg|thumb|The [[Colosseum]] of '''Rome''' {{small|x}}|alt=a [[b]]]]
'''Rome''' ({{IPA|x}}) is the [[capital (city)|capital]] of [[Italy]].<ref name="a">See [[y]].</ref> It's ''old''.<ref
name=a /> &nbsp;Rock &amp; roll.<!-- a
comment -->

It lies on the [[Tiber]].<ref name="b"/> More text.<ref>{{cite|title=z}}</ref>

== History ==
{| class="wikitable"
! a !! b
|-
| c {{d}} ||
{|
| inner
|}
|}
* one [http://x.it a site]
* two <math>x^2</math> and <nowiki>[[no link]]</nowiki>
# three<br/>four H<sub>2</sub>O
== Notes ==
{{reflist}}
<gallery>
File:a.jpg|words that are no prose
</gallery>
[[Category:Rome]]
"""


def test_article():
    found = plain(ARTICLE)
    assert found.paragraphs == [
        "Rome is the capital of Italy. It's old. Rock & roll.",
        "It lies on the Tiber. More text.",
        "one a site",
        "two and [[no link]]",
        "three four H2O",
    ]
    assert (found.lead, found.faults) == (2, ())


@pytest.mark.parametrize(
    ("text", "paragraphs", "fault"),
    [
        ("a {{b|c\n\nText [[x]] after.", ["a", "Text x after."], "{{ without its end"),
        ("a {{b {{c}} d\n|e=f\n\ng {{h}} i", ["a", "g i"], "{{ without its end"),
        ("a }} b", ["a b"], "}} without its beginning"),
        ("{|\n| a\n\nText", ["Text"], "{| without its end"),
        ("{|\n{{a\n|}\nText", ["Text"], None),
        ("a [[b c", ["a b c"], "[[ without its end"),
        ("a b]] c", ["a b c"], "]] without its beginning"),
        ("a <ref>b", ["a b"], "a reference or the like is not closed"),
        ("a <!-- b", ["a"], None),
    ],
)
def test_broken_markup_is_mended_and_told(text, paragraphs, fault):
    found = plain(text)
    assert found.paragraphs == paragraphs
    assert found.faults == (() if fault is None else (fault,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l'''''opera''''' e '''''x''' y''", "lopera e x y"),
        ("l'''opera'' è", "l'opera è"),
        ("-{zh-hans:软件; zh-hant:軟體}- 和 -{字}-", "软件 和 字"),
        ("a -{H|zh-cn:b;zh-tw:c}-d", "a d"),
        ("[[Datei:x.png|mini|Bild]] Text [[:Datei:y.png]]", "Text Datei:y.png"),
        ("a __NOTOC__ b [http://x.org] c http://y.org", "a b c http://y.org"),
        ("5 < 6 &lt;b&gt; {x} | y", "5 < 6 <b> {x} | y"),
        ("x\n[[de:Rom]]\n[[zh-min-nan:A]]", "x"),
    ],
)
def test_single_marks(text, expected):
    assert " ".join(plain(text, HIDDEN | {"datei"}).paragraphs) == expected


def test_deep_nesting_takes_no_recursion():
    text = "{{a|" * 50_000 + "}}" * 50_000 + "text " + "[[" * 50_000
    assert plain(text).paragraphs == ["text"]


def test_as_mwparserfromhell():
    """The same words as strip_code of the tree without files, categories, headings, tables and references."""
    mw = pytest.importorskip("mwparserfromhell")
    article = ARTICLE.replace("<ref\nname=a />", "").replace("<br/>", " ")  # it stumbles on the one, glues at the other
    code = mw.parse(article)
    for node in list(code.ifilter(recursive=True)):
        kind, tag = type(node).__name__, str(getattr(node, "tag", "")).lower()
        link = kind == "Wikilink" and str(node.title).partition(":")[0].lower() in HIDDEN
        if link or kind == "Heading" or tag in ("table", "ref", "gallery", "math"):
            with suppress(ValueError):  # went with what held it
                code.remove(node)
    theirs, ours = code.strip_code(), " ".join(plain(article).paragraphs)
    assert Counter(re.findall(r"\w+", ours)) == Counter(re.findall(r"\w+", theirs))
    assert len(ours.split()) > 20
