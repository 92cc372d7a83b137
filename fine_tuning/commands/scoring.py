"""P@1 while a model is being trained, as the prober would give it for the model as it is then."""

from __future__ import annotations

from dataclasses import replace


def scores_of(text: str):
    """For a loaded model: a function a language of the fact set `text`, from the model to its P@1, named ``P@1 it``.

    Under the protocol that `probe run` takes for such a model when none is asked for.
    """
    from data_builders.factset import FactSet
    from fine_tuning.commands.asking import asker
    from probe.commands.factsets import at_hand

    named = FactSet.parse(text)  # a mistake in it is found before the model is loaded

    def scores(loaded):
        spec = at_hand(loaded.spec.name, named)
        return {f"P@1 {lang}": asker(str(replace(spec, langs=(lang,))), loaded) for lang in spec.langs}

    return scores
