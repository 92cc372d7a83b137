"""The unit of text in which subject and object must occur together: one value, one canonical text."""

from __future__ import annotations

from dataclasses import dataclass

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec

KINDS = ("sentence", "paragraph", "abstract", "article", "window")
#: Units with a name of their own: Zhao et al. (2024) cut articles into chunks of 512 of mBERT's word-pieces.
NAMED = {"zhao2024": "window(512,stride=512,pieces=mbert)"}


@dataclass(frozen=True)
class Unit:
    """``sentence``, ``paragraph``, ``abstract`` (what stands before the first heading), ``article`` or a window.

    ``window(512,stride=256)`` slides over an article: `size` tokens at every `stride`-th. Tokens are words, and single
    characters in scripts without spaces; with ``pieces=MODEL`` they are that model's word-pieces, and names are then
    looked for as the model's tokenizer spells them, wherever that sequence stands.
    """

    kind: str
    size: int = 0
    stride: int = 0
    pieces: str | None = None

    @classmethod
    def parse(cls, text: str) -> Unit:
        """Read a unit's text; raises FactrootsError for what is none."""
        spec = Spec.parse(NAMED.get(text.strip(), text))
        if spec.name not in KINDS or spec.path is not None:
            raise unknown("unit", text, (*KINDS[:-1], "window(512,stride=256)", *NAMED))
        if spec.name != "window":
            if spec.args:
                raise FactrootsError(f"the unit {spec.name} takes no parameters, got {text!r}")
            return cls(spec.name)
        sizes = [key for key, value in spec.args if not value]
        named = {key: value for key, value in spec.args if value}
        if len(sizes) != 1 or not named.keys() <= {"stride", "pieces"} or any(len(v) != 1 for v in named.values()):
            raise FactrootsError(f"cannot read {text!r}; expected window(SIZE,stride=N) or window(SIZE,pieces=MODEL)")
        size = _count(sizes[0], text)
        stride = _count(named["stride"][0], text) if "stride" in named else size
        if stride > size:
            raise FactrootsError(f"{text}: a stride above the size leaves text out; set stride to {size} or less")
        return cls("window", size, stride, named.get("pieces", (None,))[0])

    def __str__(self) -> str:
        if self.kind != "window":
            return self.kind
        pieces = (("pieces", (self.pieces,)),) if self.pieces else ()
        return str(Spec("window", None, ((str(self.size), ()), ("stride", (str(self.stride),)), *pieces)))


def _count(text: str, whole: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise FactrootsError(f"{whole}: {text!r} is no number of tokens; expected one from 1 on")
    return int(text)
