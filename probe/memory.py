"""Giving memory that has been freed back to the system."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Have glibc return the pages it holds on to; without it a long run of batches of many sizes seems to grow."""
    _trim()(0)


@cache
def _trim() -> Callable[[int], object]:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):  # another C library: nothing to do
        return lambda pad: None
