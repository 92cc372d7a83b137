"""One seed out of several numbers."""

from __future__ import annotations

import hashlib


def seed_of(*numbers: int) -> int:
    """A seed of 63 bits; what differs in any number draws something else altogether."""
    digest = hashlib.sha256(" ".join(map(str, numbers)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
