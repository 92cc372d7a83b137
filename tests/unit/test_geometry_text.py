"""Text as sequences: packed as published, in parts that share no line, the same numbers in all languages."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from geometry_fixtures import KINDS, text, tiny

from data_builders.corpora.build import build
from data_builders.errors import FactrootsError
from data_builders.progress import Quiet
from probe.geometry.packing import Frame
from probe.geometry.sources import lines, open_text
from probe.geometry.text import PARTS, read_sequences, special_ids

LENGTH = 24


def by_hand(tokenizer, texts: list[str], before: list[int], between: list[int]) -> list[list[int]]:
    """<s> line </s> line </s> .. until a sequence is full; the rest of its last line is thrown away."""
    found, row = [], list(before)
    for line in texts:
        row = [*row, *tokenizer(line, add_special_tokens=False)["input_ids"], *between]
        if len(row) >= LENGTH:
            found.append(row[:LENGTH])
            row = list(before)
    return found


def all_of(own) -> list[list[int]]:
    return [row for part in PARTS for row in getattr(own, part).tolist()]


#: Ids that stand before a sequence and between its lines, as each kind's tokenizer has them.
SPECIAL = {
    "bert": ("[CLS]", "[SEP]"), "xlm-roberta": ("<s>", "</s>"), "gpt2": (None, "<|endoftext|>"),
    "llama": ("<s>", "</s>"), "gemma3": ("<s>", "</s>"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_packed_as_published(kind, tmp_path):
    one = tiny(kind)
    where = text(tmp_path, lines=60)
    before, between = ([] if name is None else [one.tokenizer.convert_tokens_to_ids(name)] for name in SPECIAL[kind])
    found = read_sequences(str(where), one, ["it"], LENGTH, 500, 500)["it"]
    expected = by_hand(one.tokenizer, (where / "it.txt").read_text().splitlines(), before, between)
    assert found.whole == len(expected)
    dealt = all_of(found)
    assert len(dealt) >= len(expected) - 2  # what does not go into three parts evenly
    assert all(row in expected for row in dealt) and len({*map(tuple, dealt)}) == len(dealt)
    assert Frame.of(one.tokenizer) == (before, between)


def test_lines_that_come_again_are_left_out_and_no_line_is_in_two_parts(tmp_path):
    one, where = tiny("bert"), text(tmp_path, ("it",), lines=80)
    path = where / "it.txt"
    own = path.read_text().splitlines()
    path.write_text("\n".join(itertools.chain.from_iterable(zip(own, own[:1] * 80, strict=False))) + "\n\n  \n")
    found = read_sequences(str(where), one, None, LENGTH, 500, 500)["it"]
    assert found.repeated == len(own) and found.lines == 2 * len(own)  # the first line, and so many more of it
    expected = by_hand(one.tokenizer, own, [2], [3])
    assert found.whole == len(expected)
    assert all(row in expected for row in all_of(found))
    assert len(found.held) == len({*found.held.tolist()})
    fits = {line for lines in found.texts for line in lines}
    assert len(fits) == sum(map(len, found.texts)) and fits <= {*own}


def test_the_poorest_decides_and_the_parts_keep_their_proportion(tmp_path):
    where = text(tmp_path, ("it", "ja"), lines=200)
    text(where, ("af",), lines=50)
    one = tiny("bert")
    found = read_sequences(str(where), one, None, LENGTH, 400, 200)
    assert [*found] == ["af", "it", "ja"]
    shapes = {tuple(getattr(own, part).shape for part in PARTS) for own in found.values()}
    assert len(shapes) == 1
    (fit, again, test), whole = shapes.pop(), found["af"].whole
    assert whole < found["it"].whole and fit == again == (whole * 400 // 1000, LENGTH)
    assert test == (min(200, whole - 2 * fit[0]), LENGTH)
    alone = read_sequences(str(where), one, ["it"], LENGTH, fit[0], test[0])["it"]
    assert alone.sha256 == found["it"].sha256  # the lines that stand first, whoever decided how many


def test_a_language_is_dealt_the_same_whatever_stands_beside_it(tmp_path):
    where, one = text(tmp_path, ("it", "ja"), lines=200), tiny("bert")
    both, alone = (read_sequences(str(where), one, langs, LENGTH, 9, 5) for langs in (None, ["it"]))
    assert both["it"].sha256 == alone["it"].sha256 and both["it"].sha256 != both["ja"].sha256
    other = read_sequences(str(where), one, ["it"], LENGTH, 9, 5, seed=1)["it"]
    assert other.sha256 != alone["it"].sha256
    assert sorted(all_of(other)) == sorted(all_of(alone["it"]))  # the same text, shuffled otherwise
    assert np.array_equal(other.held, alone["it"].held)
    assert not np.array_equal(other.fit, alone["it"].fit)


def test_the_length_is_what_the_model_reads(tmp_path):
    where, one = text(tmp_path, ("it",), lines=300), tiny("bert")
    assert read_sequences(str(where), one, number=3, test=2)["it"].fit.shape == (3, 48)
    with pytest.raises(FactrootsError, match="--length takes 2 to 48 tokens.*got 64"):
        read_sequences(str(where), one, length=64)


def test_too_little_text(tmp_path):
    where = text(tmp_path, ("it",), lines=4)
    with pytest.raises(FactrootsError, match=r"has \d whole sequences of 24 tokens in it, too few for three parts"):
        read_sequences(str(where), tiny("bert"), length=LENGTH)


def test_special_ids():
    one = tiny("xlm-roberta").tokenizer
    assert [*special_ids(one)] == sorted(one.convert_tokens_to_ids(["<s>", "</s>", "<pad>", "<mask>"]))


def test_kinds_of_text(tmp_path):
    folder = text(tmp_path / "plain", ("it", "ja"), lines=5)
    (folder / "README.md").write_text("not text")
    source = open_text(str(folder))
    assert source.name == "plain" and source.langs == ("it", "ja")
    expected = (folder / "it.txt").read_text().splitlines()
    assert [*lines(source.of("it"))] == expected
    for lang in ("ita", "pt-BR"):
        (tmp_path / "refs" / lang).mkdir(parents=True)
        (tmp_path / "refs" / lang / f"ref.{lang}.txt").write_text("uno\n\ndue\n")
    nested = open_text(str(tmp_path / "refs" / "{lang}" / "ref.{lang}.txt"))
    assert nested.langs == ("ita", "pt-BR") and [*lines(nested.of("ita"))] == ["uno", "due"]
    build(f"text:{folder}(line=paragraph)", None, tmp_path / "built", Quiet())
    built = open_text(str(tmp_path / "built"))
    assert built.langs == ("it", "ja") and [*lines(built.of("it"))] == expected


def test_what_is_no_text(tmp_path):
    with pytest.raises(FactrootsError, match=r"--text .*nowhere: no file .*\{lang\}.txt; give a folder of <lang>.txt"):
        open_text(str(tmp_path / "nowhere"))
    folder = text(tmp_path, ("it",), lines=5)
    with pytest.raises(FactrootsError, match="unknown language 'ja'; there are: it"):
        open_text(str(folder)).of("ja")
    (folder / "it.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(FactrootsError, match="is not UTF-8"):
        [*lines(open_text(str(folder)).of("it"))]
