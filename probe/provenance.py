"""Where a number came from: the code and the packages that made it."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

from probe.signature import version as own_version

#: Packages that can change a number.
PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "scipy", "pandas", "pyarrow", "babel")


def packages() -> dict[str, str]:
    """Installed versions."""
    return {name: version(name) for name in PACKAGES}


@cache
def code() -> dict[str, str | bool | None]:
    """This package's version, and its commit where it runs from a checkout of its own."""
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return {"version": own_version(), "commit": None, "dirty": None}
    return {
        "version": own_version(),
        "commit": _git(root, "rev-parse", "HEAD"),
        "dirty": bool(_git(root, "status", "--porcelain", "--untracked-files=no")),
    }


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
