"""How fast a corpus is read and split, as ratios taken in one run, and how much memory that takes.

    python tests/benchmarks/corpus_speed.py --sentences DIR --dump itwiki-…-pages-articles.xml.bz2

DIR holds ``<lang>.txt``, a sentence a line. Needs mwxml and mwparserfromhell. Processor time, best of three.
"""

from __future__ import annotations

import argparse
import bz2
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

LANGS = ("en", "it", "ja")
_SPACY = 100_000  # bytes of text for spaCy, which is slow
_TREES = 1_000_000  # bytes of wikitext for mwparserfromhell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=Path, metavar="DIR", required=True)
    parser.add_argument("--dump", type=Path, metavar="FILE", required=True)
    options = parser.parse_args()
    for lang in LANGS:
        split(lang, options.sentences)
    read(options.dump)
    memory(options.sentences)


def seconds(work, times: int = 3) -> float:
    """Processor time of the best of some goes."""
    found = []
    for _ in range(times):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def split(lang: str, folder: Path) -> None:
    """The splitter and spaCy's sentencizer, in paragraphs of five sentences."""
    import spacy

    from data_builders.corpora.sentences import splitter

    lines = (folder / f"{lang}.txt").read_text(encoding="utf-8").splitlines()
    texts = [("" if lang == "ja" else " ").join(lines[i : i + 5]) for i in range(0, len(lines), 5)]
    size, ours = sum(len(text.encode()) for text in texts), splitter(lang)
    speed = size / 1e6 / seconds(lambda: [ours(text) for text in texts])
    nlp = spacy.blank("zh" if lang == "ja" else lang)  # Japanese would need a package
    nlp.add_pipe("sentencizer")
    few, taken = [], 0
    while taken < _SPACY:
        few.append(texts[len(few)])
        taken += len(few[-1].encode())
    theirs = taken / 1e6 / seconds(lambda: [list(nlp(text).sents) for text in few], 1)
    print(f"split {lang}: {speed:.1f} MB/s, spaCy's sentencizer {theirs:.2f}: {speed / theirs:.0f} times", flush=True)


def read(dump: Path) -> None:
    """The XML against mwxml, and plain text against mwparserfromhell."""
    import mwparserfromhell
    import mwxml

    from data_builders.corpora.dump import Dump
    from data_builders.corpora.faults import Faults
    from data_builders.corpora.wikitext import plain

    reader, faults = Dump(dump), Faults()
    rows = list(reader.rows("xx", faults))
    content = bz2.decompress(dump.read_bytes())
    size = len(content) / 1e6
    with TemporaryDirectory() as folder:
        path = Path(folder) / "dump.xml"
        path.write_bytes(content)
        ours = size / seconds(lambda: list(Dump(path).rows("xx", Faults())))

        def theirs() -> None:
            with open(path, "rb") as file:
                for page in mwxml.Dump.from_file(file):
                    for revision in page:
                        _ = revision.text

        other = size / seconds(theirs, 1)
    unpacking = size / seconds(lambda: bz2.decompress(dump.read_bytes()), 1)
    print(
        f"XML: {ours:.1f} MB/s, mwxml {other:.1f}: {ours / other:.1f} times; bzip2 alone {unpacking:.1f} MB/s",
        flush=True,
    )
    texts, taken = [], 0
    for row in rows:
        if taken < _TREES:
            texts.append(row.text)
            taken += len(row.text.encode())
    ours = taken / 1e6 / seconds(lambda: [plain(text) for text in texts])
    other = taken / 1e6 / seconds(lambda: [mwparserfromhell.parse(text).strip_code() for text in texts], 1)
    print(f"wikitext: {ours:.1f} MB/s, mwparserfromhell {other:.2f}: {ours / other:.1f} times", flush=True)
    print(f"articles read: {len(rows):,}; left out: {faults.summary()}")


def memory(folder: Path) -> None:
    """Peak memory of whole builds, each in a process of its own, from a corpus and one four times as large."""
    lines = (folder / "it.txt").read_text(encoding="utf-8").splitlines()
    paragraphs = "\n".join(" ".join(lines[i : i + 5]) for i in range(0, len(lines), 5)) + "\n"
    with TemporaryDirectory() as scratch:
        for times in (10, 40):
            text = Path(scratch) / f"{times}.txt"
            with open(text, "w", encoding="utf-8") as file:
                for _ in range(times):
                    file.write(paragraphs)
            started = time.monotonic()
            done = subprocess.run(
                [sys.executable, __file__, "--build", str(text), str(Path(scratch) / f"c{times}")],
                check=True,
                capture_output=True,
                text=True,
            )
            spent, size = time.monotonic() - started, text.stat().st_size / 1e6
            print(f"build of {size:.0f} MB: {size / spent:.1f} MB/s, peak memory {done.stdout.strip()} MB", flush=True)


def build(text: str, folder: str) -> None:
    """One build, for :func:`memory`; prints this process's peak in MB."""
    from data_builders.corpora.build import build
    from data_builders.progress import Quiet

    build(f"text:{text}(line=paragraph)", ["it"], Path(folder), Quiet())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    build(*sys.argv[2:]) if sys.argv[1:2] == ["--build"] else main()
