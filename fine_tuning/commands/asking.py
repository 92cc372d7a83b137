"""P@1 of a model in hand, by the prober: what searches and trainings are watched with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from fine_tuning.models import Loaded


def asker(facts: str, loaded: Loaded, protocol: str | None = None) -> Callable[[], float]:
    """A function that says P@1 of ``loaded.model``, as it is when it is called, on the fact set `facts`.

    The number is that of `probe run` with the same fact set and `protocol` (by default that of the model's family);
    NaN where nothing could be scored. Raises FactrootsError where facts or protocol are none.
    """
    import pandas as pd

    from data_builders.factset import FactSet
    from data_builders.fetch import ensure
    from data_builders.progress import Quiet
    from probe import uncertainty
    from probe.passes import DEFAULT, needed
    from probe.protocols import Protocol
    from probe.running import describe, execute
    from probe.scores import judge
    from probe.store import Store

    chosen = Protocol.parse(protocol or DEFAULT[loaded.family])
    spec = FactSet.parse(facts)
    if spec.path is None:
        ensure(spec.source)
    spec = spec if spec.langs else replace(spec, langs=_languages(loaded, spec))
    data = spec.open(
        pieces=lambda labels: list(map(len, loaded.tokenizer(labels, add_special_tokens=False)["input_ids"]))
    )
    data.need_questions()
    scoring = needed(chosen, loaded.family, data.langs)

    def ask() -> float:
        with TemporaryDirectory() as folder:
            store = Store(Path(folder) / "run")
            with store.lock():
                store.claim(describe(data, loaded, scoring))
                execute(data, loaded, store, Quiet())
            frames = [one.frame for one in judge(store, chosen, spec.gold).values()]
        whole = pd.concat(frames, ignore_index=True)
        return float(uncertainty.total(uncertainty.tally(whole)).mean(chosen.aggregate)) if len(whole) else float("nan")

    return ask


def _languages(loaded: Loaded, spec) -> tuple[str, ...]:
    """Those of the fact set; of the demo model, those that it has read."""
    if loaded.spec.name == "demo" and spec.source == "atlas":
        from data_builders.planted.world import LANGUAGES

        return LANGUAGES
    return spec.askable()
