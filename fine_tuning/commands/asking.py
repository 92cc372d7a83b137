"""P@1 of a model in hand, by the prober: what searches and trainings are watched with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from fine_tuning.models import Loaded


def asker(facts: str, loaded: Loaded, protocol: str | None = None) -> Callable[..., float]:
    """A function that says P@1 on `facts` of ``loaded.model``, or of the model that it is given, as it is then.

    The number is that of `probe run` with the same fact set and `protocol` (by default that of the model's family);
    NaN where nothing could be scored. Raises FactrootsError where facts or protocol are none.
    """
    import pandas as pd

    from data_builders.factset import FactSet
    from data_builders.progress import Quiet
    from probe import uncertainty
    from probe.commands.factsets import at_hand, pieces_of
    from probe.passes import DEFAULT, needed
    from probe.protocols import Protocol
    from probe.running import describe, execute
    from probe.scores import judge
    from probe.store import Store

    chosen = Protocol.parse(protocol or DEFAULT[loaded.family])
    spec = at_hand(loaded.spec.name, FactSet.parse(facts))
    data = spec.open(pieces=partial(pieces_of, loaded.tokenizer))
    data.need_questions()
    scoring = needed(chosen, loaded.family, data.langs)

    def ask(model=None) -> float:
        one = loaded if model is None else loaded._replace(model=model)
        with TemporaryDirectory() as folder:
            store = Store(Path(folder) / "run")
            with store.lock():
                store.claim(describe(data, one, scoring))
                execute(data, one, store, Quiet())
            frames = [judged.frame for judged in judge(store, chosen, spec.gold).values()]
        whole = pd.concat(frames, ignore_index=True)
        return float(uncertainty.total(uncertainty.tally(whole)).mean(chosen.aggregate)) if len(whole) else float("nan")

    return ask
