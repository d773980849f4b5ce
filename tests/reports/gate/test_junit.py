"""JUnit XML, read back with another parser."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from phraseproof.reports.build.text import printable
from phraseproof.reports.gate.junit import render
from phraseproof.reports.gate.limits import LimitCheck
from support.report_runs import HOSTILE

CHECKS = [
    LimitCheck(
        "--min-mean 70", "tickets, today", 71.0, -1.0, "tickets, today: mean over wordings 71.0, limit: at least 70"
    ),
    LimitCheck("--min-worst 70", "tickets, today", 66.7, 3.3, "tickets, today: worst wording 66.7, limit: at least 70"),
    LimitCheck(
        "--max-spread 5", "tickets, today", None, 100.0, "tickets, today: Std over wordings: cannot be shown (one)"
    ),
]


def test_each_check_is_a_test_and_each_broken_one_a_failure() -> None:
    root = ElementTree.fromstring(render(CHECKS, name="org/model, runs/one"))
    (suite,) = root.findall("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "2", "0")
    cases = suite.findall("testcase")
    assert [(case.get("classname"), case.get("name")) for case in cases] == [
        (check.option, check.place) for check in CHECKS
    ]
    messages = [None if (failure := case.find("failure")) is None else failure.get("message") for case in cases]
    assert messages == [None, CHECKS[1].line, CHECKS[2].line]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_well_formed_and_come_back(text: str) -> None:
    check = LimitCheck("--min-mean 70", text, 1.0, 69.0, text)
    root = ElementTree.fromstring(render([check], name=text))
    case = root.find("testsuite/testcase")
    assert case is not None
    assert case.get("name") == printable(text)
    failure = case.find("failure")
    assert failure is not None
    assert failure.text == printable(text)
