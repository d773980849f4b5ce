"""`phraseproof gate`: exit codes, lines, and the files it writes."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import phraseproof
from support.command_line import run_command
from support.report_runs import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run", tasks={"tone/polite": "Tone"})


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return partial(run_command, capsys, "gate")


def test_kept_limits_end_in_0_and_a_line_each(run: Path, call: Any) -> None:
    done = call(run, "--max-spread", "60", "--min-mean", "1")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "kept    --max-spread 60  (in all 2 places)",
        "kept    --min-mean 1  (in all 2 places)",
    ]


def test_a_broken_limit_ends_in_3_and_a_line_for_each_place(run: Path, call: Any) -> None:
    done = call(run, "--min-worst", "99", "--min-mean", "1")
    assert done.code == 3
    assert done.out.splitlines()[0].startswith("broken  --min-worst 99  (in 2 of 2)")
    lines = done.err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("broken: --min-worst 99: tone/polite, ") for line in lines)


def test_json_says_the_same(run: Path, call: Any) -> None:
    done = call(run, "--min-worst", "99", "--json")
    assert done.code == 3
    found = json.loads(done.out)
    assert found["passed"] is False
    assert [check["is_kept"] for check in found["checks"]] == [False, False]
    assert found["checks"][0]["option"] == "--min-worst 99"


def test_rows_equal_those_of_the_python_call_in_every_format(run: Path, call: Any) -> None:
    expected = phraseproof.gate(run, min_worst=99).results
    done = call(run, "--min-worst", "99", "--format", "csv")
    assert done.code == 3
    rows = list(csv.DictReader(done.out.splitlines()))
    assert [(row["statistic"], row["group"], float(row["estimate"])) for row in rows] == [
        (row.statistic, row.group, pytest.approx(row.estimate)) for row in expected
    ]
    assert "broken: --min-worst 99" in done.err
    assert json.loads(call(run, "--min-worst", "99", "--json").out)["results"]["rows"] == expected.to_dicts()
    markdown = call(run, "--min-worst", "99", "--format", "markdown").out
    assert "distance to --min-worst 99" in markdown
    assert "longtable" in call(run, "--min-worst", "99", "--format", "latex").out


def test_junit_and_summary_are_written_and_the_job_s_summary_is_added_to(
    run: Path, call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tmp_path / "job.md"
    job.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    done = call(run, "--min-worst", "99", "--junit", tmp_path / "out" / "gate.xml", "--summary", tmp_path / "gate.md")
    assert done.code == 3
    root = ElementTree.parse(tmp_path / "out" / "gate.xml").getroot()
    assert root.get("failures") == "2"
    summary = (tmp_path / "gate.md").read_text(encoding="utf-8")
    assert summary.startswith("### Wording gate failed: org/model, ")
    assert job.read_text(encoding="utf-8") == f"before\n{summary}\n"


def test_no_worse_than_an_earlier_run(run: Path, call: Any, tmp_path: Path) -> None:
    better = write_run(tmp_path / "better", tasks={"tone/polite": "Tone"}, bonus=0.3)
    assert call(better, "--no-worse-than", run).code == 0
    done = call(run, "--no-worse-than", better, "--margin", "2")
    assert done.code == 3
    assert "--no-worse-than, --margin 2: tone/polite: points worse than the other run" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no limit is given"),
        (("--margin", "2"), "--margin requires --no-worse-than"),
        (("--min-mean", "170"), "0 to 100"),
        (("--min-mean", "much"), "--min-mean"),
        (("--min-mean", "1", "--no-worse-than", "nowhere"), "nowhere"),
        (("--min-mean", "1", "--on", "guess"), "guess"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(run: Path, call: Any, arguments: tuple[str, ...], words: str) -> None:
    done = call(run, *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert len(done.err.splitlines()) == 1


def test_an_unfinished_run_is_no_pass(call: Any, tmp_path: Path) -> None:
    done = call(write_run(tmp_path / "half", missing=1), "--min-mean", "1")
    assert done.code == 2
    assert "cells are missing" in done.err


def test_tasks_that_only_the_other_run_has_are_named(run: Path, call: Any, tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", tasks={"tone/polite": "Tone", "kb/lost": "KB"})
    done = call(run, "--no-worse-than", other)
    assert done.code == 0
    assert done.err == f"warning: {run}: 1 task of {other} not compared: kb/lost\n"
    assert call(other, "--no-worse-than", run).err == ""
