"""A few passages of a built corpus, with what they belong to."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from data_builders.corpora.built import Built
from data_builders.errors import FactrootsError


def passages(built: Built, lang: str, document: int | None, head: int) -> Iterator[dict]:
    """The first `head` passages of a language, or all of the document of that number, each with its title and QID."""
    documents = built.documents(lang)
    if document is not None and document >= len(documents):
        raise FactrootsError(f"{lang} has {len(documents):,} documents, numbered from 0; there is no {document}")
    given = 0
    for batch in built.blocks(lang):
        if document is not None:
            batch = batch.filter(pc.equal(batch["document"], document))
        for row in batch.to_pylist():
            about = documents.slice(row["document"], 1).to_pylist()[0]
            yield {"id": about["id"], "title": about["title"], "qid": about["qid"], **row}
            given += 1
            if document is None and given == head:
                return
