"""X-FACTR's inflection markup, reduced to a plain template.

A cell of its prompts may ask for a case (``[X.Nom]``, ``[Y.IN+ESS]``), an article or preposition that agrees with an
entity (``[PREPDEF;Y]``), or a choice of forms (``[né;X-Gender=MASC|née;X-Gender=FEM]``). Filling these in takes an
inflector and every entity's gender. Reduced, labels stay as they are, articles are left out, and the first form is
taken, which is the masculine or singular one: what ``scripts/probe.py --disable_inflection xy --disable_article``
of jzbjyb/X-FACTR does for an entity of that gender.
"""

from __future__ import annotations

import re

from data_builders.facts import OBJECT, SUBJECT

_PART = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"[XYХ](?=$|[.; ])")  # the last is Cyrillic: a misprint in the published Hebrew P47


def reduced(text: str) -> str:
    """`text` with plain slots only; a text that has no markup comes back as it is."""
    plain = _PART.sub(lambda part: _form(part[1]), text)
    return text if plain == text else " ".join(plain.split())


def _form(part: str) -> str:
    if _SLOT.match(part):
        return OBJECT if part[0] == "Y" else SUBJECT
    if not re.search("[=|:]", part):
        return ""  # an article
    first = re.split("[|;]", part)[0]
    return first.rpartition(":")[2].strip()
