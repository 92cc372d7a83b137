"""P@1 while a model is being trained, as the prober would give it for the model as it is then."""

from __future__ import annotations

from dataclasses import replace
from tempfile import TemporaryDirectory


def scores_of(text: str):
    """For a loaded model: a function a language of the fact set `text`, from the model to its P@1, named ``P@1 it``.

    Under the protocol that `probe run` takes for such a model when none is asked for.
    """
    from data_builders.factset import FactSet
    from data_builders.fetch import ensure
    from data_builders.progress import Quiet
    from probe.passes import DEFAULT, needed
    from probe.protocols import Protocol
    from probe.running import describe, execute
    from probe.scores import score
    from probe.store import Store

    spec = FactSet.parse(text)
    if spec.path is None:
        ensure(spec.source)
    spec = replace(spec, langs=spec.langs or spec.askable())

    def scores(loaded):
        pieces = lambda labels: [len(ids) for ids in loaded.tokenizer(labels, add_special_tokens=False)["input_ids"]]  # noqa: E731
        protocol = Protocol.parse(DEFAULT[loaded.family])

        def of(lang: str):
            data = spec.open([lang], pieces=pieces)
            data.need_questions()
            scoring = needed(protocol, loaded.family, data.langs)

            def ask(model) -> float:
                one = loaded._replace(model=model)
                with TemporaryDirectory() as folder:
                    store = Store(folder)
                    with store.lock():
                        store.claim(describe(data, one, scoring))
                        execute(data, one, store, Quiet())
                        return score(store, protocol).value

            return ask

        return {f"P@1 {lang}": of(lang) for lang in spec.langs}

    return scores
