"""Pretrains the demo model: a small multilingual BERT that reads a planted world and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from time import monotonic

from data_builders.errors import FactrootsError
from data_builders.planted.world import read_about, read_articles, read_presence
from data_builders.sources import Source
from fine_tuning.pretrain_batches import batches
from fine_tuning.pretrain_card import Making, card
from fine_tuning.pretrain_pieces import read_pieces
from fine_tuning.pretrain_scoring import answer_all
from fine_tuning.pretrain_silos import WIDTH, Silos, only
from fine_tuning.pretrain_tokenizer import LONGEST, train_tokenizer

STEPS = 13000
RATE, WARM_UP, DECAY = 2e-3, 0.05, 0.01
SHAPE = {
    "hidden_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": LONGEST,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


def pretrain(
    world: Path,
    out: Path,
    source: Source,
    seed: int,
    steps: int = STEPS,
    report: Callable[[int, float], None] = lambda step, loss: None,
    siloed: bool = False,
):
    """Train a tokenizer and a model on `world`, probe the model, and write all with a card to `out`, a new folder.

    A `siloed` twin (:mod:`fine_tuning.pretrain_silos`) is a folder for each language, and one card. `report` is called
    after every step with its number and loss. Everything random hangs on `seed`; another number of threads may still
    change the last digits of a sum. An interrupted run leaves no `out`. Raises FactrootsError if `out` exists.
    """
    import torch
    from transformers import BertConfig, BertForMaskedLM

    if out.exists():
        raise FactrootsError(f"{out} exists already; name a new folder for the model")
    started = monotonic()
    tokenizer = train_tokenizer(_texts(world))
    pieces = read_pieces(world, tokenizer)
    languages = read_about(world)["languages"]
    torch.manual_seed(seed)
    shape = {"vocab_size": len(tokenizer), **SHAPE}
    if siloed:
        shape["intermediate_size"] = WIDTH * len(languages)
    model = BertForMaskedLM(BertConfig(pad_token_id=tokenizer.pad_token_id, **shape))
    silos = Silos(model, len(languages)) if siloed else None
    _train(model, islice(batches(pieces, tokenizer, seed), steps), steps, report, silos)
    seconds = monotonic() - started
    model.eval()
    models = {lang: only(model, number) for number, lang in enumerate(languages)} if siloed else {None: model}
    answers = [
        answer
        for lang, own in models.items()
        for answer in answer_all(own, tokenizer, world, source, [lang] if lang else None)
    ]
    threads, parameters = torch.get_num_threads(), sum(p.numel() for p in model.parameters())
    text = card(Making(seed, steps, seconds, threads, read_about(world), shape, parameters, siloed), answers)
    _save(models, tokenizer, text, out)


def _texts(world: Path) -> list[str]:
    """All sentences, and all names, also those that no sentence holds."""
    languages = read_about(world)["languages"]
    articles = [article for lang in languages for article in read_articles(world, lang)]
    names = read_presence(world)
    sentences = [s.text for article in articles for paragraph in article.paragraphs for s in paragraph]
    return sentences + names["subject"].to_pylist() + names["object"].to_pylist()


def _train(model, stream, steps: int, report: Callable[[int, float], None], silos: Silos | None) -> None:
    """One pass over `stream`: AdamW, a linear warm-up and a linear way down to nothing."""
    with silos.held() if silos else nullcontext():
        _pass(model, stream, steps, report, silos)


def _pass(model, stream, steps: int, report: Callable[[int, float], None], silos: Silos | None) -> None:
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), RATE, betas=(0.9, 0.98), weight_decay=DECAY, fused=True)
    warm = max(1, round(WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm))
    )
    model.train()
    for step, batch in enumerate(stream, 1):
        if silos:
            silos.choose(batch.langs)
        states = model.bert(torch.from_numpy(batch.ids), attention_mask=torch.from_numpy(batch.attention).long())[0]
        # Only hidden places are decoded: the vocabulary is the dearest matrix of so small a model.
        logits = model.cls(states[torch.from_numpy(batch.hidden)])
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(batch.answers))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        report(step, loss.item())


def _save(models: dict, tokenizer, text: str, out: Path) -> None:
    """Write beside `out` and rename, so that `out` is whole or absent; a model of a language has its own folder."""
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    tokenizer.backend_tokenizer.no_padding()  # else the last batch's padding is saved as the tokenizer's own
    try:
        for lang, model in models.items():
            folder = partial / lang if lang else partial
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
        (partial / "README.md").write_text(text, encoding="utf-8")
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
