"""``fits.json``: all that decides the numbers of fits."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from data_builders.errors import FactrootsError
from data_builders.folder import write_json
from data_builders.schema import Count, Record, Sha256
from fine_tuning.models import Loaded
from probe.geometry.text import Sequences

SCHEMA_VERSION = 1
FILE = "fits.json"


class Model(Record):
    """The model that fits are of. name : what signatures call it, without a path of this machine."""

    spec: str
    id: str
    name: str
    family: str
    sha256: Sha256
    dtype: str


class Language(Record):
    """A language's text (:class:`probe.geometry.text.Sequences`).

    ``tagger`` is the spaCy pipeline that told its parts of speech, None where there is none.
    """

    origin: Sha256
    sha256: Sha256
    lines: Count
    repeated: Count
    whole: Count
    tagger: str | None

    @classmethod
    def of(cls, own: Sequences, tagger: str | None) -> Language:
        return cls(
            origin=own.origin,
            sha256=own.sha256,
            lines=own.lines,
            repeated=own.repeated,
            whole=own.whole,
            tagger=tagger,
        )


class About(Record):
    """What was fitted, to what.

    text : the source's name. number : sequences in each of ``fit`` and ``again``. test : those in ``test``. length :
    tokens of a sequence. specials : whether the states of special tokens count. layers : L, of 0..L. width : d.
    at : where the blocks were said to be. positions : the places in a sequence whose states were summed apart.
    """

    schema_version: int
    version: str
    model: Model
    text: str
    length: Count
    number: Count
    test: Count
    seed: int
    specials: bool
    layers: Count
    width: Count
    at: str | None
    positions: list[int]
    languages: dict[str, Language]

    @classmethod
    def read(cls, folder: Path) -> About:
        """Raises FactrootsError where the folder holds no fits, or those of another version."""
        path = folder / FILE
        try:
            about = cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise FactrootsError(f"{folder} holds no fits (no {FILE}); make them: probe geometry fit") from error
        except (ValidationError, UnicodeDecodeError):
            about = None
        if about is None or about.schema_version != SCHEMA_VERSION:
            raise FactrootsError(
                f"{path} is broken or of another version of factroots; make the fits anew in another --output"
            )
        return about

    def need(self, loaded: Loaded, where: Path) -> None:
        """Raises FactrootsError, with both hashes, for another model than that of the fits in `where`."""
        own = self.model
        if loaded.sha256 != own.sha256:
            raise FactrootsError(
                f"{where} was fitted to {own.spec}, whose SHA-256 is {own.sha256}; that of {loaded.spec} is "
                f"{loaded.sha256}; pass the --model that it was fitted to, or fit this one: probe geometry fit"
            )
        if loaded.dtype != own.dtype:
            raise FactrootsError(f"{where} was fitted in {own.dtype}, not in {loaded.dtype}; pass --dtype {own.dtype}")


def claim(folder: Path, about: About) -> None:
    """Make a folder that of these fits, or find that it is already; raises FactrootsError where it holds others."""
    if not (folder / FILE).exists():
        if any(path for path in folder.iterdir() if path.name[0] != "."):
            raise FactrootsError(f"{folder} is not empty and holds no fits; choose another --output")
        write_json(folder / FILE, about.model_dump())
    elif (held := About.read(folder)) != about:
        differ = ", ".join(name for name in About.model_fields if getattr(held, name) != getattr(about, name))
        raise FactrootsError(f"{folder} holds other fits (their {differ} differ); choose another --output")
