"""Tiny tokenizers, models and fact sets for the prober's tests: nothing here is downloaded, all of it is seeded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig, AutoModelForMaskedLM, PreTrainedTokenizerFast

from data_builders.factset import FactSet
from data_builders.progress import Quiet
from fine_tuning.models import Loaded, ModelSpec
from probe.items import answered, candidate_rows
from probe.prompts import Relation, relations
from probe.running import describe, execute
from probe.scoring.scorer import Answer
from probe.store import Store

#: What the tokenizers can spell: Latin, Arabic, Hebrew, Japanese, Thai. ☃ and Cyrillic are unknown to them.
ALPHABET = "abcdefghilmnoprstuvzABCDEFGIJLMNPRSTVè'.,-[]XY()+*?\\|^$مصرالقهةישראל日本東京都は首です。กรุงเทพไย"
WORDS = ("Roma", "Italia", "Par", "capital", "is", "the", "of", "la", "東京", "กรุง", "القاهرة")
LIMIT = 48

#: Masked-LM architectures by `model_type`: what a tiny one needs beside the usual, and whether it is cut in halves.
ARCHITECTURES = {
    "albert": ({"embedding_size": 8}, True),
    "bert": ({}, True),
    "big_bird": ({"attention_type": "original_full"}, True),
    "camembert": ({}, True),
    "convbert": ({}, True),
    "data2vec-text": ({}, True),
    "deberta": ({}, True),
    "deberta-v2": ({"legacy": False, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]}, False),
    "deberta-v2 legacy": ({"legacy": True}, True),
    "distilbert": ({"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}, True),
    "electra": ({"embedding_size": 8}, True),
    "flaubert": ({"emb_dim": 16, "n_layers": 2, "n_heads": 2}, True),
    "fnet": ({}, True),
    "luke": ({"entity_vocab_size": 3, "entity_emb_size": 8}, False),
    "mobilebert": ({"embedding_size": 8, "intra_bottleneck_size": 8, "true_hidden_size": 8}, False),
    "modernbert": ({}, True),
    "mpnet": ({}, True),
    "nystromformer": ({}, True),
    "rembert": ({"input_embedding_size": 8, "output_embedding_size": 8}, True),
    "roberta": ({}, True),
    "roformer": ({}, True),
    "xlm": ({"emb_dim": 16, "n_layers": 2, "n_heads": 2}, True),
    "xlm-roberta": ({}, True),
}


def tiny_model(kind: str, tokenizer: PreTrainedTokenizerFast, seed: int = 0, **more):
    """A masked LM of two narrow layers, its weights (biases and norms too) drawn wide enough to have opinions."""
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = AutoConfig.for_model(
        kind.split()[0],
        **{
            "vocab_size": len(tokenizer),
            "pad_token_id": tokenizer.pad_token_id,
            "bos_token_id": tokenizer.cls_token_id,
            "eos_token_id": tokenizer.sep_token_id,
            "cls_token_id": tokenizer.cls_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "max_position_embeddings": LIMIT + 2,
            **({} if "dim" in ARCHITECTURES[kind][0] or "emb_dim" in ARCHITECTURES[kind][0] else sizes),
            **ARCHITECTURES[kind][0],
            **more,
        },
    )
    model = AutoModelForMaskedLM.from_config(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5, generator=generator)
    return model


def wordpiece(words: Iterable[str] = WORDS, alphabet: str = ALPHABET, limit: int = LIMIT) -> PreTrainedTokenizerFast:
    """A tokenizer as BERT's: word pieces, cased, every known character also as a continuation."""
    letters = sorted(set(alphabet))
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), *words, "##is"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    bare = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    bare.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    bare.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    bare.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    return PreTrainedTokenizerFast(tokenizer_object=bare, model_max_length=limit, **names)


def unigram(
    lstrip: bool, words: Iterable[str] = WORDS, alphabet: str = ALPHABET, limit: int = LIMIT
) -> PreTrainedTokenizerFast:
    """A tokenizer as XLM-R's, a unigram model; `lstrip` says whether <mask> swallows the space before it."""
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(c, -6.0) for c in sorted(set(alphabet))] + [(w, -4.0) for w in words] + [(f"▁{w}", -3.0) for w in words]
    bare = Tokenizer(models.Unigram(pieces, unk_id=3))
    bare.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    bare.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    bare.add_special_tokens([AddedToken("<mask>", lstrip=lstrip, normalized=False)])
    return PreTrainedTokenizerFast(
        tokenizer_object=bare,
        model_max_length=limit,
        pad_token="<pad>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
        mask_token=AddedToken("<mask>", lstrip=lstrip, normalized=False, special=True),
    )


TOKENIZERS = {
    "wordpiece": wordpiece,
    "unigram, mask takes its space": lambda: unigram(True),
    "unigram, mask leaves its space": lambda: unigram(False),
}


def loaded(model, tokenizer, name: str = "tiny/model") -> Loaded:
    """A model in hand as the command would have loaded it."""
    return Loaded(ModelSpec(name), model, tokenizer, name, "0" * 40, "0" * 64, str(model.dtype).removeprefix("torch."))


def save_model(folder: Path, model, tokenizer) -> Path:
    """A folder that `probe run --model` can load."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def fact(relation: str, subject: str, answer: str, **more) -> dict:
    """A row of a fact file; URIs are made from the labels unless given."""
    return {
        "relation": relation,
        "subject_uri": f"S:{subject}",
        "object_uri": f"O:{answer}",
        "subject": subject,
        "object": answer,
        **more,
    }


def write_facts(folder: Path, rows: dict[str, Sequence[dict]], templates: dict[str, dict[str, str | list[str]]]) -> str:
    """Write facts by language and templates by language and relation; returns the text of the fact set."""
    folder.mkdir(parents=True, exist_ok=True)
    for lang, facts in rows.items():
        _lines(folder / f"facts-{lang}.jsonl", facts)
    _lines(
        folder / "templates.jsonl",
        (
            {"relation": relation, "lang": lang, "template": text}
            for lang, own in templates.items()
            for relation, texts in own.items()
            for text in ([texts] if isinstance(texts, str) else texts)
        ),
    )
    return f"facts:{folder}"


def _lines(path: Path, rows: Iterable[dict]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def probed(folder: Path, facts: str, one: Loaded, scoring: str = "masks") -> Store:
    """A finished run of `facts` in `folder`, made through the prober's own door."""
    data = FactSet.parse(facts).open()
    store = Store(folder)
    with store.lock():
        store.claim(describe(data, one, scoring))
        execute(data, one, store, Quiet())
    return store


def small_world(folder: Path, subjects: int = 12, langs: Sequence[str] = ("it", "ja")) -> str:
    """A fact set of two relations and two languages, with objects of one and of several tokens."""
    objects = {"it": ["Roma", "Paris", "Lima", "Tunis"], "ja": ["東京", "本", "日本東", "首都"]}
    rows, templates = {}, {}
    for lang in langs:
        names = objects.get(lang, objects["it"])
        rows[lang] = [
            fact(
                relation,
                f"{prefix}{'abcdefghilmnoprstuvz'[i % 20]}{i // 20 * 'a'}",
                names[(i * step) % 4],
                subject_uri=f"S{i}",
                object_uri=f"O{(i * step) % 4}",
                fact=f"{relation}-{i}",
            )
            for relation, prefix, step in (("P36", "I", 1), ("P47", "T", 3))
            for i in range(subjects)
        ]
        templates[lang] = {"P36": "the capital of [X] is [Y].", "P47": "[Y] la [X]."}
    return write_facts(folder, rows, templates)


def rigged(
    folder: Path,
    facts: str,
    score: Callable[[str, str, str], float],
    choose: Callable[[str, str, int], list[int]] | None = None,
    tokenizer: PreTrainedTokenizerFast | None = None,
    name: str = "tiny/model",
) -> Store:
    """A finished run whose scores are made: `score(relation, subject, label)` and `choose(relation, subject, masks)`.

    `score` gives what a candidate has per token, `choose` the tokens chosen at the masks (by default all are 0).
    """
    tokenizer = tokenizer or wordpiece()
    data = FactSet.parse(facts).open()
    store = Store(folder)
    with store.lock():
        store.claim(describe(data, loaded(tiny_model("bert", tokenizer), tokenizer, name), "masks"))
        for lang in data.langs:
            with store.journal(lang) as (_, add):
                found = list(relations(data, lang, lambda ls: tokenizer(ls, add_special_tokens=False)["input_ids"]))
                store.add_candidates(lang, [candidate_rows(relation) for relation in found])
                for relation in found:
                    add(_answered(relation, score, choose or (lambda _, __, masks: [0] * masks)))
    return store


def _answered(relation: Relation, score, choose):
    lengths = [len(tokens) for tokens in relation.tokens]
    masks = range(1, max(1, max(lengths)) + 1)
    questions, answers = [q for q in relation.questions if q.facts], []
    for q in questions:
        values = [
            score(relation.name, q.subject, label) * (n or np.nan)
            for label, n in zip(relation.labels, lengths, strict=True)
        ]
        argmax = [t for k in masks for t in choose(relation.name, q.subject, k)]
        kept = [values[i] for i in q.given or range(len(values))]
        zeros = np.zeros(len(masks), np.float32)
        answers.append(Answer(None, np.array(kept, np.float32), None, np.array(argmax, np.int32), zeros))
    return answered(relation.name, questions, answers)
