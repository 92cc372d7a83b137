"""Task vectors: identities, analogies, what may be added to what, and the search for a scale."""

from contextlib import contextmanager

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from fine_tuning.arithmetic.comparing import compare, group_of
from fine_tuning.arithmetic.composing import combined, write_combined, write_stack
from fine_tuning.arithmetic.exporting import export_transformers
from fine_tuning.arithmetic.expression import Expression
from fine_tuning.arithmetic.importing import import_peft
from fine_tuning.arithmetic.merging import DENSITIES, Merge
from fine_tuning.arithmetic.resolving import resolve
from fine_tuning.arithmetic.searching import GRID, search
from fine_tuning.models import load
from fine_tuning.variants.delta import Sparse, count
from fine_tuning.variants.delta_file import read_delta
from fine_tuning.variants.folder import Variant, read_variant
from fine_tuning.variants.names import copy_of, is_tied, parameters
from tests.variant_fixtures import delta_variant, logits, noise, peft_adapter, tiny_base


class World:
    """A base, two dense variants of it, two sparse ones that untie its head, and a whole model."""

    def __init__(self, folder):
        self.folder, self.base = folder, tiny_base(folder / "base")
        self.other = tiny_base(folder / "other", seed=5)
        model = load(self.base).model
        self.weights = copy_of(model)
        for n, name in enumerate("ab"):
            delta_variant(folder / name, self.base, noise(model, n), lang="it")
            delta_variant(folder / f"sparse-{name}", self.base, noise(model, 9 + n, 0.05, True), "untied", lang="af")

    def __call__(self, name: str) -> str:
        return str(self.folder / name)

    def made(self, folder, text: str, how: str = "sum") -> Variant:
        terms = resolve(Expression.parse(text))
        return write_combined(folder, terms, combined(terms, Merge.parse(how)), "arithmetic")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


def test_what_cancels_out_changes_no_logit(world, tmp_path):
    plain = logits(load(world.base).model)
    for number, text in enumerate(
        ("{a} - {a}", "{base} + 0.0*{a}", "{base} + 0*(sparse-{a})", "{a} + {b} - ({b} + {a})")
    ):
        text = text.replace("(sparse-{a})", world("sparse-a")).format(a=world("a"), b=world("b"), base=world.base)
        made = world.made(tmp_path / str(number), text)
        assert made.about.stored == 0
        assert torch.equal(logits(load(f"{world.base}+{made.folder}").model), plain)


def test_an_analogy_is_computed_entry_by_entry(world, tmp_path):
    a, b = read_delta(world.folder / "a"), read_delta(world.folder / "b")
    made = world.made(tmp_path / "v", f"{world.base} + 2*({world('b')} - 0.5*{world('a')}) + {world('a')}*0.25")
    found = read_delta(made.folder)
    for name, part in found.items():
        torch.testing.assert_close(part, 2 * b[name] - 0.75 * a[name])
    assert [(p.name, p.scale) for p in made.about.parents] == [(world("b"), 2.0), (world("a"), -0.75)]
    assert made.about.lang == "it" and made.about.tie == "tied" and made.about.trained == 0
    assert made.about.parents[0].sha256 == read_variant(world.folder / "b").about.sha256


def test_sparse_stays_sparse_and_the_order_is_no_matter(world, tmp_path):
    names = [world("sparse-a"), world("sparse-b"), world("a")]
    one = world.made(tmp_path / "1", f"{names[0]} + {names[1]}")
    assert all(isinstance(part, Sparse) for part in read_delta(one.folder).values())
    assert one.about.tie == "untied" and one.about.lang == "af"
    files = [
        world.made(tmp_path / f"o{n}", " + ".join(order)).about.files for n, order in enumerate((names, names[::-1]))
    ]
    assert files[0] == files[1] != one.about.files


def test_tied_and_untied_vectors_together_do_what_they_do_one_after_the_other(world, tmp_path):
    made = world.made(tmp_path / "v", f"{world('a')} + 0.5*{world('sparse-a')}")
    assert made.about.tie == "untied"
    one, other = (load(f"{world.base}+{spec}").model for spec in (made.folder, f"{world('a')}+{world('sparse-a')}*0.5"))
    assert not is_tied(one) and not is_tied(other)
    torch.testing.assert_close(logits(one), logits(other), rtol=1e-4, atol=1e-4)
    assert not torch.equal(one.get_output_embeddings().weight, one.get_input_embeddings().weight)


def test_models_are_subtracted_averaged_and_come_back(world, tmp_path):
    tau = world.made(tmp_path / "tau", f"{world.other} - {world.base}")
    assert tau.about.base.spec == world.base and tau.about.tie == "tied"
    tuned = load(f"{world.base}+{tau.folder}").model
    torch.testing.assert_close(logits(tuned), logits(load(world.other).model), rtol=1e-4, atol=1e-4)
    soup = world.made(tmp_path / "soup", f"0.5*{world.base} + 0.5*{world.other}")
    ours, theirs = parameters(load(f"{world.base}+{soup.folder}").model), copy_of(load(world.other).model)
    for name, p in ours.items():
        torch.testing.assert_close(p, 0.5 * world.weights[name] + 0.5 * theirs[name])
    same = world.made(tmp_path / "same", f"{world.base} + {world('a')} + {world.base} - {world.base}")
    assert same.about.files == world.made(tmp_path / "a", world("a")).about.files


@pytest.mark.parametrize("name", ["a", "sparse-a"])
def test_an_exported_model_gives_its_variant_back(world, tmp_path, name):
    variant = read_variant(world.folder / name)
    export_transformers(variant, tmp_path / "plain")
    plain, ours = load(str(tmp_path / "plain")).model, load(f"{world.base}+{variant.folder}").model
    assert torch.equal(logits(plain), logits(ours)) and is_tied(plain) == is_tied(ours) == (name == "a")
    back = world.made(tmp_path / "back", f"{tmp_path / 'plain'} - {world.base}")
    assert back.about.tie == variant.about.tie
    again = load(f"{world.base}+{back.folder}").model
    torch.testing.assert_close(logits(again), logits(ours), rtol=1e-4, atol=1e-4)
    assert count(read_delta(back.folder)) <= count(read_delta(variant.folder))


def test_a_lora_is_its_merged_update_and_a_stack_keeps_all_kinds(world, tmp_path):
    from peft import IA3Config, LoraConfig

    lora = import_peft(
        peft_adapter(tmp_path / "l", world.base, LoraConfig(target_modules=["query"])), world.base, tmp_path / "lora"
    )
    ia3 = import_peft(
        peft_adapter(tmp_path / "i", world.base, IA3Config(target_modules=["key"], feedforward_modules=[])),
        world.base,
        tmp_path / "ia3",
    )
    made = world.made(tmp_path / "v", f"{world('a')} - 0.5*{lora.folder}")
    assert {p.kind for p in (made.about, lora.about)} == {"delta", "peft"}
    for text, spec in (
        (made.folder, f"{world('a')}+-{lora.folder}*0.5"),
        (world.made(tmp_path / "w", str(ia3.folder)).folder, str(ia3.folder)),
    ):
        ours, theirs = (logits(load(f"{world.base}+{s}").model) for s in (text, spec))
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    parts = [(ia3, 1.0), (lora, 0.5), (read_variant(world.folder / "sparse-a"), -1.0)]
    stack = write_stack(tmp_path / "stack", parts)
    spec = f"{world.base}+{ia3.folder}+{lora.folder}*0.5+-{world('sparse-a')}"
    plain, ours, theirs = load(world.base).model, load(f"{world.base}+{stack.folder}").model, load(spec).model
    assert torch.equal(logits(ours), logits(theirs)) and not torch.equal(logits(ours), logits(plain))
    with pytest.raises(FactrootsError, match="leave the scale out"):
        load(f"{world.base}+{stack.folder}*0.5")
    from fine_tuning.variants.applying import applied

    before = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
    with applied(plain, [(stack, 1.0)]):
        assert torch.equal(logits(plain), logits(ours))
    assert is_tied(plain) and all(torch.equal(t, before[name]) for name, t in plain.state_dict().items())
    flat = world.made(tmp_path / "flat", f"{stack.folder}")
    export_transformers(stack, tmp_path / "plain")
    assert torch.equal(logits(load(str(tmp_path / "plain")).model), logits(ours))
    small = world.made(tmp_path / "small", f"{lora.folder} + {world('sparse-a')}")
    assert flat.about.tie == small.about.tie == "untied"


def test_a_scale_is_the_largest_that_the_control_allows():
    at, asked = [None], []

    @contextmanager
    def applied(scale):
        at[0] = scale
        yield
        at[0] = None

    def target() -> float:
        asked.append(at[0])
        return 1 - at[0]

    found = search(GRID, applied, target, lambda: 0.8 - 0.1 * at[0] ** 2)
    by_hand = max(scale for scale in GRID if 0.8 - 0.1 * scale**2 >= 0.95 * 0.8)
    assert found.scale == by_hand == 0.6 and asked == list(GRID) and at == [None]
    assert [row.holds for row in found.rows] == [scale <= 0.6 for scale in GRID]
    assert found.rows[4] == (0.2, 0.8, 0.8 - 0.1 * 0.2**2, True)
    assert search(GRID, applied, target, lambda: 0.5).scale == 1.0
    assert search(GRID, applied, target, lambda: float("nan") if at[0] else 0.5).scale == 0.0
    for nothing in (0.0, float("nan")):
        with pytest.raises(FactrootsError, match="choose another --control"):
            search(GRID, applied, target, lambda: nothing)  # noqa: B023


merges = st.builds(
    Merge,
    st.sampled_from([n for n in DENSITIES if n not in ("sum", "mean")]),
    st.one_of(st.none(), st.floats(0.01, 1)),
    st.sampled_from(["total", "frequency"]),
    st.integers(0, 99),
)


@given(merges)
def test_a_merges_text_parses_back(how):
    assert Merge.parse(str(how)) == how


def test_two_vectors_are_compared_as_a_plain_loop_would():
    generator = torch.Generator().manual_seed(0)
    names = ["bert.embeddings.word_embeddings.weight", "bert.encoder.layer.11.output.dense.weight", "cls.bias"]
    a, b = (
        {name: torch.randn(30, generator=generator) * (torch.rand(30, generator=generator) < 0.4) for name in names}
        for _ in range(2)
    )
    del b["cls.bias"]
    at = a[names[1]].nonzero()[:, 0]
    thin = {**a, names[1]: Sparse(at, a[names[1]][at], (30,))}
    at = b[names[1]].nonzero()[:, 0]
    found = compare(thin, {**b, names[1]: Sparse(at, b[names[1]][at], (30,))})
    assert list(found) == ["embeddings", "layer 11", "cls", "all"] == [*map(group_of, names), "all"]
    pairs = [(x, y) for n in names for x, y in zip(a[n].tolist(), b.get(n, torch.zeros(30)).tolist(), strict=True)]
    both = [(x, y) for x, y in pairs if x and y]
    one = found["all"]
    assert one.entries == 90 and one.changed == (sum(x != 0 for x, _ in pairs), sum(y != 0 for _, y in pairs))
    assert one.jaccard == pytest.approx(len(both) / sum(bool(x or y) for x, y in pairs))
    assert one.agreement == pytest.approx(sum(x * y > 0 for x, y in both) / len(both))
    dot = sum(x * y for x, y in pairs)
    assert one.cosine == pytest.approx(dot / (sum(x * x for x, _ in pairs) * sum(y * y for _, y in pairs)) ** 0.5)
    expected = one.changed[0] * one.changed[1] / 90
    assert one.chance == pytest.approx(expected / (sum(one.changed) - expected))
    assert found["cls"].cosine is None and found["cls"].agreement is None and found["cls"].norms[1] == 0
    same = compare(a, a)["all"]
    assert same.cosine == pytest.approx(1) and same.jaccard == same.agreement == 1
    assert compare({}, {}) == {}


def test_random_masks_overlap_as_chance_says():
    generator = torch.Generator().manual_seed(1)
    a, b = (
        {"w": torch.randn(10**5, generator=generator) * (torch.rand(10**5, generator=generator) < s)}
        for s in (0.2, 0.1)
    )
    found = compare(a, b)["all"]
    assert found.jaccard == pytest.approx(found.chance, rel=0.05)
    assert abs(found.cosine) < 0.02 and abs(found.agreement - 0.5) < 0.05
