"""Expressions over variants: read, written, and refused with the place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from fine_tuning.arithmetic.expression import Expression

names = st.text(st.sampled_from("ab1-/.@_ é"), min_size=1, max_size=8).filter(str.strip).map(str.strip)
numbers = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(names, numbers), min_size=1, max_size=5))
def test_text_parses_back_to_an_equal_value(terms):
    expression = Expression.of(*terms)
    assert Expression.parse(str(expression)) == expression
    assert str(Expression.parse(str(expression))) == str(expression)


trees = st.recursive(
    st.sampled_from("abc"),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-"]), inner, inner),
        st.tuples(st.just("*"), st.integers(-3, 3), inner),
        st.tuples(st.just("neg"), inner),
    ),
    max_leaves=12,
)


def written(tree) -> str:
    if isinstance(tree, str):
        return tree
    if tree[0] == "neg":
        return f"-({written(tree[1])})"
    if tree[0] == "*":
        return f"{tree[1]}*({written(tree[2])})" if tree[1] % 2 else f"({written(tree[2])}) * {tree[1]}"
    return f"({written(tree[1])} {tree[0]} {written(tree[2])})"


def valued(tree, values) -> float:
    if isinstance(tree, str):
        return values[tree]
    if tree[0] == "neg":
        return -valued(tree[1], values)
    if tree[0] == "*":
        return tree[1] * valued(tree[2], values)
    one, other = valued(tree[1], values), valued(tree[2], values)
    return one + other if tree[0] == "+" else one - other


@settings(deadline=None)
@given(trees)
def test_an_expression_has_the_value_of_the_same_sum_over_numbers(tree):
    values = {"a": 7.0, "b": 101.0, "c": 1009.0}
    expression = Expression.parse(written(tree))
    assert sum(value * values[name] for name, value in expression.terms) == valued(tree, values)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("xlmr + 0.8*runs/it - runs/toxic", "xlmr + 0.8*runs/it - runs/toxic"),
        ("demo+runs/it*0.5+-runs/x-y", "demo + 0.5*runs/it - runs/x-y"),
        ("demo + (runs/b - runs/a) + runs/c", "demo + runs/b - runs/a + runs/c"),
        ("2*(a - 0.5*(b - a))", "3.0*a - b"),
        ("-a", "-a"),
        ("a - a", "0.0*a"),
        ("1e-3*org/name@main", "0.001*org/name@main"),
        ("'my runs/it' + \"2\"", "'my runs/it' + '2'"),
        ("--a -b", "a - b"),
    ],
)
def test_the_canonical_text(text, canonical):
    assert str(Expression.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at character 1: expected a variant, a model or a number, it ends there"),
        ("a + ", "at character 4: expected a variant, a model or a number, it ends there"),
        ("a b", r"at character 3: expected \+ or - between two of them, found 'b'"),
        ("a + * b", r"at character 5: expected a variant, a model or a number, found '\*'"),
        ("(a - b", "at character 7: expected a closing bracket, it ends there"),
        ("a)", r"at character 2: expected \+ or -.*found '\)'"),
        ("a*b", "at character 2: two variants cannot be multiplied"),
        ("a + 2", r"at character 3: 2\.0 stands alone"),
        ("0.5", "names no variant"),
        ("'a + b", "at character 1: a quotation mark is not closed"),
        ("1e999*a", "the number before a is too large"),
    ],
)
def test_a_mistake_is_pointed_at(text, said):
    with pytest.raises(FactrootsError, match=said) as caught:
        Expression.parse(text)
    assert "\n" not in str(caught.value)
