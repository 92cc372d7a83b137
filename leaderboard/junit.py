"""A check as JUnit XML, which CI services show: a test case for all facts and one for each language or relation."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as xml

from data_builders.folder import write_atomically
from leaderboard.checking import Check
from leaderboard.saying import HEAD, cells, facts, power, uneven, verdict
from leaderboard.text import shown

_SUITE = "probe leaderboard check"


def write(path: Path, check: Check) -> None:
    """Write what a check found."""
    suite = _suite(len(check.tested), failures=_failures(check))
    properties = xml.SubElement(suite, "properties")
    for name in ("baseline", "run", "means", "alpha", "max_drop"):
        xml.SubElement(properties, "property", name=name, value=shown(getattr(check, name), 1000))
    for number, one in enumerate(check.tested):
        case = xml.SubElement(suite, "testcase", classname=_SUITE, name=shown(one.name))
        said = ", ".join(f"{head} {cell}" for head, cell in zip(HEAD[1:], cells(one)[1:], strict=True))
        if one.fell or (number == 0 and _crossed(check)):
            failure = xml.SubElement(case, "failure", message=said, type="drop")
            failure.text = "\n".join([verdict(check), *facts(check.lost)]) if number == 0 else said
        xml.SubElement(case, "system-out").text = "\n".join(
            [said, *(power(check) + uneven(check) if not number else [])]
        )
    _write(path, suite)


def write_error(path: Path, message: str) -> None:
    """Write that nothing could be compared, and why."""
    suite = _suite(1, errors=1)
    case = xml.SubElement(suite, "testcase", classname=_SUITE, name="comparable")
    xml.SubElement(case, "error", message=shown(message, 2000), type="not comparable")
    _write(path, suite)


def _suite(tests: int, failures: int = 0, errors: int = 0) -> xml.Element:
    numbers = {"tests": tests, "failures": failures, "errors": errors}
    return xml.Element("testsuite", name=_SUITE, **{name: str(number) for name, number in numbers.items()})


def _crossed(check: Check) -> bool:
    return any("--max-drop" in reason for reason in check.reasons)


def _failures(check: Check) -> int:
    return sum(one.fell or (number == 0 and _crossed(check)) for number, one in enumerate(check.tested))


def _write(path: Path, suite: xml.Element) -> None:
    root = xml.Element("testsuites")
    root.append(suite)
    xml.indent(root)
    text = xml.tostring(root, encoding="utf-8", xml_declaration=True)
    write_atomically(Path(path), lambda part: part.write_bytes(text + b"\n"))
