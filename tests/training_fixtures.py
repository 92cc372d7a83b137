"""Tiny models with a few sentences to train on."""

from __future__ import annotations

from pathlib import Path

import torch
from neuron_fixtures import tiny

from fine_tuning.training.job import Examples, Job
from fine_tuning.training.loss import IGNORED
from fine_tuning.training.schedule import Schedule

SENTENCES = ["Roma is la capital", "the capital of Italia is Roma", "Par la is the of", "Italia of la", "is Roma Par"]


class Rows(list):
    """Token ids of sentences, as a data set."""


def examples(one, sentences=tuple(SENTENCES), held: int = 2, mask: bool | None = None) -> Examples:
    """`sentences`, of which the last `held` are held out; masked LMs are asked every second token."""
    rows = Rows({"ids": one.tokenizer(text)["input_ids"], "number": i} for i, text in enumerate(sentences))
    masks = one.family == "masked" if mask is None else mask

    def collate(some):
        longest = max(len(row["ids"]) for row in some)
        ids = torch.full((len(some), longest), one.tokenizer.pad_token_id or 0)
        labels, attention = torch.full_like(ids, IGNORED), torch.zeros_like(ids)
        for i, row in enumerate(some):
            n = len(row["ids"])
            ids[i, :n], attention[i, :n] = torch.tensor(row["ids"]), 1
            labels[i, :n] = ids[i, :n]
            if masks:
                places = (torch.arange(n) + row.get("draw", row["number"])) % 2 == 0
                labels[i, :n][~places] = IGNORED
                ids[i, :n][places] = one.tokenizer.mask_token_id
        return {"input_ids": ids, "attention_mask": attention, "labels": labels}

    cut = len(rows) - held
    return Examples(Rows(rows[:cut]), Rows(rows[cut:]) if held else None, collate, {"sentences": len(rows)})


def job(folder: Path, kind: str = "bert", schedule: Schedule | None = None, dropout: float = 0.1, **more) -> Job:
    """A job over :data:`SENTENCES` for a tiny model of a kind of :data:`neuron_fixtures.KINDS`."""
    one = tiny(kind)
    for module in one.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    more = {"quiet": True, "examples": examples(one), **more}
    return Job(one, schedule=schedule or Schedule(steps=12, batch=4, rate=1e-3), folder=folder, **more)
