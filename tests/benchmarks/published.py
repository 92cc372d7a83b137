"""mLAMA's way of scoring, written anew from a reading of norakassner/mlama (bc51dee) to be measured against.

As `scripts/batch_eval_KB_completion_mBERT_ranked.py` and `mlama/evaluation_metrics_ranked.py` do it: every fact is
run, in batches of four, with every number of masks; log-probabilities of the whole vocabulary at every position are
copied out of the model; and for each fact a Python loop over the candidates reads one number at a time.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F


@torch.no_grad()
def score(model, tokenizer, prompts: list[str], candidates: list[list[int]], batch: int = 4) -> np.ndarray:
    """Mean log-probability of each candidate [prompts, candidates]; ``[Y]`` stands for the masks."""
    by_masks: dict[int, dict[int, list[int]]] = {k: {} for k in range(1, max(map(len, candidates)) + 1)}
    for number, tokens in enumerate(candidates):
        by_masks[len(tokens)][number] = tokens
    values = np.empty((len(prompts), len(candidates)))
    for start in range(0, len(prompts), batch):
        held = prompts[start : start + batch]
        passes = [_log_probs(model, tokenizer, held, masks) for masks in by_masks]
        for row in range(len(held)):
            scores = _scores([(log_probs[row], where[row]) for log_probs, where in passes], by_masks)
            keys, found = np.array(list(scores.keys())), np.array(list(scores.values()))
            np.argsort(found)  # the rank, which the script reads off here
            values[start + row, keys] = found
    return values


def _log_probs(model, tokenizer, prompts: list[str], masks: int):
    sentences = [p.replace("[Y]", " ".join([tokenizer.mask_token] * masks)) for p in prompts]
    inputs = tokenizer(sentences, padding=True, return_tensors="pt")
    logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    where = [[i for i, t in enumerate(ids) if t == tokenizer.mask_token_id] for ids in inputs["input_ids"].tolist()]
    return F.log_softmax(logits, dim=-1).cpu(), where


def _scores(passes, by_masks) -> dict[int, float]:
    scores = {}
    for (log_probs, where), masks in zip(passes, by_masks, strict=True):
        predictions = log_probs[where]
        for candidate in by_masks[masks]:
            read = []
            for token, prediction in zip(by_masks[masks][candidate], predictions, strict=True):
                read.append(prediction[token])
            scores[candidate] = np.mean(read)
    return scores
