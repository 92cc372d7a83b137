"""What is counted of a language, as the tensors of one file: a finished one, or one that a killed fit goes on from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from data_builders.errors import FactrootsError
from data_builders.folder import write_atomically
from probe.geometry.classes import Classes
from probe.geometry.moments import Moments

#: The parts of the text that moments are of.
FITTED = ("fit", "again")
#: The kinds of classes that the states of ``fit`` are summed by, and the names of universal parts of speech.
KINDS = ("position", "pos")
UPOS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)


class Tally(NamedTuple):
    """``done``: sequences that have been counted; leading axes are layers; ``classes``: by some of :data:`KINDS`."""

    done: int
    moments: dict[str, Moments]
    classes: dict[str, Classes]

    @classmethod
    def zero(cls, layers: int, width: int, names: dict[str, tuple[str, ...]]) -> Tally:
        """Of nothing; `names` are those of each kind's classes."""
        moments = {part: Moments.zero(layers + 1, width) for part in FITTED}
        return cls(0, moments, {kind: Classes.zero(own, layers + 1, width) for kind, own in names.items()})

    def merged(self, other: Tally) -> Tally:
        """Of what both counted; classes that only one of them has are dropped."""
        kinds = [kind for kind in self.classes if kind in other.classes]
        return Tally(
            self.done + other.done,
            {part: own.merged(other.moments[part]) for part, own in self.moments.items()},
            {kind: self.classes[kind].merged(other.classes[kind]) for kind in kinds},
        )

    def write(self, path: Path) -> None:
        """As safetensors; a symmetric matrix is written by its upper triangle."""
        tensors = {"done": np.array([self.done])}
        for name, own in [*self.moments.items(), *((kind, own.total) for kind, own in self.classes.items())]:
            tensors |= {
                f"{name}.n": np.array([own.n]),
                f"{name}.mean": own.mean,
                f"{name}.scatter": _halved(own.scatter),
            }
        for kind, own in self.classes.items():
            tensors |= {f"{kind}.counts": own.counts, f"{kind}.sums": own.sums}
        write_tensors(path, tensors)


def write_tensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """A safetensors file, whole or not at all.

    The library writes numpy's memory as it lies, whatever the order of its axes, and hides what the system says where
    it cannot write.
    """
    data = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})
    write_atomically(path, lambda part: part.write_bytes(data))


class TallyFile:
    """A tally on disk, of which a layer is read at a time (or all, where `layer` is None).

    Raises FactrootsError where the file is broken. `names` are those of each kind's classes.
    """

    def __init__(self, path: Path, names: dict[str, tuple[str, ...]]):
        self.path = path
        with self._opened() as file:
            self._keys = set(file.keys())
        self.names = {kind: own for kind, own in names.items() if f"{kind}.counts" in self._keys}

    def whole(self) -> Tally:
        moments = {part: self.moments(part) for part in FITTED}
        return Tally(int(self._read("done")[0]), moments, {kind: self.classes(kind) for kind in self.names})

    def moments(self, name: str, layer: int | None = None) -> Moments:
        mean = self.mean(name, layer)
        return Moments(
            int(self._read(f"{name}.n")[0]), mean, _squared(self._read(f"{name}.scatter", layer), mean.shape[-1])
        )

    def mean(self, name: str, layer: int | None = None) -> np.ndarray:
        return self._read(f"{name}.mean", layer)

    def classes(self, kind: str, layer: int | None = None) -> Classes:
        counts, sums = self._read(f"{kind}.counts"), self._read(f"{kind}.sums", layer)
        return Classes(self.names[kind], counts, sums, self.moments(kind, layer))

    def _read(self, name: str, layer: int | None = None) -> np.ndarray:
        with self._opened() as file:
            return file.get_tensor(name) if layer is None else file.get_slice(name)[layer]

    def _opened(self):
        try:
            return safe_open(self.path, "numpy")
        except (SafetensorError, OSError) as error:
            raise FactrootsError(f"{self.path} cannot be read ({error}); remove it and repeat its command") from error


@cache
def _triangle(width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(width)


def _halved(scatter: np.ndarray) -> np.ndarray:
    """[.., d, d] to [.., d (d + 1) / 2]."""
    return scatter[..., *_triangle(scatter.shape[-1])]


def _squared(half: np.ndarray, width: int) -> np.ndarray:
    """And back."""
    rows, columns = _triangle(width)
    whole = np.empty((*half.shape[:-1], width, width))
    whole[..., rows, columns] = half
    whole[..., columns, rows] = half
    return whole
