"""Estimates say that they are estimates, in every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from support.command_line import exit_code as call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of `write_runs`, for tests that only read them."""
    return write_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def own_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The runs of `write_runs`, for a test that adds to them."""
    write_runs(tmp_path)
    capsys.readouterr()
    return tmp_path


def write_runs(folder: Path) -> Path:
    """Runs `few` and `whole` of the scripted model on a made-up task, under wordings with names that want escaping."""
    rows = "".join(f"Was it number {n}?,{'yes!' if n % 2 else 'no!'}\n" for n in range(40))
    (folder / "t.csv").write_text("question,label\n" + rows)
    text = "name: t_1\nkind: binary\ndata: t.csv\nchoices: [yes!, no!]\nanswer: label\ncategory: house\n"
    (folder / "t.yaml").write_text(text)
    for name, count in (("seen", 4), ("new", 3)):
        entries = [
            {"id": f"w{n}", "template": f"{'so ' * n}\u202e| {{{{ question }}}}", "answer": "text"}
            for n in range(count)
        ]
        (folder / f"{name}.yaml").write_text(json.dumps({"name": name, "instructions": entries}))
    evaluate(folder, "few", "--budget", "25%")
    evaluate(folder, "whole")
    return folder


def evaluate(folder: Path, out: str, *arguments: str) -> object:
    command = ["evaluate", "-m", "scripted", "-t", f"{folder}/t.yaml", "-o", f"{folder}/{out}", "-q"]
    return call(*command, "--observed", f"{folder}/seen.yaml", "--unobserved", f"{folder}/new.yaml", *arguments)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert call("table", *arguments) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_people_are_told(folder: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    for by in ("task", "wording"):
        out = shown(capsys, f"{folder}/few", "-f", form, "--by", by)
        assert "estimated from 25" in out
        assert "\u202e" not in out
    assert shown(capsys, f"{folder}/few", "-f", form).count("unobserved minus observed") == 1


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_text_fits_its_screen(
    folder: Path, capsys: pytest.CaptureFixture[str], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for by in ("task", "wording"):
        out = shown(capsys, f"{folder}/few", "--by", by)
        assert max(map(len, out.splitlines())) <= columns
    assert "95%" in shown(capsys, f"{folder}/few")


def test_json_has_every_interval_and_csv_the_same_numbers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = json.loads(shown(capsys, f"{folder}/few", "--json"))
    assert run["estimated"] is True
    (task,) = run["tasks"]
    assert task["share_percent"] == pytest.approx(25, abs=0.2)
    group: Any = task["groups"]["unobserved"]
    assert list(group["quantiles"]) == ["5", "25", "50", "75", "95"]
    assert all(entry["low"] <= entry["estimate"] <= entry["high"] for entry in group["quantiles"].values())
    assert {wording["scored"] for wording in group["wordings"]} == {10}
    rows = list(csv.DictReader(io.StringIO(shown(capsys, f"{folder}/few", "-f", "csv"))))
    (mean,) = [row for row in rows if (row["group"], row["statistic"]) == ("unobserved", "mean")]
    assert float(mean["estimate"]) == pytest.approx(group["mean"]["estimate"])
    by_wording = list(csv.DictReader(io.StringIO(shown(capsys, f"{folder}/few", "-f", "csv", "--by", "wording"))))
    assert len(by_wording) == 7


def test_too_few_cells_are_told_with_what_would_do(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("table", f"{own_folder}/few", "--json") == 0
    done = capsys.readouterr()
    (run,) = json.loads(done.out)
    few = run["too_few_cells"]
    assert (few["num_short"], few["num_tasks"], few["scored"]) == (1, 1, 70)
    assert few["error"] > 1
    (note,) = [line for line in done.err.splitlines() if "too few cells" in line]
    assert "at worst (t_1, unobserved; 70 cells scored) expect the " in note or "(t_1, observed; 70 cells" in note
    assert f"to be off by some {few['error']:.1f} points; about --budget " in note
    wanted = float(note.rsplit("--budget ", 1)[1].split("%", 1)[0])
    assert few["share_percent"] <= wanted <= few["share_percent"] + 5
    assert "too few cells" not in shown(capsys, f"{own_folder}/few")
    assert evaluate(own_folder, "few", "--budget", "100%") == 0
    assert "too few cells" not in capsys.readouterr().err


def test_texts_take_part_when_asked(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, with_texts = (
        json.loads(shown(capsys, f"{own_folder}/few", "--json", *more))[0] for more in ((), ["--covariates"])
    )
    assert (plain["covariates"], with_texts["covariates"]) == (False, True)
    assert plain["tasks"] != with_texts["tasks"]
    assert evaluate(own_folder, "few", "--budget", "25%", "--covariates", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [with_texts]
    assert call("table", f"{own_folder}/whole", "--covariates") == 2
    assert "--covariates requires estimates" in capsys.readouterr().err
    assert evaluate(own_folder, "new", "--covariates") == 2
    assert "Only runs with a budget have estimates" in capsys.readouterr().err
    assert not (own_folder / "new").exists()


def test_compare_takes_estimates_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("compare", f"{folder}/few", f"{folder}/whole") == 0
    out = capsys.readouterr().out
    assert "No difference shown. On t_1: " in out
    assert "Note: estimated from 25% and 100% of the grid" in " ".join(out.split())
    assert call("compare", f"{folder}/few", f"{folder}/few", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert [row["group"] for row in found["rows"]] == [None, "observed", "unobserved", "mean of groups"]
    for row in found["rows"]:
        low, high = row["interval_low_percentage_points"], row["interval_high_percentage_points"]
        assert low < 0 < high
        assert row["p_value"] is None
        assert abs(row["before_percent"] - row["after_percent"]) < 3
    assert found["wordings"] == []


def test_whole_runs_beside_it_keep_their_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = shown(capsys, f"{folder}/few", f"{folder}/whole")
    assert both.count("estimated from") == 1
    assert both.endswith(shown(capsys, f"{folder}/whole"))
    assert call("table", f"{folder}/few", f"{folder}/whole", "--json") == 2
    assert "cannot be in one json document" in capsys.readouterr().err


def test_the_commands_around_it(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(own_folder, "new", "--budget", "5") == 2
    assert "not a share of the grid: expected a percentage" in capsys.readouterr().err
    assert evaluate(own_folder, "new", "--budget", "10%", "--dry-run") == 0
    assert "28" in capsys.readouterr().out
    assert evaluate(own_folder, "few", "--budget", "50%") == 0
    assert "estimated from 50% of the grid" in capsys.readouterr().out
