"""Silencing summed up by root, on a table made by hand."""

from __future__ import annotations

import pyarrow as pa
import pytest

from probe.tracing.neurons.effects import EFFECTS
from probe.tracing.roots.kept import ROOTS, How
from probe.tracing.roots.silenced import by_root, chosen, wanted
from probe.tracing.roots.still import STILL


def table(rows):
    """Roots from (language, fact, root, source)."""
    blank = dict.fromkeys(ROOTS.names)
    return pa.Table.from_pylist(
        [
            blank | {"lang": lang, "fact": fact, "relation": "P1", "subject_uri": f"S{fact}", "root": root, "source": s}
            for lang, fact, root, s in rows
        ],
        ROOTS,
    )


def effect(fact, lang, other, drop, others=0.2):
    blank = {"relation": "P1", "subject_uri": f"S{fact}", "logprob": -1.0, "p": 0.1, "controls": 9, "random": 0.1}
    specific = None if others is None else drop - others
    own = {"fact": fact, "lang": lang, "other": other, "drop": drop, "others": others}
    return blank | own | {"effect": drop - 0.1, "specific": specific}


ROOTED = table(
    [("it", f"f{i}", "shared", "en") for i in range(3)]
    + [("ja", "f0", "transferred", "it"), ("ja", "f1", "undecided", None), ("it", "f9", "shared", "ja")]
)


def test_means_by_root():
    """A fact counts with its source alone; one without others to compare with takes no part."""
    rows = [effect(f"f{i}", "en", "it", drop) for i, drop in enumerate((0.5, 0.7, 0.9))]
    rows += [effect("f0", "ja", "it", 99.0), effect("f0", "it", "ja", 0.4), effect("f9", "ja", "it", 99.0, None)]
    keys = [{name: row[name] for name in ("fact", "lang", "other")} for row in rows]
    still = [key | {"right": row["drop"] < 0.6, "right_random": True} for key, row in zip(keys, rows, strict=True)]
    shared, transferred = by_root(ROOTED, pa.Table.from_pylist(rows, EFFECTS), pa.Table.from_pylist(still, STILL))
    assert (shared.root, shared.facts, transferred.root, transferred.facts) == ("shared", 3, "transferred", 1)
    assert shared.drop.value == pytest.approx(0.7) and shared.drop.low < 0.7 < shared.drop.high
    assert shared.effect.value == pytest.approx(0.6) and shared.specific.value == pytest.approx(0.5)
    assert shared.right.value == pytest.approx(1 / 3) and shared.right_random.value == 1
    assert transferred.right.value == 1
    (first, _) = by_root(ROOTED, pa.Table.from_pylist(rows, EFFECTS), None)
    assert first.drop == shared.drop and first.right is first.right_random is None


def test_which_are_silenced():
    assert len(chosen(ROOTED, 2)) == 2 and chosen(ROOTED, 2) < chosen(ROOTED, 9) == {"f0", "f1", "f2", "f9"}
    assert wanted(ROOTED, {"f0", "f9"}, ["it", "ja", "en"]) == {
        "it": {("en", "f0"), ("ja", "f9")}, "ja": {("it", "f0")}, "en": set()
    }  # fmt: skip


def test_the_text_of_how():
    assert "split" not in str(How())
    assert str(How(split="causal")).endswith("|split:causal") and str(How(split="causal", sample=7)).endswith(
        "|split:causal(7)"
    )
