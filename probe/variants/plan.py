"""A comparison as it is asked for: in a YAML file, on the command line, or both; and the models that it names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from data_builders.errors import FactrootsError, unknown
from fine_tuning.model_spec import ModelSpec
from probe.commands.options import Names


class Named(NamedTuple):
    """A model and what it is called in tables: the folders' own names, or all of the text where these are alike."""

    name: str
    spec: ModelSpec


def models(base: str, variants: Sequence[str]) -> list[Named]:
    """The base, and the base with each variant (``runs/it*0.5``, ``runs/lang+runs/task``) applied.

    Raises FactrootsError where one is none, or is named twice.
    """
    plain = ModelSpec.parse(base)
    specs = [plain, *(ModelSpec.parse(f"{base}+{text.strip()}") for text in variants)]
    if twice := [str(spec) for spec, n in Counter(specs).items() if n > 1]:
        raise FactrootsError(f"{twice[0]} is named twice in --variants; name it once")
    own = [spec.variants[len(plain.variants) :] for spec in specs]
    short = [Path(base).name, *("+".join(str(v._replace(folder=Path(v.folder).name)) for v in vs) for vs in own[1:])]
    whole = [base, *("+".join(map(str, vs)) for vs in own[1:])]
    alike = Counter(short)
    return [Named(s if alike[s] == 1 else w, spec) for s, w, spec in zip(short, whole, specs, strict=True)]


def read_yaml(path: Path, params: Sequence[click.Parameter]) -> dict:
    """The options in a YAML file by the names of `params`, in the form that click takes defaults in.

    Raises FactrootsError for text that is no YAML, keys that are no option, and values of another kind.
    """
    import yaml

    options = {param.opts[-1].lstrip("-"): param for param in params if isinstance(param, click.Option)}
    try:
        read = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FactrootsError(f"{path} is not readable YAML: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise FactrootsError(f"{path} cannot be read: {error.strerror}; name a YAML file") from error
    if not isinstance(read, dict):
        raise FactrootsError(
            f"{path} holds no keys; write one a line, as 'base: demo'; there are: {', '.join(options)}"
        )
    made = {}
    for key, value in read.items():
        name = str(key).replace("_", "-")
        if name not in options:
            raise FactrootsError(f"{path}: {unknown('key', str(key), options)}")
        made[options[name].name] = _value(path, key, value, options[name])
    return made


def _value(path: Path, key: str, value, option: click.Option):
    if isinstance(option.type, Names):
        values = value if isinstance(value, list) else [value]
        if all(isinstance(one, str) for one in values):
            return tuple(values) if isinstance(value, list) else value
        odd = next(one for one in values if not isinstance(one, str))
        raise FactrootsError(f"{path}: {key} takes names, got {odd!r}; put a name like no or 12 in quotes")
    kinds = (bool,) if option.is_flag else (str, int, float)
    if not isinstance(value, kinds) or (isinstance(value, bool) and not option.is_flag):
        wanted = "true or false" if option.is_flag else "one value"
        raise FactrootsError(f"{path}: {key} takes {wanted}, got {value!r}")
    return value if option.is_flag else str(value)
