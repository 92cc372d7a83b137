"""One training to be done: a model, examples, a schedule, and the folder in which its phases are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fine_tuning.models import Loaded
from fine_tuning.training.schedule import Schedule

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.data import Dataset
    from transformers import TrainerCallback

    from fine_tuning.training.languages import Languages


class Examples(NamedTuple):
    """What is learned from. ``collate`` makes a batch (input_ids, attention_mask, labels with −100 where nothing is
    asked) of some of ``train`` or ``held``; ``held`` (None: nothing) is never trained on, and its loss is that of the
    same masks each time. Rows are dicts; in training they have a ``draw`` (:class:`fine_tuning.training.drawing.Drawn`)
    that random masks are seeded by. ``about`` says where they come from, with hashes, for ``variant.json``."""

    train: Dataset
    held: Dataset | None
    collate: Callable[[list], dict[str, Tensor]]
    about: dict[str, Any]


@dataclass
class Job:
    """What a method is given. ``model`` parameters that require no gradient are frozen; ``fit`` trains the others.

    every : ask the held-out loss and the scores every so many steps (0: at the end). patience : stop when the loss has
        not fallen for so many evaluations, and keep the best (0: never).
    board : a folder to write the log to for TensorBoard too, if it is installed.
    scores : what to ask besides the held-out loss, by name, as P@1; a function of the model that says a number.
    languages : variants that are on the model while a batch of their language is run; rows then say their ``lang``.
    phases : how each phase that is finished went: steps, seconds, losses.
    """

    loaded: Loaded
    examples: Examples
    schedule: Schedule
    folder: Path
    seed: int = 0
    quiet: bool = False
    every: int = 0
    patience: int = 0
    board: Path | None = None
    scores: dict[str, Callable[[nn.Module], float]] = field(default_factory=dict)
    languages: Languages | None = None
    phases: dict[str, dict] = field(default_factory=dict)

    def fit(
        self,
        phase: str,
        schedule: Schedule | None = None,
        callbacks: Sequence[TrainerCallback] = (),
        groups: Iterable[dict] | None = None,
    ) -> None:
        """Train the parameters of ``loaded.model`` that require a gradient, or `groups`, with transformers' Trainer.

        A phase that was finished before is not trained again: its result is put into the model. One that was stopped
        goes on from its last checkpoint and ends with the same bytes. `groups` are the optimizer's, where parameters
        learn at rates of their own, or others than the model's learn in their place; callbacks act on gradients in
        ``on_pre_optimizer_step``, where clipping is to come after them (``schedule.clip`` is done last).
        """
        from fine_tuning.training.fitting import fit

        fit(self, phase, schedule or self.schedule, callbacks, groups)

    def draws(self, number: int, size: int) -> Dataset:
        """`number` draws of what is trained on, for batches of `size`."""
        from fine_tuning.training.drawing import Drawn, InTurn

        data = self.examples.train
        return InTurn(data, number, size, self.seed) if self.languages else Drawn(data, number, self.seed)

    def collate(self, rows: list[dict]) -> dict[str, Any]:
        """The examples' batch, and where there are language variants the ``lang`` of its rows."""
        made = self.examples.collate(rows)
        return {**made, "lang": rows[0]["lang"]} if self.languages else made

    def speaking(self, lang: str | None) -> AbstractContextManager[None]:
        """The model with the variant of `lang` on it, if there is one, for as long as it is entered."""
        return self.languages.spoken(lang) if self.languages else nullcontext()
