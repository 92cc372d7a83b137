"""Data that a page opened as a file can read: scripts that hand over JSON, in which nothing can end the script."""

from __future__ import annotations

import json
from typing import Any

#: Characters that turn or hide the text around them. A board refuses them; where one comes all the same it is seen.
UNSEEN = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF], "\ufffd")
#: What JSON may hold as it is and HTML or JavaScript would act upon.
_SPELLED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"} | UNSEEN


def spelled(value: Any) -> str:
    """JSON of one line that is safe inside HTML and JavaScript alike. NaN is refused: it is no number of ours."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_SPELLED)


def script(name: str, value: Any) -> str:
    """The script ``data/<name>.js``, which gives `value` to the page that loads it."""
    return f"factroots.give({spelled(name)},{spelled(value)});\n"
