"""Models from a hub: fetched into its cache, and their weights checked against the checksums that the hub lists."""

from __future__ import annotations

import hashlib
from pathlib import Path

from data_builders.errors import FactrootsError
from fine_tuning.model_spec import ModelSpec

#: What a model needs; anything else of a repository, pickles and code above all, stays there.
WANTED = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model"]


def fetch_model(spec: ModelSpec) -> Path:
    """The model's folder in the hub's cache, downloaded first where it lacks anything.

    Raises FactrootsError in one line when the hub has no such model, cannot be reached while the cache has none, or
    gives weights whose SHA-256 is not the one it lists.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    asked = {"repo_id": spec.location, "revision": spec.revision, "allow_patterns": WANTED}
    try:
        held = _weights(Path(snapshot_download(**asked, local_files_only=True)))
    except LocalEntryNotFoundError:
        held = set()
    try:
        folder = Path(snapshot_download(**asked))
    except RevisionNotFoundError as error:
        raise FactrootsError(f"model {spec}: {spec.location} has no revision {spec.revision}") from error
    except RepositoryNotFoundError as error:
        raise FactrootsError(f"model {spec}: the hub has no {spec.location}") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise FactrootsError(
            f"model {spec} is {spec.location}, which is no folder and not in the cache here, and the hub cannot be "
            f"reached; pass --model /path/to/{spec.location.split('/')[-1]}, or try --model demo"
        ) from error
    if new := _weights(folder) - held:
        _check(spec, folder, new)
    return folder


def _weights(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.safetensors")}


def _check(spec: ModelSpec, folder: Path, names: set[str]) -> None:
    """Compare weights that have just come with the hub's list; damaged ones are removed."""
    from huggingface_hub import HfApi

    listed = HfApi().model_info(spec.location, revision=folder.name, files_metadata=True).siblings
    expected = {file.rfilename: file.lfs.sha256 for file in listed if file.lfs}
    for name in sorted(names & expected.keys()):
        with open(folder / name, "rb") as weights:
            found = hashlib.file_digest(weights, "sha256").hexdigest()
        if found != expected[name]:
            (folder / name).resolve().unlink()
            (folder / name).unlink(missing_ok=True)
            raise FactrootsError(
                f"model {spec}: {name} has SHA-256 {found}, the hub lists {expected[name]}; "
                "it was thrown away: the same command fetches it again"
            )
