"""The sweep: what changes nothing, what moves a planted model, and that an interrupted one ends with the same bytes."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from neuron_fixtures import KINDS
from sweep_fixtures import LANGS, fits_of, made, plan, tiny_fits, toy

from data_builders.errors import FactrootsError
from data_builders.progress import Quiet
from probe.geometry import sweep as sweeping
from probe.geometry.conditions import CONDITIONS
from probe.geometry.plan import Swept, describe
from probe.geometry.rows import ROWS
from probe.geometry.sweep import sweep


def swept(folder, one, fits, asked) -> Swept:
    folder.mkdir(exist_ok=True)
    made = Swept(folder)
    made.claim(describe(asked, fits, one))
    sweep(asked, fits, one, made, Quiet())
    return made


def rows(made: Swept, lang: str = "xa"):
    table = pq.read_table(made.rows(lang))
    assert table.schema.equals(ROWS)
    return table.to_pandas()


@pytest.mark.parametrize("kind", KINDS)
def test_what_changes_nothing_is_plain_to_the_last_bit(tmp_path, kind):
    one, fits = tiny_fits(tmp_path / "fits", kind)
    measure = "mlm" if one.family == "masked" else "causal"
    found = rows(swept(tmp_path / "ratio", one, fits, plan(measure, conditions=("full", "own"))))
    plain = found[found["condition"] == "plain"].set_index("sequence")["nll"]
    assert len(plain) == 10
    for layer in range(3):
        full, own = (
            found[(found["condition"] == name) & (found["layer"] == layer)].set_index("sequence")["nll"]
            for name in ("full", "own")
        )
        assert (full == plain).all()
        assert (own != plain)[plain > 0].all()  # where anything is asked


def test_all_that_can_be_done_at_any_layer(tmp_path):
    """A row for every sequence of every condition and layer, over the same places, whatever the batches."""
    one, fits = tiny_fits(tmp_path / "fits")
    found = rows(swept(tmp_path / "ratio", one, fits, plan(conditions=tuple(CONDITIONS))))
    kinds = len(CONDITIONS) + sum(kind.other for kind in CONDITIONS.values())  # twice for two other languages
    assert len(found) == 10 * (3 * kinds + 3)
    assert (found.groupby("sequence")["count"].nunique() == 1).all()
    assert found["nll"].notna().all()
    assert (found["bad"] == 0).all()
    both = found[found["other"].notna()]
    assert ((both["in_own"] + both["in_other"]) <= both["count"]).all()
    assert found[found["other"].isna()]["in_own"].isna().all()


def test_a_shift_of_means_moves_what_is_said_to_the_other_language(tmp_path):
    one, pools = toy()
    end = one.tokenizer.eos_token_id
    fits = fits_of(tmp_path / "fits", one, {lang: made(lang, pool, end) for lang, pool in pools.items()})
    asked = plan("causal", langs=("xa",), others=("xb",), conditions=("shift", "shift-again", "own", "centre"))
    found = rows(swept(tmp_path / "ratio", one, fits, asked))
    said = (
        found[found["other"] == "xb"]
        .groupby(["condition", "layer"], dropna=False)[["in_own", "in_other", "count"]]
        .sum()
    )
    words = (
        said["count"]["plain"].item() - 10
    )  # what is said after the first token, which is of no language, is not one
    assert said["in_own"]["plain"].item() == words
    assert said["in_other"]["plain"].item() == 0
    for layer in range(3):
        assert said.loc["shift", layer]["in_other"] >= words
        assert said.loc["shift", layer]["in_own"] == 0
    nll = found.groupby(["condition", "layer"], dropna=False)["nll"].mean()
    plain = nll["plain"].item()
    assert (nll["shift"] - plain).min() > 3 * abs(nll["shift-again"] - plain).max()


def test_layers_in_groups_give_the_same(tmp_path, monkeypatch):
    one, fits = tiny_fits(tmp_path / "fits")
    asked = plan(langs=("xa",), conditions=("own", "shift", "centre(test)"))
    whole = rows(swept(tmp_path / "whole", one, fits, asked))
    monkeypatch.setattr(sweeping, "MAPS", 1)
    parts = rows(swept(tmp_path / "parts", one, fits, asked))
    order = ["condition", "other", "layer", "sequence"]
    assert whole.sort_values(order, ignore_index=True).equals(parts.sort_values(order, ignore_index=True))


@pytest.mark.parametrize("stop", [0, 1, 4, 7])
def test_an_interrupted_sweep_ends_with_the_same_bytes(tmp_path, monkeypatch, stop):
    one, fits = tiny_fits(tmp_path / "fits")
    monkeypatch.setattr(sweeping, "BATCH_TOKENS", 60)
    asked = plan(langs=("xa", "xb"), conditions=("own", "shift", "random"))
    passes, done = [], []
    monkeypatch.setattr(sweeping.Meter, "under", _counted(sweeping.Meter.under, passes))
    whole = swept(tmp_path / "whole", one, fits, asked)
    number = len(passes)

    class Stopping(Quiet):
        def advance(self, number: int, before: bool = False) -> None:
            done.append(number)
            if len(done) == stop + 1:
                raise KeyboardInterrupt

    made = Swept(tmp_path / "part")
    made.folder.mkdir()
    made.claim(describe(asked, fits, one))
    with pytest.raises(KeyboardInterrupt):
        sweep(asked, fits, one, made, Stopping())
    part = made.rows("xa").with_suffix(".part")
    part.write_bytes(part.read_bytes() + b"torn")  # as a kill may leave it
    sweep(asked, fits, one, made, Quiet())
    assert len(passes) == 2 * number  # no pass was made twice
    for lang in ("xa", "xb"):
        assert made.rows(lang).read_bytes() == whole.rows(lang).read_bytes()
    assert sorted(path.name for path in made.folder.iterdir()) == ["asked.json", "rows-xa.parquet", "rows-xb.parquet"]


def _counted(under, passes: list):
    def counted(*args):
        passes.append(1)
        return under(*args)

    return counted


def test_a_finished_language_is_not_run_again(tmp_path, monkeypatch):
    one, fits = tiny_fits(tmp_path / "fits")
    made = swept(tmp_path / "ratio", one, fits, plan())
    monkeypatch.setattr(sweeping, "Meter", None)
    sweep(plan(), fits, one, made, Quiet())


def test_places_that_are_not_finite_are_counted_and_in_no_sum(tmp_path):
    one, fits = tiny_fits(tmp_path / "fits", "gpt2")
    word = int(fits.sequences("xa").test[4, 6])
    sound = swept(tmp_path / "sound", one, fits, plan("causal", langs=("xa",)))
    with torch.no_grad():
        one.model.transformer.wte.weight[word] = torch.nan
    found, before = rows(swept(tmp_path / "ratio", one, fits, plan("causal", langs=("xa",)))), rows(sound)
    holds = (fits.sequences("xa").test == word).any(axis=1)
    assert holds[4]
    # its embedding is the output's too: every logit's normaliser is lost
    assert (found["bad"] == found["count"]).all()
    assert found["nll"].isna().all()
    assert (found["first_bad"] == 0).all()
    assert before["first_bad"].isna().all()


def test_a_folder_of_another_sweep_is_refused(tmp_path):
    one, fits = tiny_fits(tmp_path / "fits")
    made = swept(tmp_path / "ratio", one, fits, plan())
    with pytest.raises(FactrootsError, match=r"holds another sweep \(its masks, seed differ\)"):
        made.claim(describe(plan(seed=1), fits, one))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(FactrootsError, match="is not empty and holds no sweep"):
        Swept(tmp_path / "other").claim(describe(plan(), fits, one))


def test_another_model_is_refused(tmp_path):
    one, fits = tiny_fits(tmp_path / "fits")
    with pytest.raises(FactrootsError, match="SHA-256"):
        sweep(plan(), fits, one._replace(sha256="1" * 64), Swept(tmp_path), Quiet())


def test_the_test_text_s_own_mean(tmp_path):
    for specials in (True, False):
        one, fits = tiny_fits(tmp_path / str(specials))
        texts = {lang: fits.sequences(lang) for lang in LANGS}
        fits = fits_of(tmp_path / f"{specials}-fits", one, texts, specials)
        meter = sweeping.Meter(sweeping.Body.of(one), texts["xa"].test[0])
        language = sweeping._Language(
            plan(conditions=("centre(test)",)), fits, "xa", meter, sweeping.Vocabularies(fits, one)
        )
        with torch.no_grad():
            ids = torch.from_numpy(texts["xa"].test).long()
            states = one.model(input_ids=ids, output_hidden_states=True).hidden_states
        for layer, own in enumerate(states):
            expected = own[:, 0 if specials else 1 :].flatten(0, 1).double().mean(dim=0).numpy()
            np.testing.assert_allclose(language._test_means[layer], expected, rtol=1e-5, atol=1e-6)
