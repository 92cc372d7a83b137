"""The grammar that every value is spelled in."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from data_builders.spec import Spec

WORD = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,5}", fullmatch=True)
VALUE = st.text(min_size=1, max_size=6).map(str.strip).filter(bool)
ARGS = st.dictionaries(WORD, st.lists(VALUE, max_size=3).map(tuple), max_size=3).map(lambda d: tuple(d.items()))


@given(spec=st.builds(Spec, WORD, st.none() | st.text(min_size=1, max_size=12), ARGS))
@example(spec=Spec("mlama", "C:\\data (old)/100%/a=b;c,d", (("relations", ("P36",)),)))
@example(spec=Spec("mlama", " a folder ", ()))
@example(spec=Spec("mlama", "%28", (("x", ("%29", "%2C")),)))
@example(spec=Spec("mlama", "a\nb", (("flag", ()),)))
def test_round_trip(spec):
    """Any value's text reads back to an equal value, whatever its path and parameters hold."""
    assert Spec.parse(str(spec)) == spec


@given(text=st.text(max_size=20))
def test_any_text_is_read_or_refused_in_one_line(text):
    """Nothing that a user types raises anything but our own error; and what is read has one canonical text."""
    try:
        spec = Spec.parse(text)
    except FactrootsError as error:
        assert "\n" not in str(error)
    else:
        assert str(Spec.parse(str(spec))) == str(spec)


@pytest.mark.parametrize("text", ["atlas", " atlas ", "atlas()", "atlas( )", "atlas(,)"])
def test_what_is_left_out_does_not_count(text):
    assert Spec.parse(text) == Spec("atlas")


@pytest.mark.parametrize("text", ["", "9lives", "a(b", "a)b(", "a:(x)", "a:", "a(x)y"])
def test_refused(text):
    with pytest.raises(FactrootsError, match="expected name, name:path or name:path"):
        Spec.parse(text)
