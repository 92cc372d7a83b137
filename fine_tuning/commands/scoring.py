"""P@1 while a model is being trained, as the prober would give it for the model as it is then."""

from __future__ import annotations

from dataclasses import replace


def scores_of(text: str):
    """For a job: a function a language of the fact set `text`, from the model to its P@1, named ``P@1 it``.

    Under the protocol that `probe run` takes for such a model when none is asked for; with the language's variant on,
    where the job has one.
    """
    from data_builders.factset import FactSet
    from fine_tuning.commands.asking import asker
    from probe.commands.factsets import at_hand

    named = FactSet.parse(text)  # a mistake in it is found before the model is loaded

    def scores(job):
        spec = at_hand(job.loaded.spec.name, named)

        def score(lang: str):
            ask = asker(str(replace(spec, langs=(lang,))), job.loaded)

            def asked(model) -> float:
                with job.speaking(lang):
                    return ask(model)

            return asked

        return {f"P@1 {lang}": score(lang) for lang in spec.langs}

    return scores
