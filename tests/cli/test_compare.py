"""`phraseproof compare`: what reaches the screen, JSON and the page."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from phraseproof.cli import app
from phraseproof.store.queries import load_run
from support.command_line import run_command
from support.report_runs import write_run


class Pair(NamedTuple):
    base: Path
    aligned: Path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("runs")
    return Pair(
        write_run(folder / "base", examples=40),
        write_run(folder / "aligned", examples=40, bonus=0.15, adapter="0123456789abcdef"),
    )


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    return partial(run_command, capsys, "compare")


def mean_percent(path: Path, task: str) -> float:
    values = [100 * score.mean_score for score in load_run(path).wording_scores() if score.task == task]
    return sum(values) / len(values)


def test_it_says_which_is_which_and_what_came_of_it(pair: Pair, call: Any) -> None:
    done = call(*pair)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("before  org/model, 0-shot")
    # The folders' names stand behind the models', and may fill a line of their own.
    headings = [line.split()[0] for line in lines if line.startswith(("before  org", "after   org", "Better. "))]
    assert headings == ["before", "after", "Better."]
    assert any(line.startswith("after   org/model + adapter 01234567, 0-shot") for line in lines)
    (row,) = [line for line in lines if line.startswith("  kb/colours")]
    before, after = mean_percent(pair.base, "kb/colours"), mean_percent(pair.aligned, "kb/colours")
    assert row.split()[1:4] == [f"{before:.1f}", f"{after:.1f}", f"{after - before:+.1f}"]
    assert "Better, beyond chance" in done.out
    assert "\x1b" not in done.out


def test_the_other_way_round_it_is_worse(pair: Pair, call: Any) -> None:
    done = call(pair.aligned, pair.base)
    assert "Worse. " in done.out
    assert "Worse, beyond chance" in done.out
    assert "Better, beyond chance" not in done.out


def test_a_run_and_itself_do_not_differ(pair: Pair, call: Any) -> None:
    done = call(pair.base, pair.base)
    assert "No difference shown. " in done.out
    assert "0 got better and 0 worse" in done.out


def test_json_has_every_row_and_wording_in_full_precision(pair: Pair, call: Any) -> None:
    (found,) = json.loads(call(*pair, "--json").out)["comparisons"]
    rows = {(row["name"], row["group"]): row for row in found["rows"]}
    assert set(rows) == {
        *((name, None) for name in ("KB", "kb/colours", "kb/shapes", "Tone", "tone/polite", "Overall")),
        ("Overall", "observed"),
        ("Overall", "unobserved"),
        ("Overall", "mean of groups"),
    }
    for task in ("kb/colours", "kb/shapes", "tone/polite"):
        assert rows[task, None]["before_percent"] == pytest.approx(mean_percent(pair.base, task))
        assert rows[task, None]["after_percent"] == pytest.approx(mean_percent(pair.aligned, task))
    for row in rows.values():
        difference = row["after_percent"] - row["before_percent"]
        assert row["difference_percentage_points"] == pytest.approx(difference)
        assert row["interval_low_percentage_points"] < difference < row["interval_high_percentage_points"]
    assert rows["KB", None]["before_percent"] == pytest.approx(
        (rows["kb/colours", None]["before_percent"] + rows["kb/shapes", None]["before_percent"]) / 2
    )
    assert len(found["wordings"]) == 3 * 7
    assert all(each["p_holm"] >= each["p_value"] for each in found["wordings"])


@pytest.mark.parametrize("width", [40, 60, 79, 100, 140])
def test_no_line_is_wider_than_the_screen(pair: Pair, call: Any, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    done = call(*pair)
    assert max(map(len, done.out.splitlines())) <= width
    assert "kb/shapes" in done.out
    low = json.loads(call(*pair, "--json").out)["comparisons"][0]["rows"][-1]["interval_low_percentage_points"]
    assert f"{low:+.1f}" in done.out, "intervals are shown at any width"


def test_what_only_one_run_holds_is_said(pair: Pair, call: Any, tmp_path: Path) -> None:
    other = write_run(tmp_path / "more", examples=40, groups={"observed": 5, "unobserved": 3})
    done = call(pair.base, other)
    assert "1 wordings only in the second run" in done.out


def test_runs_with_nothing_in_common_are_one_line_and_exit_2(pair: Pair, call: Any, tmp_path: Path) -> None:
    done = call(pair.base, write_run(tmp_path / "else", tasks={"else": "Else"}))
    assert (done.code, done.out) == (2, "")
    assert "no wording in common" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_page_is_written_beside_the_text(pair: Pair, call: Any, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    out = tmp_path / "changes" / "compare.html"
    done = call(*pair, "--html", out)
    assert done.code == 0
    assert str(out) in done.err
    page = out.read_text(encoding="utf-8")
    assert "Better. " in page
    assert "what changed" in page
    assert "default-src &#39;none&#39;" in page


def test_scores_of_another_program_are_said_to_be_so(call: Any, tmp_path: Path) -> None:
    own, imported, labelled = (tmp_path / name for name in ("own", "imported", "labelled"))
    write_run(own, tasks={"t": "T"})
    for folder, further in ((imported, ""), (labelled, ",choice,gold")):
        table = tmp_path / "t.csv"
        rows = [f"m,a,{n},{n % 2}" + (f",y,{'ny'[n % 2]}" if further else "") for n in range(4)]
        table.write_text("\n".join([f"model,wording,example,score{further}", *rows]), encoding="utf-8")
        assert CliRunner().invoke(app, ["import-results", str(table), "--out", str(folder)]).exit_code == 0
    assert "compare with those of --scoring generate" in call(own, imported).err
    assert "is accuracy where the import holds the chosen and the right option" in call(imported, labelled).err
    assert "has what its files hold" in call(imported, own, "--scoring", "loglikelihood").err
