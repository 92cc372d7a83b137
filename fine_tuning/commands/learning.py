"""What a user names to learn from, as what makes the examples for a loaded model."""

from __future__ import annotations

from dataclasses import replace
from functools import partial


def examples_of(given: dict, seed: int, quiet: bool):
    """What makes the examples for a model, once it is loaded; what is wrong with the sources is said before."""
    from data_builders.errors import FactrootsError

    kinds = [name for name in ("corpus", "text", "factset") if given[name] is not None]
    if len(kinds) != 1:
        raise FactrootsError(
            f"say what to learn from: one of --corpus, --text and --factset (got {', '.join(kinds) or 'none'})"
        )
    if kinds == ["factset"]:
        return _facts(given, seed)
    from fine_tuning.training import documents, text

    if given["corpus"]:
        from probe.tracing.corpora import open_corpus

        if not given["lang"]:
            raise FactrootsError("--corpus needs --lang, the language to learn")
        found = documents.of_corpus(open_corpus(given["corpus"], quiet), given["lang"])
    else:
        found = documents.of_file(given["text"], given["lang"])
    return lambda one, folder: text.text_examples(found, one, folder, given["length"] or 0, given["held"], seed)


def language_variants(given: dict):
    """``--language-variants`` as pairs of a language and a variant, scaled or not."""
    from data_builders.errors import FactrootsError
    from fine_tuning.model_spec import Scaled

    pairs = [text.partition("=") for text in given["language_variants"] or ()]
    if odd := next((lang for lang, _, folder in pairs if not (lang.strip() and folder.strip())), None):
        raise FactrootsError(f"--language-variants takes a variant a language, as en=runs/en,it=runs/it, got {odd!r}")
    if pairs and given["factset"] is None:
        raise FactrootsError("--language-variants are for facts in several languages; pass --factset and --facts-langs")
    found = {lang.strip(): Scaled.parse(folder) for lang, _, folder in pairs}
    if len(found) < len(pairs):
        raise FactrootsError("--language-variants names a language twice; a batch has one variant on")
    return tuple(found.items())


def _facts(given: dict, seed: int):
    from data_builders.errors import FactrootsError
    from data_builders.factset import FactSet
    from data_builders.fetch import ensure
    from fine_tuning.training.facts import fact_examples
    from probe.commands.factsets import pieces_of

    spec = FactSet.parse(given["factset"])
    langs = given["facts_langs"] or spec.langs or ((given["lang"],) if given["lang"] else ())
    if not langs:
        raise FactrootsError("--factset needs --facts-langs (or --lang), the languages to learn facts in")
    narrowed = {name: given[name] for name in ("relations", "sample", "templates") if given[name] is not None}
    spec = replace(spec, langs=langs, **narrowed)
    if spec.path is None:
        ensure(spec.source)
    if spec.one_token:
        return lambda one, _: fact_examples(
            spec.open(pieces=partial(pieces_of, one.tokenizer)), one, given["train_share"], seed, given["sentence"]
        )
    opened = spec.open()
    opened.need_questions()
    return lambda one, _: fact_examples(opened, one, given["train_share"], seed, given["sentence"])
