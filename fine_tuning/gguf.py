"""GGUF files as models: converted once to safetensors, in float32, and from then on folders like any other."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from data_builders.errors import FactrootsError
from data_builders.sources import home
from fine_tuning.cache import make_once
from fine_tuning.gguf_header import read_header
from fine_tuning.packages import PACKAGED, files_of, terms_of

#: Beside the converted weights: which file they come from.
ABOUT = "gguf.json"
#: A tensor that decides the output and that transformers passes over in silence: the frequencies of Llama 3.1's RoPE.
UNREAD = "rope_freqs.weight"


def convert_file(path: Path) -> Path:
    """The folder that a GGUF file is converted to, made if need be.

    Raises FactrootsError in one line when the file is broken, or of a kind that transformers cannot read.
    """
    try:
        sha256 = _sha256([path])
    except OSError as error:
        raise FactrootsError(f"cannot read {path}: {error.strerror}") from error
    return make_once(_folder(path.stem, sha256), lambda folder: _convert(str(path), [path], sha256, folder))


def convert_packaged(alias: str) -> Path:
    """The folder that a model of :data:`PACKAGED` is converted to, made if need be; its licence is shown then.

    Raises FactrootsError when the package is not installed, or holds another file than the one that is known.
    """
    packaged = PACKAGED[alias]

    def make(folder: Path) -> None:
        files, terms = files_of(alias), terms_of(alias)
        if (found := _sha256(files)) != packaged.sha256:
            raise FactrootsError(
                f"model {alias}: {files[0].name} has SHA-256 {found}, expected {packaged.sha256}; "
                f"the package is damaged or of another version: uninstall it, then {packaged.install}"
            )
        _say(f"{alias}: {packaged.notice}; in full: {terms} (this is shown once)")
        shutil.copy(terms, folder)
        (folder / "NOTICE").write_text(f"{packaged.notice}.\nConverted from GGUF to safetensors.\n", encoding="utf-8")
        _convert(alias, files, packaged.sha256, folder)

    return make_once(_folder(alias, packaged.sha256), make)


def about(folder: Path) -> dict[str, str | None]:
    """Of a converted folder, the GGUF file's ``sha256``, ``architecture`` and ``quantization``."""
    try:
        return json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FactrootsError(f"{folder} is damaged ({error}); remove it, and it is made anew") from error


def _folder(name: str, sha256: str) -> Path:
    return home("models") / f"{name}-{sha256[:8]}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _sha256(files: Sequence[Path]) -> str:
    """Of files laid end to end."""
    digest = hashlib.sha256()
    for path in files:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _convert(name: str, files: Sequence[Path], sha256: str, folder: Path) -> None:
    if not (find_spec("gguf") and find_spec("accelerate")):
        raise FactrootsError(
            f"model {name} needs the extra: pip install 'factroots[models]'; or pass it as safetensors"
        )
    source = folder / "model.gguf"  # with no neighbours, whose config the library would take for this model's
    if len(files) == 1:
        source.symlink_to(files[0].absolute())
    else:
        with open(source, "wb") as whole:
            for path in files:
                with open(path, "rb") as part:
                    shutil.copyfileobj(part, whole, 1 << 20)
    header = read_header(source, name)
    if any(tensor.name == UNREAD for tensor in header.tensors):
        raise FactrootsError(f"model {name} holds {UNREAD}, which cannot be converted; pass the model as safetensors")
    needed, free = 4 * sum(tensor.weights for tensor in header.tensors), shutil.disk_usage(folder).free
    if needed > free:
        raise FactrootsError(
            f"model {name} needs {needed / 1e9:.1f} GB in {home('models')}, which has {free / 1e9:.1f}; "
            "set FACTROOTS_HOME to a folder with more"
        )
    _say(f"converting {name} to safetensors, once: {needed / 1e9:.1f} GB in {home('models')}")
    from fine_tuning.gguf_convert import write_safetensors

    write_safetensors(name, source, header)
    source.unlink()
    found = {"sha256": sha256, "architecture": header.architecture, "quantization": header.quantization}
    (folder / ABOUT).write_text(json.dumps(found), encoding="utf-8")
