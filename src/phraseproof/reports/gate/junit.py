"""A gate's checks as JUnit XML, which continuous integration systems show as tests."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from phraseproof.reports.build.text import printable
from phraseproof.reports.gate.limits import LimitCheck


def render(checks: Sequence[LimitCheck], *, name: str) -> str:
    """A test suite with a test case for each check; what is not kept is a failure with its line.

    Args:
        name: of the suite, say the run's folder.
    """
    broken = sum(not check.is_kept for check in checks)
    counts = {"tests": str(len(checks)), "failures": str(broken), "errors": "0"}
    root = ElementTree.Element("testsuites", {"name": "phraseproof gate", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": printable(name), **counts})
    for check in checks:
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": printable(check.option), "name": printable(check.place), "time": "0"}
        )
        if not check.is_kept:
            failure = ElementTree.SubElement(case, "failure", {"message": printable(check.line), "type": "limit"})
            failure.text = printable(check.line)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
