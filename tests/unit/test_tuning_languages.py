"""Several source languages at once: whose variant is on when, what is learned on top of it, and what is refused."""

import json
from collections import Counter
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from neuron_fixtures import tiny
from probe_fixtures import probed, save_model, small_world
from training_fixtures import Rows, examples
from training_fixtures import job as make_job
from variant_fixtures import delta_variant, noise, tiny_base

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from fine_tuning.commands.group import tune
from fine_tuning.commands.scoring import scores_of
from fine_tuning.methods.table import parse_method
from fine_tuning.models import load
from fine_tuning.sparse.fisher import mean_squares
from fine_tuning.training.drawing import InTurn
from fine_tuning.training.languages import Languages
from fine_tuning.training.log import Log
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.delta import Sparse
from fine_tuning.variants.delta_file import read_delta
from fine_tuning.variants.folder import read_variant
from fine_tuning.variants.names import copy_of, is_tied, parameters, untie
from probe.protocols import Protocol
from probe.scores import score

LANGS = ("en", "it")


def same_bits(one, other):
    return all(torch.equal(one[n].view(torch.int32), other[n].view(torch.int32)) for n in one.keys() | other.keys())


def variants(folder, tie="untied", kind="bert", **more):
    """A variant for each of two languages, of tiny("bert"), by language, and their deltas."""
    one = tiny(kind)
    base = str(save_model(folder / "base", one.model, one.tokenizer))
    found = {lang: noise(one.model, seed, 0.3, sparse=True) for seed, lang in enumerate(LANGS)}
    return {lang: (delta_variant(folder / lang, base, found[lang], tie, **more), 1.0) for lang in LANGS}, found


def two_languages(folder, tie="untied", kind="bert", **more):
    """A job whose rows are of two languages, and the deltas of these."""
    made, deltas = variants(folder, tie, kind)
    job = make_job(folder / "work", kind, **more)
    data = examples(job.loaded)
    rows = [{**row, "lang": LANGS[i % 2]} for i, row in enumerate([*data.train, *data.held, *data.train])]
    job.examples = data._replace(train=Rows(rows[:6]), held=Rows(sorted(rows[6:], key=lambda row: row["lang"])))
    job.languages = Languages(job.loaded.model, made)
    return job, deltas


def dense(part):
    return part.dense() if isinstance(part, Sparse) else part


def spoken_loss(job, rows, delta, named):
    """The summed loss of a batch with θ + φ as a function of θ, no weight of the model being touched."""
    batch = job.examples.collate(rows)
    weights = {n: p + dense(delta[n]) if n in delta else p for n, p in named.items()}
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    logits = torch.func.functional_call(job.loaded.model, weights, kwargs=inputs).logits
    labels = batch["labels"]
    if job.loaded.family == "causal":
        logits, labels = logits[:, :-1], labels[:, 1:]
    asked = labels != -100
    return torch.nn.functional.cross_entropy(logits[asked], labels[asked], reduction="sum"), int(asked.sum())


@pytest.mark.parametrize("accumulate", [1, 2])
def test_it_is_a_plain_loop_over_the_base_with_the_batchs_variant_on(accumulate, tmp_path):
    schedule = Schedule(steps=7, batch=2, accumulate=accumulate, rate=1e-3, clip=0.5)
    job, deltas = two_languages(tmp_path, schedule=schedule, dropout=0.0)
    reference, _ = two_languages(tmp_path / "r", schedule=schedule, dropout=0.0)
    job.fit("train")
    named = {n: p.detach().clone().requires_grad_(True) for n, p in parameters(reference.loaded.model).items()}
    optimizer = torch.optim.AdamW(named.values(), lr=1e-3, weight_decay=0.0)
    drawn, langs = reference.draws(14, 2), []
    reference.loaded.model.train()
    for step in range(7):
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 - step / 7)
        rows = [drawn[2 * step], drawn[2 * step + 1]]
        langs.append(rows[0]["lang"])
        loss, n = spoken_loss(reference, rows, deltas[langs[-1]], named)
        optimizer.zero_grad()
        (loss / n).backward()
        torch.nn.utils.clip_grad_norm_(named.values(), 0.5)
        optimizer.step()
    assert set(langs) == set(LANGS)
    swapped, _ = two_languages(tmp_path / "s", schedule=schedule, dropout=0.0)
    swapped.languages.deltas = dict(zip(LANGS, reversed(swapped.languages.deltas.values()), strict=True))
    swapped.fit("train")
    far, farther = (
        max(float((p - named[name]).detach().abs().max()) for name, p in parameters(one.loaded.model).items())
        for one in (job, swapped)
    )
    assert far < 1e-4 and farther > 3e-3
    held = [spoken_loss(job, [r], deltas[r["lang"]], parameters(job.loaded.model)) for r in job.examples.held]
    wanted = sum(float(loss.detach()) for loss, _ in held) / sum(n for _, n in held)
    assert job.phases["train"]["held_loss"] == pytest.approx(wanted, rel=1e-5)


def test_without_a_change_in_them_variants_change_nothing_and_those_of_another_language_do(tmp_path):
    def made(name, change):
        job, _ = two_languages(tmp_path / name, dropout=0.0)
        change(job.languages.deltas)
        job.fit("train")
        return copy_of(job.loaded.model)

    null = made("null", lambda deltas: deltas.update({lang: ({}, 1.0, "untied") for lang in LANGS}))
    none = made("none", lambda deltas: deltas.clear())
    plain = made("plain", lambda deltas: None)
    swapped = made("swapped", lambda deltas: deltas.update(en=deltas["it"], it=deltas["en"]))
    assert same_bits(null, none) and not same_bits(null, plain) and not same_bits(plain, swapped)


@pytest.mark.parametrize("method", ["full", "lt-sft(k=50)", "diffpruning(density=0.05)", "lora(rank=2)", "pfeiffer"])
@pytest.mark.parametrize("tie", ["tied", "untied"])
def test_every_method_learns_so_and_leaves_the_variants_weights_as_they_were(method, tie, tmp_path):
    job, _ = two_languages(tmp_path, tie, schedule=Schedule(steps=4, batch=2, rate=1e-2))
    before, spoken, loss = copy_of(job.loaded.model), [], job.languages.spoken

    sparse = method.startswith("lt-sft")

    def heard(lang):
        spoken.append(lang)
        return loss(lang)

    job.languages.spoken = heard
    made = parse_method(method).train(job)
    assert {*LANGS} == {*spoken} and made.tie == ("untied" if sparse or "density" in method else tie)
    if method in ("lora(rank=2)", "pfeiffer"):
        after = {n: p for n, p in copy_of(job.loaded.model).items() if n in before}
        assert after.keys() == before.keys() and same_bits(before, after)
    if sparse:
        tmp_path.joinpath("v").mkdir()
        made.write(tmp_path / "v")
        after, kept = parameters(job.loaded.model), read_delta(tmp_path / "v")
        for name, old in before.items():
            outside = torch.ones(old.shape, dtype=torch.bool)
            if name in kept:
                outside.view(-1)[kept[name].indices] = False
            assert torch.equal(after[name][outside].view(torch.int32), old[outside].view(torch.int32)), name
        assert 0 < made.stored <= 50


def test_what_was_made_tied_changes_a_head_that_has_been_given_a_copy_too(tmp_path):
    job, _ = two_languages(tmp_path, "tied")
    model = job.loaded.model
    untie(model)
    head, embeddings = model.get_output_embeddings().weight, model.get_input_embeddings().weight
    assert not is_tied(model) and torch.equal(head, embeddings)
    before = head.detach().clone()
    with job.speaking("it"):
        assert torch.equal(head, embeddings) and not torch.equal(head, before)
    assert torch.equal(head, before)


def test_fisher_information_is_of_the_model_with_the_variant_on(tmp_path):
    job, deltas = two_languages(tmp_path, dropout=0.0)
    model = job.loaded.model
    learning = {n: p for n, p in parameters(model).items() if p.dim() == 2}
    found, drawn = mean_squares(job, learning, 2, 5), job.draws(10, 2)
    named, totals = parameters(model), dict.fromkeys(learning, 0)
    for first in range(0, 10, 2):
        rows = [drawn[first], drawn[first + 1]]
        loss, n = spoken_loss(job, rows, deltas[rows[0]["lang"]], named)
        grads = torch.autograd.grad(loss / n, list(learning.values()), allow_unused=True)
        totals = {n: t + (0 if g is None else g**2 / 5) for (n, t), g in zip(totals.items(), grads, strict=True)}
    for name, total in totals.items():
        torch.testing.assert_close(
            found[name], torch.zeros_like(found[name]) + total, rtol=1e-3, atol=1e-4 * float(found[name].max())
        )


def test_a_round_has_every_row_and_a_batch_one_language():
    data = [{"lang": lang, "row": i} for lang, n in (("en", 7), ("it", 3), ("ja", 12)) for i in range(n)]
    drawn = InTurn(data, 400, 4, seed=5)
    batches = [[drawn[4 * b + i] for i in range(4)] for b in range(100)]
    assert all(len({row["lang"] for row in batch}) == 1 for batch in batches)
    order = [batch[0]["lang"] for batch in batches]
    assert Counter(order[:6]) == Counter(order[6:12]) == {"en": 2, "it": 1, "ja": 3} and order[:6] != order[6:12]
    for lang, n in (("en", 7), ("it", 3), ("ja", 12)):
        rows = [row["row"] for batch in batches for row in batch if row["lang"] == lang]
        assert max(Counter(rows).values()) - min(Counter(rows).values()) <= 2 and len({*rows}) == n
    assert [row["draw"] for batch in batches for row in batch] == [*range(400)]
    assert [InTurn(data, 400, 4, seed=5)[i] for i in (399, 3)] == [batches[99][3], batches[0][3]]
    assert [InTurn(data, 400, 4, seed=6)[i] for i in range(40)] != [drawn[i] for i in range(40)]
    two = InTurn([{"lang": lang, "row": i} for lang in LANGS for i in range(8)], 8 * 40, 8, 0)
    firsts = {row["lang"]: row["row"] for row in (two[i] for i in range(0, 16, 8))}
    assert firsts["en"] != firsts["it"]  # one fact's two languages do not come together


FACTS = "facts:{}/facts"


def command(tmp_path, base, *more, output="v"):
    args = ("lt-sft-task(density=0.05)", "--model", base, "--factset", FACTS.format(tmp_path), "--facts-langs")
    schedule = ("--steps", "20", "--batch", "4", "--rate", "1e-3", "--quiet", "--output", str(tmp_path / output))
    return CliRunner().invoke(tune, [*args, "it,ja", *schedule, *map(str, more)])


@pytest.fixture
def world(tmp_path):
    small_world(tmp_path / "facts", subjects=6)
    base = tiny_base(tmp_path / "base")
    deltas = {lang: noise(load(base).model, seed, 0.1, sparse=True) for seed, lang in enumerate(("it", "ja"))}
    return base, {lang: delta_variant(tmp_path / lang, base, d, "untied").folder for lang, d in deltas.items()}


def test_a_command_trains_on_two_languages_and_a_killed_one_ends_with_the_same_bytes(tmp_path, world, monkeypatch):
    base, folders = world
    spoken = ("--language-variants", f"it={folders['it']},ja={folders['ja']}*0.5")
    facts = ("--score-facts", FACTS.format(tmp_path), "--every", 10)
    found = command(tmp_path, base, *spoken, *facts)
    assert found.exit_code == 0, found.output
    about = read_variant(tmp_path / "v").about
    assert [(p.name, p.scale, p.lang) for p in about.parents] == [("it", 1.0, "it"), ("ja", 0.5, "ja")]
    assert about.tie == "untied" and about.data["langs"] == ["it", "ja"]
    assert "it=it, ja=ja*0.5" in CliRunner().invoke(tune, ["list", str(tmp_path)], env={"COLUMNS": "400"}).output
    lines = [json.loads(line) for line in (tmp_path / "v" / "sparse.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "P@1 ja" in line] == [10, 20]
    write = Log.write

    def killed(self, step, **values):
        if step == 13 and self.path.stem == "sparse":
            raise KeyboardInterrupt
        write(self, step, **values)

    monkeypatch.setattr(Log, "write", killed)
    assert command(tmp_path, base, *spoken, *facts, output="w").exit_code
    assert list((tmp_path / ".w.work" / "sparse").glob("checkpoint-*"))
    monkeypatch.undo()
    other = command(tmp_path, base, "--language-variants", f"it={folders['it']},ja={folders['ja']}", output="w")
    assert isinstance(other.exception, FactrootsError) and "its languages differ" in str(other.exception)
    assert command(tmp_path, base, *spoken, *facts, output="w").exit_code == 0
    one, two = ((tmp_path / name / "delta.safetensors").read_bytes() for name in "vw")
    assert one == two
    assert command(tmp_path, base, output="plain").exit_code == 0
    assert (tmp_path / "plain" / "delta.safetensors").read_bytes() != one


def test_p1_while_training_is_of_the_model_with_the_languages_variant_on(tmp_path, world):
    base, folders = world
    job = make_job(tmp_path / "work")
    job.loaded = load(base)
    job.languages = Languages(job.loaded.model, {"it": (read_variant(folders["it"]), 4.0)})
    asked = scores_of(FACTS.format(tmp_path))(job)
    for lang, model in (("it", f"{base}+{folders['it']}*4.0"), ("ja", base)):
        spec = str(replace(FactSet.parse(FACTS.format(tmp_path)), langs=(lang,)))
        wanted = score(probed(tmp_path / f"run-{lang}", spec, load(model)), Protocol.parse("kassner2021")).value
        assert asked[f"P@1 {lang}"](job.loaded.model) == wanted


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("it=IT", "facts, but no language variant in ja"),
        ("it=IT,ja=JA,af=IT", "a language variant, but no facts in af"),
        ("it=IT,ja", "got 'ja'"),
        ("it=IT,it=JA", "names a language twice"),
        ("it=IT,ja=nowhere", "nowhere is no variant"),
        ("it=IT,ja=OTHER", "was made for .*those of .* have"),
        ("it=IT,ja=ADAPTER", "is a bottleneck, no difference of weights"),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_nothing(given, said, tmp_path, world):
    base, _ = world
    other = tiny_base(tmp_path / "other", seed=7)
    delta_variant(tmp_path / "odd", other, noise(load(other).model))
    adapter = ("pfeiffer", "--model", base, "--factset", FACTS.format(tmp_path), "--facts-langs", "it", "--steps", 1)
    assert not CliRunner().invoke(tune, [*map(str, adapter), "--output", str(tmp_path / "adapter")]).exit_code
    for word, folder in (("IT", "it"), ("JA", "ja"), ("OTHER", "odd"), ("ADAPTER", "adapter")):
        given = given.replace(f"={word}", f"={tmp_path / folder}")
    before = sorted(tmp_path.iterdir())
    found = command(tmp_path, base, "--language-variants", given)
    assert isinstance(found.exception, FactrootsError), found.output
    with pytest.raises(FactrootsError, match=said):
        raise found.exception
    assert "\n" not in str(found.exception) and sorted(tmp_path.iterdir()) == before


def test_they_are_for_facts_and_a_batch_wants_as_many_of_each_language(tmp_path, world):
    base, folders = world
    args = ("full", "--model", base, "--text", str(tmp_path / "no.txt"), "--output", str(tmp_path / "v"))
    found = CliRunner().invoke(tune, [*args, "--language-variants", f"it={folders['it']}"])
    assert "are for facts in several languages" in str(found.exception)
    spoken = f"it={folders['it']},ja={folders['ja']}"
    found = command(tmp_path, base, "--language-variants", spoken, "--batch", 40)
    assert "examples in it to train on, fewer than a batch of 40" in str(found.exception)
