"""The summary for a pull request."""

from __future__ import annotations

from phraseproof.reports.gate.limits import LimitCheck
from phraseproof.reports.gate.summary import render
from support.report_runs import HOSTILE

KEPT = LimitCheck("--min-mean 70", "tickets, today", 71.0, -1.0, "tickets, today: mean 71.0, limit: at least 70")
BROKEN = LimitCheck(
    "--min-worst 70", "tickets, today", 66.7, 3.3, "tickets, today: worst wording 66.7, limit: at least 70"
)


def test_a_gate_that_holds_says_so_without_a_table() -> None:
    text = render([KEPT], name="org/model")
    assert text.startswith("### Wording gate passed: org/model\n")
    assert "|" not in text
    assert "- `--min-mean 70`: kept in 1 of 1 places" in text


def test_what_is_broken_stands_in_a_table() -> None:
    lines = render([KEPT, BROKEN], name="org/model").splitlines()
    assert lines[0] == "### Wording gate failed: org/model"
    assert "| `--min-worst 70` | tickets, today: worst wording 66.7, limit: at least 70 |" in lines
    assert "- `--min-worst 70`: kept in 0 of 1 places" in lines


def test_hostile_text_stays_in_its_row_and_shows_as_it_is() -> None:
    checks = [LimitCheck("--min-mean 70", text, 1.0, 69.0, text) for text in HOSTILE]
    lines = render(checks, name="x").splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert len(rows) == len(HOSTILE)
    assert all("<script" not in row.replace("\\<", "") for row in rows)


def test_many_broken_limits_are_cut_with_a_word() -> None:
    assert "and 10 more" in render([BROKEN] * 60, name="x")
