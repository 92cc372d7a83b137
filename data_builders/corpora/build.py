"""Building a corpus: a source's documents, split into sentences, as one folder of Parquet files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from data_builders.corpora.faults import Faults
from data_builders.corpora.gather import Gathered
from data_builders.corpora.parts import Done, Parts
from data_builders.corpora.passages import FILE
from data_builders.corpora.recognise import looks_like
from data_builders.corpora.sentences import made_with, splitter
from data_builders.corpora.sources import Source, open_source
from data_builders.errors import FactrootsError
from data_builders.folder import lock, read_json, write_json
from data_builders.progress import Quiet

SCHEMA_VERSION = 1
_PART = 8_000_000  # characters of text a part, which bound what is held and what a kill can lose
_HEAD = 65536  # bytes of a source's file that are hashed: two files of one name and size are told apart by them


def build(source: str, langs: Sequence[str] | None, folder: Path, progress: Quiet, skip_bad: bool = False) -> dict:
    """Build the corpus that `source` spells into `folder` and return what its ``corpus.json`` says.

    `langs` are all that there are when None. A language that is finished is not read again, one that was interrupted
    goes on, and the bytes are the same as of an undisturbed build (but for another version of the splitter or of
    spaCy). Raises FactrootsError on a source that is not there, a folder in use or holding another corpus, and, unless
    `skip_bad`, on broken input, every language having been read; what was read of it is kept for a build that skips.
    """
    opened = open_source(source)
    langs = tuple(dict.fromkeys(langs or opened.reader.languages()))
    if not langs:
        raise FactrootsError(f"{source} is one file: say its language with --langs")
    origins = _origins(opened, langs)
    folder = Path(folder)
    with lock(folder, "name another folder"):
        about = _claim(folder, opened.portable, origins)
        broken = Faults()
        for lang in langs:
            progress.start(lang, 0)  # how many documents it has is not known before it is read
            if lang in about["languages"]:
                progress.advance(about["languages"][lang]["documents"], before=True)
                continue
            parts = Parts(folder, lang, origins[lang])
            done, faults = _read(opened, lang, parts, progress)
            if faults.bad and not skip_bad:
                broken += faults
                continue
            if not done.documents:
                parts.clear()
                raise FactrootsError(f"{source} has no text in {lang} ({faults.summary() or 'nothing at all'})")
            about["languages"][lang] = _finish(parts, faults, origins[lang])
            write_json(folder / FILE, about, sort_keys=True)
            parts.clear()
    if broken.bad:
        listed = "\n".join(f"  {line}" for line in broken.bad_lines())
        raise FactrootsError(f"{broken.bad:,} faults in {source}; mend them or pass --skip-bad:\n{listed}")
    return about


def _origins(opened: Source, langs: Sequence[str]) -> dict[str, dict]:
    """What each language is read from: names, sizes and beginnings of its files, and the code that splits it."""
    origins, owners = {}, {}
    for lang in langs:
        files = opened.reader.files(lang)
        for path in files:
            if owners.setdefault(path, lang) != lang:
                raise FactrootsError(f"{path} is one file and cannot be both {owners[path]} and {lang}")
        origins[lang] = {"files": [_fingerprint(path) for path in files], "made_with": made_with(lang)}
    return origins


def _fingerprint(path: Path) -> dict:
    with open(path, "rb") as file:
        head = hashlib.sha256(file.read(_HEAD)).hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "head": head[:16]}


def _claim(folder: Path, portable: str, origins: dict[str, dict]) -> dict:
    """Make the folder this corpus's, or find that it is already; languages may be added to it."""
    path = folder / FILE
    if not path.exists():
        if any(p for p in folder.iterdir() if p.name[0] != "."):
            raise FactrootsError(f"{folder} is not empty and holds no corpus; name another folder")
        about = {"schema_version": SCHEMA_VERSION, "source": portable, "languages": {}, "wanted": []}
    else:
        about = read_json(path)
        if about.get("schema_version") != SCHEMA_VERSION:
            raise FactrootsError(f"{folder} was built by another version of factroots; name another folder")
        if about["source"] != portable:
            raise FactrootsError(f"{folder} holds another corpus ({about['source']}); name another folder")
        for lang, origin in origins.items():
            held = about["languages"].get(lang)
            if held and held["files"] != origin["files"]:
                raise FactrootsError(f"{folder} holds {lang} of other files; name another folder, or remove this one")
    about["wanted"] = sorted({*about["wanted"], *origins})
    write_json(path, about, sort_keys=True)
    return about


def _read(opened: Source, lang: str, parts: Parts, progress: Quiet) -> tuple[Done, Faults]:
    """Read a language to its end, from where its parts stop, and give all faults met, now and then."""
    done, met = parts.done(), Faults()
    made = Faults() + done.faults
    held, split, number = Gathered(done.documents, splitter(lang)), splitter(lang), 0
    progress.advance(done.documents, before=True)

    def keep() -> None:
        nonlocal done, held
        done = Done(done.parts + 1, number, done.documents + len(held.documents), Faults() + made)
        parts.add(*held.tables(), done)
        progress.advance(len(held.documents))
        held = Gathered(done.documents, split)

    for number, row in enumerate(opened.reader.rows(lang, met), 1):
        if number <= done.rows:
            continue
        document = opened.reader.document(row, made)
        if not held.add(document):
            made.add("empty", document.title or document.id)
        if held.size >= _PART:
            keep()
    if held.documents or number > done.rows:
        keep()
    return done, met + made


def _finish(parts: Parts, faults: Faults, origin: dict) -> dict:
    """Put a language's parts together and say what it is."""
    about = {**parts.finish()._asdict(), "faults": faults.counts, "places": faults.places, "partial": bool(faults.bad)}
    about["looks_like"] = looks_like(parts.lang, parts.sample())
    return {**about, **origin, "factroots": version("factroots")}
