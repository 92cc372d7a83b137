"""The demo model's WordPiece tokenizer: one small vocabulary over all the languages of a planted world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

VOCABULARY = 8000
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
#: The longest text, in tokens, that the model has positions for.
LONGEST = 128

#: Letters inside a word are learned as other characters than letters at its start: moved up into a private plane.
_INSIDE = 0xF0000


def train_tokenizer(texts: Iterable[str], size: int = VOCABULARY):
    """A ``PreTrainedTokenizerFast`` whose words are learned from `texts`; the same texts give the same vocabulary.

    Japanese has no spaces, so it is cut where the script changes, and Han signs stand alone: a name then has the
    same pieces in a sentence, beside a mask and by itself, which is what scoring a candidate piece by piece needs.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    normalizer = normalizers.NFC()
    splitter = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated"),
            pre_tokenizers.Split(Regex(r"[\p{Katakana}ー]+"), "isolated"),
        ]
    )
    words = Counter(word for text in texts for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    vocabulary = {piece: number for number, piece in enumerate([*SPECIAL, *_pieces(words, size - len(SPECIAL))])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, splitter, decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=LONGEST, **names)


def _pieces(words: Counter[str], size: int) -> list[str]:
    """The `size` pieces that byte-pair merging finds in `words`, pieces inside a word marked ``##``.

    The library's own WordPiece trainer numbers the ``##`` letters in the order of a hash table, so that ties fall
    differently in every run. With the letters told apart beforehand its BPE trainer has only sorted letters to number.
    """
    from tokenizers import Tokenizer, models, trainers

    # Every letter also stands twice in a row: then it has a piece for either place, and new names are never unknown.
    doubled = {letter * 2: 1 for letter in {c for word in words for c in word if c.isalnum()}}
    moved = {word[0] + "".join(chr(ord(c) + _INSIDE) for c in word[1:]): n for word, n in {**doubled, **words}.items()}
    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False)
    tokenizer.train_from_iterator((word for word, n in sorted(moved.items()) for _ in range(n)), trainer)
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return [_unmoved(piece) for piece, _ in pieces]


def _unmoved(piece: str) -> str:
    """A learned piece as WordPiece spells it."""
    plain = "".join(chr(ord(c) - _INSIDE) if ord(c) >= _INSIDE else c for c in piece)
    return "##" + plain if ord(piece[0]) >= _INSIDE else plain
