"""What every method of fine-tuning is: a frozen value with one canonical text, and what it does with a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec
from fine_tuning.training.schedule import Schedule

if TYPE_CHECKING:
    from fine_tuning.training.job import Job


class Plan(NamedTuple):
    """What a method would do to a model, for ``--dry-run``.

    trained : parameters that get a gradient. stored : numbers that the variant keeps. held : numbers in memory beside
    the model's own parameters at the peak (gradients, optimizer, copies, masks), activations left out.
    phases : the phases' names with their steps.
    """

    trained: int
    stored: int
    held: int
    phases: dict[str, int]


class Trained(NamedTuple):
    """What a method made: ``write`` fills the variant's folder; ``kind``, ``config``, ``tie``, ``trained`` and
    ``stored`` are as in :class:`fine_tuning.variants.about.About`."""

    kind: str
    write: Callable[[Path], None]
    tie: str
    trained: int
    stored: int
    config: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Method:
    """A method with its published defaults; every field can be set in its text: ``lt-sft(density=0.01,l1=0.1)``.

    Fields are whole numbers, numbers, words, flags (bool, written by name alone or as ``no-name``) or tuples of words.
    """

    name: ClassVar[str]
    #: The published schedule; the command line's options are laid over it.
    schedule: ClassVar[Schedule] = Schedule()

    def __str__(self) -> str:
        args = []
        for field in fields(self):
            value, default = getattr(self, field.name), field.default
            if value == default:
                continue
            key = field.name.replace("_", "-")
            if isinstance(value, bool):
                args.append((key if value else f"no-{key}", ()))
            elif isinstance(value, tuple):
                args.append((key, tuple(map(str, value))))
            else:
                args.append((key, (repr(value) if isinstance(value, float) else str(value),)))
        return str(Spec(self.name, None, tuple(args)))

    def plan(self, model, schedule: Schedule) -> Plan:
        """What training `model` would take; the model is left as it is."""
        raise NotImplementedError

    def train(self, job: Job) -> Trained:
        """Train; every phase goes through ``job.fit``. Raises FactrootsError where the model does not fit."""
        raise NotImplementedError


M = TypeVar("M", bound=Method)


def read_args(cls: type[M], spec: Spec) -> M:
    """`spec`'s parameters laid over the defaults of `cls`. Raises FactrootsError for what it does not know."""
    known = {field.name: field for field in fields(cls)}
    values: dict[str, Any] = {}
    for key, given in spec.args:
        name = key.replace("-", "_")
        flag = not given and name.startswith("no_") and name not in known
        name = name[3:] if flag else name
        if name not in known:
            raise unknown(f"parameter of {spec.name}", key, [n.replace("_", "-") for n in known])
        values[name] = False if flag else _value(spec.name, key, given, known[name].default)
    try:
        return replace(cls(), **values)
    except ValueError as error:
        raise FactrootsError(f"{spec}: {error}") from error


def _value(method: str, key: str, given: tuple[str, ...], default):
    if default is MISSING:
        raise TypeError(f"{method}: {key} has no default")
    if isinstance(default, tuple):
        return given
    if isinstance(default, bool):
        if given:
            raise FactrootsError(f"{method}: {key} is a flag; write {key} or no-{key}")
        return True
    kind = {int: int, float: float, str: str}[type(default)]
    try:
        (text,) = given
        return kind(text)
    except ValueError as error:
        expected = {int: "a whole number", float: "a number", str: "one word"}[kind]
        raise FactrootsError(f"{method}: {key} takes {expected}, got {';'.join(given) or 'nothing'}") from error
