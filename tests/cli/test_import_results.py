"""`phraseproof import-results`: accuracies that others published, as a run that tables and statistics read."""

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
