"""A work layer by layer, each kept as soon as it is done, so that an interrupted one goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from data_builders.errors import FactrootsError
from data_builders.folder import read_json, write_json
from data_builders.schema import Record

Part = TypeVar("Part", bound=Record)


def by_layer(
    folder: Path, layers: Iterable[int], name: str, schema: type[Part], make: Callable[[int], Part]
) -> list[Part]:
    """What `make` gives for each layer, read from `folder` (``<name>-<layer>.json``) where it is there already.

    Raises FactrootsError for a file that is broken.
    """
    found = []
    for layer in layers:
        path = folder / f"{name}-{layer:02}.json"
        if not path.exists():
            write_json(path, make(layer).model_dump(mode="json"))
        try:
            found.append(schema.model_validate(read_json(path)))
        except ValidationError as error:
            raise FactrootsError(f"{path} is broken; delete it, and the same command makes it anew") from error
    return found
