"""Wikitext to plain text: what mwparserfromhell's ``strip_code`` keeps, by a few passes of regular expressions.

Templates, tables, references, files and categories go; of links their labels stay; headings are no text, but the first
one ends the lead. tests/unit/test_corpora_wikitext.py holds it against mwparserfromhell.
"""

from __future__ import annotations

import re
from collections.abc import Set
from html import unescape
from typing import NamedTuple

#: Elements that hold no prose: mwparserfromhell's invisible tags, and code.
_SILENT = (
    "ref gallery imagemap inputbox math chem score timeline graph mapframe maplink hiero templatestyles categorytree "
    "syntaxhighlight source"
).replace(" ", "|")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NOWIKI = re.compile(r"<nowiki>(.*?)</nowiki>|<nowiki\s*/>", re.DOTALL | re.IGNORECASE)
_MARKUP = str.maketrans({c: f"&#{ord(c)};" for c in "{}[]|='<>*#:;"})
_SILENCED = re.compile(rf"<({_SILENT})\b(?:[^<>]*/>|[^<>]*>.*?</\1\s*>)", re.DOTALL | re.IGNORECASE)
_BREAK = re.compile(
    r"</?(?:p|div|blockquote|li|ul|ol|dl|dd|dt|center|poem|h[1-6]|tr|table)\b[^<>]*>|<br\b[^<>]*>", re.I
)
_LINE_BREAK = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_BRACES = re.compile(r"\{\{|\}\}|^[:* ]*\{\||^[ ]*\|\}(?!\})", re.MULTILINE)
_BRACKETS = re.compile(r"\[\[|\]\]")
_EXTERNAL = re.compile(r"\[(?:https?:|ftp:)?//[^\s\]]*[ ]*([^\]\n]*)\]")
_VARIANT = re.compile(r"-\{([^{}]*)\}-")
_WORD = re.compile(r"__[A-Z]+__")
_QUOTES = re.compile(r"'{2,}")
_HEADING = re.compile(r"(={1,6})[^=\n].*?\1[ \t]*")
_EMPTIED = re.compile(r"[ ]?[(（][\s,;:、，；]*[)）]")
_LANGUAGE = re.compile(r"^\[\[[a-z]{2,3}(?:-[a-z-]+)?:[^\[\]|\n]+\]\][ ]*$", re.MULTILINE)  # links to other wikis
_SPECIAL = "*#:; "  # what begins a line that is a paragraph of its own

#: Namespaces that every wiki knows besides its own names of them: the links to them are no text.
HIDDEN = frozenset(("file", "image", "category", "media"))


class Plain(NamedTuple):
    """The paragraphs of a page, how many of them come before the first heading, and what was broken in it."""

    paragraphs: list[str]
    lead: int
    faults: tuple[str, ...]


def plain(text: str, hidden: Set[str] = HIDDEN) -> Plain:
    """Plain text of a page. `hidden` are the names, in small letters, of the namespaces for files and categories.

    Broken markup is mended as a reader would: an unclosed template or table ends with its paragraph, other marks
    without a partner are dropped.
    """
    text = _COMMENT.sub("", text)
    if "<" in text:
        text = _NOWIKI.sub(lambda m: (m[1] or "").translate(_MARKUP), text)
        text = _SILENCED.sub("", text)
    text, braces = _without_braces(text)
    text, brackets = _linked(_LANGUAGE.sub("", text), hidden)
    faults = (*braces, *brackets)
    if "<" in text:
        if re.search(rf"<(?:{_SILENT})\b", text, re.IGNORECASE):
            faults += ("a reference or the like is not closed",)
        text = _TAG.sub("", _BREAK.sub("\n", _LINE_BREAK.sub(" ", text)))
    text = _EXTERNAL.sub(r"\1", text)
    text = _VARIANT.sub(_variant, text)
    text = _WORD.sub("", text)
    if "''" in text:
        text = "\n".join(_unquoted(line) if "''" in line else line for line in text.split("\n"))
    return Plain(*_paragraphs(text), faults)


def _without_braces(text: str) -> tuple[str, list[str]]:
    """The text outside of templates and tables."""
    kept, faults, opened, done = [], [], [], 0
    for match in _BRACES.finditer(text):
        mark = match[0].lstrip(":* ")
        if mark in ("{{", "{|"):
            if not opened:
                kept.append(text[done : match.start()])
                done = match.end()
            opened.append((mark, match.start()))
        elif opened and _closes(opened, mark):
            if not opened:
                done = match.end()
        elif not opened:
            kept.append(text[done : match.start()])
            done = match.end()
            faults.append(f"{mark} without its beginning")
    if opened:
        mark, start = opened[0]
        faults.append(f"{mark} without its end")
        end = text.find("\n\n", start)
        if end < 0:
            return "".join(kept), faults
        rest, more = _without_braces(text[end:])
        return "".join(kept) + rest, faults + more
    kept.append(text[done:])
    return "".join(kept), faults


def _closes(opened: list[tuple[str, int]], mark: str) -> bool:
    """Close the innermost thing that `mark` can close, and with it what was left open inside."""
    partner = "{{" if mark == "}}" else "{|"
    for place in range(len(opened) - 1, -1, -1):
        if opened[place][0] == partner:
            del opened[place:]
            return True
    return False


def _linked(text: str, hidden: Set[str]) -> tuple[str, list[str]]:
    """The text with links made labels, from the innermost out."""
    stack, faults, done = [[]], [], 0
    for match in _BRACKETS.finditer(text):
        stack[-1].append(text[done : match.start()])
        done = match.end()
        if match[0] == "[[":
            stack.append([])
        elif len(stack) > 1:
            inner = "".join(stack.pop())
            stack[-1].append(_label(inner, hidden))
        else:
            faults.append("]] without its beginning")
    stack[-1].append(text[done:])
    if len(stack) > 1:
        faults.append("[[ without its end")
    return "".join(part for level in stack for part in level), faults


def _label(inner: str, hidden: Set[str]) -> str:
    target, bar, label = inner.partition("|")
    space, colon, _ = target.partition(":")
    if colon and space.strip().casefold() in hidden:
        return ""
    return label if bar else target.removeprefix(":")


def _variant(match: re.Match) -> str:
    """Chinese and Serbian: the first of a text's forms, ``-{zh-hans:A; zh-hant:B}-``, and nothing of a hidden rule."""
    flags, bar, rule = match[1].rpartition("|")
    if bar and set(flags) & set("HT-"):
        return ""
    first = rule.partition(";")[0]
    form = re.match(r"\s*[a-z-]+\s*:(.*)", first, re.DOTALL)
    return form[1].strip() if form else rule


def _unquoted(line: str) -> str:
    """A line without the marks of bold and italics, as MediaWiki counts them: ``l'''opera''`` is l' and italics."""
    runs = [len(m[0]) for m in _QUOTES.finditer(line)]
    bold, italic = sum(n in (3, 4) or n >= 5 for n in runs), sum(n == 2 or n >= 5 for n in runs)
    if bold % 2 and italic % 2:
        line = re.sub(r"(?<=\b\w)'''(?!')", "&#39;''", line, count=1)
    return _QUOTES.sub(lambda m: "'" * (len(m[0]) - 5 if len(m[0]) > 5 else len(m[0]) == 4), line)


def _paragraphs(text: str) -> tuple[list[str], int]:
    """Paragraphs, and how many of them stand before the first heading."""
    paragraphs: list[str] = []
    held: list[str] = []
    lead = None

    def close() -> None:
        whole = " ".join(_EMPTIED.sub("", unescape(" ".join(held))).split())
        if whole:
            paragraphs.append(whole)
        held.clear()

    for line in text.split("\n"):
        if line[:1] == "=" and _HEADING.fullmatch(line):
            close()
            lead = len(paragraphs) if lead is None else lead
        elif not line.strip() or line.startswith("----"):
            close()
        elif line[0] == "|":
            continue  # what is left of a table that was broken
        elif line[0] in _SPECIAL:
            close()
            held.append(line.lstrip(_SPECIAL))
            close()
        else:
            held.append(line)
    close()
    return paragraphs, len(paragraphs) if lead is None else lead
