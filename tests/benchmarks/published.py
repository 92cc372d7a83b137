"""mLAMA's way of scoring, written anew from its description to be measured against: slow, plain and faithful.

Batches of four sentences, every number of masks, log-probabilities of the whole vocabulary at every position copied
out of the model, and a Python loop over the candidates (norakassner/mlama, scripts/batch_eval_KB_completion_*).
"""

from __future__ import annotations

import torch


@torch.inference_mode()
def score(model, tokenizer, prompts: list[str], candidates: list[list[int]], batch: int = 4) -> list[list[float]]:
    """Mean log-probability of each candidate [prompts][candidates]; ``[Y]`` stands for the masks."""
    values = [[0.0] * len(candidates) for _ in prompts]
    for masks in range(1, max(map(len, candidates)) + 1):
        filled = [p.replace("[Y]", " ".join([tokenizer.mask_token] * masks)) for p in prompts]
        for start in range(0, len(filled), batch):
            inputs = tokenizer(filled[start : start + batch], padding=True, return_tensors="pt")
            inputs = {key: inputs[key] for key in ("input_ids", "attention_mask")}
            logprob = torch.log_softmax(model(**inputs).logits, dim=-1).numpy()
            for row, ids in enumerate(inputs["input_ids"].tolist()):
                where = [i for i, token in enumerate(ids) if token == tokenizer.mask_token_id]
                for number, tokens in enumerate(candidates):
                    if len(tokens) == masks:
                        total = sum(logprob[row, place, token] for place, token in zip(where, tokens, strict=True))
                        values[start + row][number] = float(total) / masks
    return values
