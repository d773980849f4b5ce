from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from analysis.test_label_agreement import LABELS, write
from phraseproof.scoring.texts.pair_statistics import NO_OTHER_TEXT, PairStatistics
from support.command_line import run_command
from support.pair_runs import write_pair_run


def test_labels_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "run")
    path = tmp_path / "labels.csv"
    path.write_text("example_id,label\n" + "".join(f"e{place},{label}\n" for place, label in enumerate(LABELS)))
    call = partial(run_command, capsys, "agree", tmp_path / "run", path)
    done = call("--scale", "1,5")
    assert done.code == 0, done.err
    assert "Pearson's r: 0.91, 95% interval" in done.out
    assert "Cohen's kappa, quadratic weights: 0.89" in done.out
    assert f"judge:x@y and labels of {len(LABELS)} texts; bootstrap over {len(LABELS)} examples" in done.out
    found = json.loads(call("--json").out)
    assert (found["texts"], sorted(found["agreement"])) == (len(LABELS), ["pearson", "spearman"])


def test_position_bias_of_pairs_is_shown_next_to_the_agreement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    won, first, lost = (PairStatistics.of_results(*each) for each in ((1, 1), (1, 0), (0, 0)))
    write_pair_run(tmp_path / "run", [won, first, lost, first] * 4 + [NO_OTHER_TEXT])
    path = tmp_path / "labels.csv"
    path.write_text("example_id,label\n" + "".join(f"e{place},{place % 3}\n" for place in range(17)))
    done = run_command(capsys, "agree", tmp_path / "run", path)
    assert done.code == 0, done.err
    assert "1 labelled texts are compared with nothing in the other run, and are left out" in done.out
    assert "Position bias: the two orders have different results in 50.0% [" in done.out
    assert "the text shown first wins 75.0% [" in done.out
    found = json.loads(run_command(capsys, "agree", tmp_path / "run", path, "--json").out)
    bias = found["position_bias"]
    assert (found["lacking"], bias["pairs"], bias["first_place"]["estimate"]) == (1, 16, 0.75)
    assert bias["disagreement"]["low"] < 0.5 < bias["disagreement"]["high"]


def test_a_judge_that_always_names_one_place_has_no_agreement_and_the_reason_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pair_run(tmp_path / "run", [PairStatistics.of_results(1, 0)] * 12)
    path = tmp_path / "labels.csv"
    path.write_text("example_id,label\n" + "".join(f"e{place},{place % 3}\n" for place in range(12)))
    done = run_command(capsys, "agree", tmp_path / "run", path)
    assert done.code == 2
    assert "all 12 values of judge:pairs@m are 0.5, and no agreement is defined. Position bias: the two" in done.err
    assert "the judge prefers the first place" in done.err


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        ("id,label\n1,2\n", (), "labels.csv:1: not a file of labels"),
        ("example_id,label\ne0,good\n", (), "labels.csv:2, label: a label that is no number"),
        ("example_id,label\ne0,2\n", ("--scale", "5,1"), "--scale: not a scale"),
    ],
)
def test_wrong_input_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, options: tuple[str, ...], problem: str
) -> None:
    write(tmp_path / "run")
    (tmp_path / "labels.csv").write_text(content)
    done = run_command(capsys, "agree", tmp_path / "run", tmp_path / "labels.csv", *options)
    assert done.code == 2
    assert problem in done.err
