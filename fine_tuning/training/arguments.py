"""A job's settings as transformers' Trainer and AdamW take them."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from transformers import TrainingArguments

from fine_tuning.training.job import Job
from fine_tuning.training.schedule import Schedule


def arguments(job: Job, folder: Path, schedule: Schedule) -> TrainingArguments:
    """What the Trainer is told: nothing of it logs, draws or clips by itself."""
    steps, asks = schedule.steps, job.examples.held is not None or bool(job.scores)
    made = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=schedule.batch // schedule.accumulate,
        gradient_accumulation_steps=schedule.accumulate,
        learning_rate=schedule.rate,
        warmup_steps=math.ceil(schedule.warmup * steps),
        weight_decay=schedule.decay,
        max_grad_norm=0.0,  # Log cuts it, after the callbacks
        optim="adamw_torch_fused",
        seed=job.seed,
        use_cpu=job.loaded.model.device.type == "cpu",
        eval_strategy="steps" if asks else "no",
        eval_steps=job.every or steps,
        save_strategy="steps",
        save_steps=job.every if job.patience else math.ceil(steps / 10),
        save_total_limit=1,
        load_best_model_at_end=bool(job.patience),
        metric_for_best_model="loss" if job.patience else None,
        greater_is_better=False if job.patience else None,
        logging_strategy="no",
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        log_level="error",
    )
    if made.device.type == "cuda":
        made._n_gpu = 1  # else a batch would be spread over all there are
    return made


def optimizer(groups: list[dict], schedule: Schedule) -> torch.optim.Optimizer:
    """The optimizer that the Trainer makes by itself, over parameters that have rates of their own."""
    return torch.optim.AdamW(
        groups, lr=schedule.rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=schedule.decay, fused=True
    )
