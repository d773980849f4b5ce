"""`phraseproof import-results`: what other programs measured, as a run that tables and statistics read."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from phraseproof.store.queries import load_run
from support.command_line import run_command

HEADER = "Model,Dataset,Collection,Type,ID,Shots,Performance,Metric,Include?\n"
ROWS = "".join(
    f"M,{dataset},{collection},{kind},{number},0,0.{number}{place},Logits,TRUE\n"
    for place, dataset in enumerate(("Winowhy", "StrategyQA"))
    for collection, kind in (("NIV2", "BC"), ("BBL", "Unobserved"))
    for number in (4, 5, 6, 7)
)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "100")
    return partial(run_command, capsys)


@pytest.fixture
def imported(tmp_path: Path, call: Any) -> Path:
    (tmp_path / "r.csv").write_text(HEADER + ROWS, encoding="utf-8")
    done = call("import-results", tmp_path / "r.csv", "--out", tmp_path / "run", "--parameters", "3e9")
    assert (done.code, done.err) == (0, "")
    assert "M: 16 accuracies of wordings on 2 tasks, in observed, unobserved" in done.out
    return tmp_path / "run"


def test_table_and_analyze_treat_it_as_any_other(imported: Path, call: Any) -> None:
    (table,) = json.loads(call("table", imported, "--json").out)["tables"]
    assert table["model"] == "M"
    assert table["tasks"][0]["groups"]["observed"]["mean_percent"] == pytest.approx(55)
    rows = json.loads(call("table", imported, "--by", "wording", "--json").out)["tables"][0]["rankings"]
    assert rows[0]["wordings"][0]["num_examples"] is None
    for form in ("text", "csv", "markdown", "latex"):
        assert call("table", imported, "--format", form).code == 0
    done = call("analyze", imported)
    assert done.code == 0
    assert "kappa: not enough data" in " ".join(done.out.split())
    assert "Only accuracies of wordings are known" in done.out
    assert "calibration error: not computed, the run was imported" in " ".join(done.out.split())


def test_compare_and_report_treat_it_as_any_other(imported: Path, tmp_path: Path, call: Any) -> None:
    done = call("compare", imported, imported, "--json")
    assert done.code == 0
    assert "NaN" not in done.out
    page = tmp_path / "page.html"
    assert call("report", imported, "--out", page).code == 0
    assert "nan" not in page.read_text(encoding="utf-8").partition("<script")[0].lower()


def test_an_interval_of_a_difference_stays_possible(imported: Path, call: Any) -> None:
    (found,) = json.loads(call("analyze", imported, "--json").out)["analyses"]
    over_tasks = found["tests"][0]["over_tasks"]
    assert over_tasks["n"] == 2
    assert -1 <= over_tasks["low"] <= over_tasks["high"] <= 1


def test_what_needs_examples_says_so(imported: Path, call: Any) -> None:
    done = call("analyze", imported, "--against", "NIV2/BC/4", "--mixed")
    assert done.code == 0
    assert "outcomes of examples" in done.out


def test_mistakes_are_one_line_and_exit_2(tmp_path: Path, imported: Path, call: Any) -> None:
    (tmp_path / "bad.csv").write_text(HEADER + "M,A,B,C,1,0,150,L,TRUE\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_text(HEADER, encoding="utf-8")
    (tmp_path / "nobody.csv").write_text(HEADER + ",A,B,C,1,0,0.5,L,TRUE\n", encoding="utf-8")
    for arguments in (
        (tmp_path / "empty.csv", "--out", tmp_path / "x"),
        (tmp_path / "nobody.csv", "--out", tmp_path / "x"),
        (tmp_path / "bad.csv", "--out", tmp_path / "x"),
        (tmp_path / "none.csv", "--out", tmp_path / "x"),
        (tmp_path / "r.csv", "--out", tmp_path / "x", "--parameters", "0"),
        (tmp_path / "r.csv", "--out", tmp_path / "x", "--model", "N"),
        (tmp_path / "r.csv", "--out", tmp_path / "r.csv"),
    ):
        done = call("import-results", *arguments)
        assert (done.code, done.out) == (2, "")
        assert len(done.err.splitlines()) == 1


def test_rows_that_are_left_out_or_merged_are_reported(tmp_path: Path, call: Any) -> None:
    rows = "M,A,NIV2,BC,1,0,0.5,L,TRUE\nM,A,NIV2,BC,1,0,0.6,L,TRUE\nM,A,NIV2,BC,2,0,0.6,L,FALSE\n"
    (tmp_path / "r.csv").write_text(HEADER + rows, encoding="utf-8")
    done = call("import-results", tmp_path / "r.csv", "--out", tmp_path / "run")
    assert done.code == 0
    assert done.err == (
        "note: left out, because `Include?` is not true: 1 rows\n"
        "note: 1 wordings occur more than once and count once, with their mean: A: NIV2/BC/1\n"
    )
    assert done.out == f"M: 1 accuracy of a wording on 1 task, in observed. See: phraseproof table {tmp_path / 'run'}\n"
    (score,) = load_run(tmp_path / "run").wording_scores()
    assert score.mean_score == pytest.approx((0.5 + 0.6) / 2)


def test_three_of_many_merged_wordings_are_named(tmp_path: Path, call: Any) -> None:
    rows = "".join(f"M,A,NIV2,BC,{number},0,0.5,L,TRUE\n" * 2 for number in range(1, 6))
    (tmp_path / "r.csv").write_text(HEADER + rows, encoding="utf-8")
    err = call("import-results", tmp_path / "r.csv", "--out", tmp_path / "run").err
    assert err.endswith("with their mean: A: NIV2/BC/1, A: NIV2/BC/2, A: NIV2/BC/3, ...\n")
    assert "note: 5 wordings" in err


def test_the_size_of_the_model_is_kept(imported: Path) -> None:
    assert load_run(imported).model_parameters == 3_000_000_000


@pytest.mark.parametrize("number", ["0", "-1", "1e18", "nan"])
def test_a_number_of_parameters_is_plausible(number: str, tmp_path: Path, call: Any) -> None:
    (tmp_path / "r.csv").write_text(HEADER + ROWS, encoding="utf-8")
    done = call("import-results", tmp_path / "r.csv", "--out", tmp_path / "run", "--parameters", number)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: --parameters: not a number of parameters (expected at least 1, got ")
    assert not (tmp_path / "run").exists()


def test_designers_can_be_a_group_of_their_own(tmp_path: Path, call: Any) -> None:
    rows = "M,A,BBL,Default,1,0,0.3,L,TRUE\nM,A,BBL,Unobserved,1,0,0.4,L,TRUE\n"
    (tmp_path / "r.csv").write_text(HEADER + rows, encoding="utf-8")
    together, apart = tmp_path / "together", tmp_path / "apart"
    assert call("import-results", tmp_path / "r.csv", "--out", together).code == 0
    assert call("import-results", tmp_path / "r.csv", "--out", apart, "--designers-apart").code == 0
    assert load_run(together).groups == ("unobserved",)
    scores = {score.group: score.mean_score for score in load_run(apart).wording_scores()}
    assert scores == {"task_designer": 0.3, "unobserved": 0.4}


TABLE = "model,task,wording,example,score,choice,gold\n" + "".join(
    f"m,{task},{wording},{number},{int((number * 7 + place) % 3 != 0)},"
    f"{('yes', 'no')[((number * 7 + place) % 3 != 0) == (number % 2 == 0)]},{('yes', 'no')[number % 2 == 0]}\n"
    for task in ("t", "u")
    for place, wording in enumerate(("old/1", "old/2", "new/1", "new/2"))
    for number in range(12)
)


@pytest.fixture
def outcomes(tmp_path: Path, call: Any) -> Path:
    (tmp_path / "rows.csv").write_text(TABLE, encoding="utf-8")
    groups = ("--group", "observed=old/*", "--group", "unobserved=*")
    done = call("import-results", tmp_path / "rows.csv", *groups, "-o", tmp_path / "outcomes")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == "m: 96 outcomes of 8 wordings on 2 tasks, from a table"
    assert "score: 8 cells under the scoring imported and the metric accuracy" in done.out
    return tmp_path / "outcomes"


def test_commands_read_outcomes_as_those_of_an_evaluation(outcomes: Path, tmp_path: Path, call: Any) -> None:
    (table,) = json.loads(call("table", outcomes, "--json").out)["tables"]
    expected = [int((number * 7 + place) % 3 != 0) for place in (0, 1) for number in range(12)]
    assert table["tasks"][0]["groups"]["observed"]["mean_percent"] == pytest.approx(100 * sum(expected) / 24)
    assert table["answers"][0]["classes"] == ["no", "yes"]
    (found,) = json.loads(call("analyze", outcomes, "--json").out)["analyses"]
    assert found["tests"][0]["over_tasks"]["n"] == 2
    assert call("gate", outcomes, "--min-worst", "10").code == 0
    assert call("compare", outcomes, outcomes).code == 0
    assert call("report", outcomes, "-o", tmp_path / "page.html").code == 0
    assert "old/1" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_needs_log_probabilities_is_refused(outcomes: Path, call: Any) -> None:
    done = call("calibrate", outcomes)
    assert (done.code, done.out) == (2, "")
    assert "'imported' stores no log-probabilities of options" in done.err
    done = call("config", outcomes)
    assert done.code == 2
    assert "no evaluation made it" in done.err


def test_no_evaluation_adds_to_it(outcomes: Path, call: Any) -> None:
    done = call(
        "evaluate", "-m", "scripted", "-t", "everyday/tickets", "--observed", "composed", "-n", "2", "-o", outcomes
    )
    assert (done.code, done.out) == (2, "")
    assert "no model can add to them" in done.err


def test_mistakes_about_logs_are_one_line(outcomes: Path, tmp_path: Path, call: Any) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "other"
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    (tmp_path / "paper.csv").write_text(HEADER + ROWS, encoding="utf-8")
    for arguments, problem in (
        ((tmp_path / "notes.txt",), "not a known kind of log"),
        ((tmp_path / "none.csv",), "no such file"),
        ((rows, "--from", "excel"), "no logs are called 'excel'"),
        ((rows, "--from", "paper"), "not a file of published results"),
        ((rows, "--scale", "5,1"), "not a scale"),
        ((rows, "--group", "old"), "not a group"),
        ((rows, "--group", "old=old/*"), "no group fits the wording 'new/1'"),
        ((rows, "--model", "n"), "no outcome is of that model"),
        ((rows, "--designers-apart"), "only for files in the paper's release format"),
        ((tmp_path / "paper.csv", "--task", "t"), "the paper's files say themselves"),
    ):
        done = call("import-results", *arguments, "-o", out)
        assert (done.code, done.out) == (2, "")
        assert len(done.err.splitlines()) == 1
        assert problem in done.err
    assert not out.exists()


def test_warnings_say_what_lacks(tmp_path: Path, call: Any) -> None:
    rows = "m,t,a,1,1\nm,t,a,2,\nm,t,b,1,0\nm,t,b,2,1\n"
    (tmp_path / "rows.csv").write_text("model,task,wording,example,score\n" + rows, encoding="utf-8")
    done = call("import-results", tmp_path / "rows.csv", "-o", tmp_path / "run")
    assert done.code == 0
    assert done.err.splitlines() == [
        "warning: no score for 1 outcome: the program failed or was stopped",
        "warning: t: 1 of 2 examples lack score under some wording; statistics of examples leave them out",
    ]
    (tmp_path / "rows.csv").write_text("model,task,wording,example,score\nm,t,b,1,1\n", encoding="utf-8")
    done = call("import-results", tmp_path / "rows.csv", "-o", tmp_path / "run")
    assert f"warning: 1 cell of {tmp_path / 'run'} replaced: the outcomes are others" in done.err
