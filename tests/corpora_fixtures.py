"""Small dumps that are true to their formats, and a build without a terminal."""

from __future__ import annotations

from xml.sax.saxutils import escape

from data_builders.corpora.build import build
from data_builders.progress import Quiet

_HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" version="0.10" xml:lang="it">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <namespaces>
      <namespace key="-2" case="first-letter">Media</namespace>
      <namespace key="0" case="first-letter" />
      <namespace key="6" case="first-letter">Datei</namespace>
      <namespace key="14" case="first-letter">Categoria</namespace>
    </namespaces>
  </siteinfo>
"""


def page(number: int, title: str, text: str, ns: int = 0, redirect: str = "", model: str = "wikitext") -> str:
    """A page as MediaWiki exports it."""
    aim = f'    <redirect title="{escape(redirect)}" />\n' if redirect else ""
    return f"""  <page>
    <title>{escape(title)}</title>
    <ns>{ns}</ns>
    <id>{number}</id>
{aim}    <revision>
      <id>{number + 1000}</id>
      <contributor><username>x</username><id>7</id></contributor>
      <model>{model}</model>
      <format>text/x-wiki</format>
      <text bytes="{len(text)}" xml:space="preserve">{escape(text)}</text>
    </revision>
  </page>
"""


def dump(*pages: str) -> str:
    return f"{_HEAD}{''.join(pages)}</mediawiki>\n"


def built(source: str, folder, langs=None, skip_bad: bool = False) -> dict:
    """What ``corpus.json`` says of a corpus built in silence."""
    return build(source, langs, folder, Quiet(), skip_bad)


def contents(folder) -> dict[str, bytes]:
    """Every file of a folder that is not hidden."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name[0] != "."}
