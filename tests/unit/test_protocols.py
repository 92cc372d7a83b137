"""A protocol's text and its value are one thing; what it does not know it refuses by listing what there is."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from probe.protocols import ALLOWED, NUMBERS, PARTS, PRESETS, Protocol


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name):
    """A preset's text is its name, and it reads back."""
    assert str(PRESETS[name]) == name
    assert Protocol.parse(name) == PRESETS[name]


def stand_together(parts: dict) -> bool:
    """The rules that bind parts: raw logits are kept at masks alone, tokens are filled in by l2r alone, and only a sum
    bounds what is left."""
    if parts["combine"] == "logit" and parts["scoring"] != "masks":
        return False
    if parts["fill"] == "text" and parts["scoring"] != "l2r":
        return False
    return not parts["best"] or (parts["scoring"], parts["combine"], parts["prior"]) == ("sentence", "sum", "none")


def test_the_documentation_spells_presets_as_they_are():
    """docs/protocols.md gives each preset in parts, and each part's values with the default first."""
    text = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text(encoding="utf-8")
    spelled = {}
    for names, parts in re.findall(r"^\| (`[^|]*`) \| (`[^|]*`) \|$", text, re.MULTILINE):
        spelled |= dict(zip(re.findall("`(.*?)`", names), re.findall("`(.*?)`", parts), strict=True))
    assert {name: Protocol.parse(spelled[name]) for name in PRESETS} == PRESETS
    rows: dict[str, list[str]] = {}
    for name, values in re.findall(r"^\| (\w+) \| ([^|]*) \|", text, re.MULTILINE):
        rows.setdefault(name, re.findall("`(.*?)`", values))
    for part, values in PARTS.items():
        if part in rows:  # decoding's own stand three to a row
            assert sorted(rows[part]) == sorted(values), part


@st.composite
def protocols(draw):
    kind = draw(st.sampled_from(PARTS["kind"]))
    numbers = {name: range(least, most + 1) for name, (_, least, most) in NUMBERS.items()}
    parts = {name: draw(st.sampled_from(values)) for name, values in (PARTS | numbers | ALLOWED[kind]).items()}
    assume(stand_together(parts))
    return Protocol(**(parts | {"kind": kind}), skip=draw(st.text(max_size=8).map(str.strip)))


@given(protocol=protocols())
def test_round_trip(protocol):
    """Any protocol's text, whatever stands in it, reads back to an equal value."""
    assert Protocol.parse(str(protocol)) == protocol
    assert eval(repr(protocol)) == protocol


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("part", [p for p in PARTS if p != "kind"])
def test_presets_with_parts_set_by_hand(name, part):
    """Setting a part of a preset changes that part alone."""
    preset = PRESETS[name]
    for value in (PARTS | ALLOWED[preset.kind])[part]:
        if not stand_together(asdict(preset) | {part: value}):
            with pytest.raises(FactrootsError, match="needs scoring="):
                Protocol.parse(f"{name}({part}={value})")
            continue
        found = Protocol.parse(f"{name}({part}={value})")
        assert getattr(found, part) == value
        assert [getattr(found, p) for p in PARTS if p != part] == [getattr(preset, p) for p in PARTS if p != part]


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("kassner", ["kassner2021", "zhao2024-full", "zhao2024-partial", "typed", "vocabulary"]),
        ("kassner2021(tie=expected)", ["ties=…", "combine=…", "identity=…"]),
        ("kassner2021(kind=vocabulary)", ["ties=…"]),
        ("kassner2021(combine=max)", ["mean", "sum", "typed"]),
        ("kassner2021(combine=full)", ["mean", "sum", "typed"]),
        ("zhao2024-full(combine=mean)", ["full", "partial", "vocabulary"]),
        ("typed(length=oracle)", ["own"]),
        ("bear(shots=many)", ["whole number", "many"]),
        ("bear(shots=33)", ["shots=33"]),
        ("kassner2021(best=5)", ["scoring=sentence"]),
        ("bear(best=5,prior=subjects)", ["prior=none"]),
        ("bmlama(combine=logit)", ["scoring=masks"]),
        ("kassner2021(ties=mean;max)", ["ties=…"]),
        ("kassner2021(ties)", ["ties=…"]),
        ("kassner2021:somewhere", ["in brackets"]),
        ("kassner2021(ties=expected,ties=optimistic)", ["twice"]),
        ("", ["expected name"]),
        ("kassner2021(", ["expected name"]),
    ],
)
def test_refusals_list_what_exists(text, listed):
    """A protocol that is not there, or a part of one, is refused in one line that names those that are."""
    with pytest.raises(FactrootsError) as caught:
        Protocol.parse(text)
    assert all(word in str(caught.value) for word in listed), caught.value
    assert "\n" not in str(caught.value)


def test_spellings_of_one_protocol_are_one_text():
    """Two ways to write a protocol have one canonical text, so that they have one file and one signature."""
    spellings = [
        "kassner2021",
        "typed(skip=date,join=space)",
        "typed( combine = mean , skip = date , join=space)",
        "kassner2021(ties=expected)",
    ]
    assert {str(Protocol.parse(text)) for text in spellings} == {"kassner2021"}
