"""Something done before and after every step of a work, for tests that stop it anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def tick(act: Callable[[int], None], places: Iterable[tuple[object, Iterable[str]]]) -> None:
    """Have `act` called, with how often it was, before and after each of the functions that `places` name of an owner.

    They stay so: call it in a process of its own.
    """
    count = iter(range(10**6))

    def around(owner, name: str) -> None:
        plain = getattr(owner, name)

        def wrapped(*args, **more):
            act(next(count))
            result = plain(*args, **more)
            act(next(count))
            return result

        setattr(owner, name, wrapped)

    for owner, names in places:
        for name in names:
            around(owner, name)
