"""How commands open run folders, and read the sizes of models."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from phraseproof.cli.run_folders import describe_runs, open_runs, read_sizes
from phraseproof.errors import RunError, UsageError
from support import free_texts


def run(**fields: Any) -> Any:
    defaults = {
        "path": Path("runs/a"),
        "name": "runs/a",
        "missing": (),
        "cells": (1, 2),
        "scorings": ("loglikelihood",),
    }
    defaults |= {"metric": "accuracy", "metrics": ("accuracy",)}
    return SimpleNamespace(content={}, **defaults, **fields)


def test_a_run_with_one_scoring_needs_no_remark(capsys: pytest.CaptureFixture[str]) -> None:
    describe_runs([run(scoring="loglikelihood")])
    assert capsys.readouterr().err == ""


def test_the_scoring_that_is_shown_is_named_where_there_are_several(capsys: pytest.CaptureFixture[str]) -> None:
    several = run(scoring="loglikelihood")
    several.scorings = ("loglikelihood", "paper")
    describe_runs([several])
    printed = capsys.readouterr().err
    assert printed == "note: runs/a: outcomes of the scoring loglikelihood; --scoring paper shows the others\n"


def test_the_metric_that_is_shown_is_named_and_each_can_be_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluation = free_texts.make_evaluation(metric="rouge1")
    folder = tmp_path / "run"
    evaluation.run(folder, self_test=False)
    free_texts.make_evaluation(metric="chrf").run(folder, self_test=False)
    open_runs([folder])
    assert f"note: {folder}: scores of the metric rouge1; --metric chrf shows the others" in capsys.readouterr().err
    assert [each.metric for each in open_runs([folder], every=True)] == ["rouge1", "chrf"]
    assert [each.metric for each in open_runs([folder], metric="chrf", every=True)] == ["chrf"]
    with pytest.raises(RunError, match=r"no scores of the metric 'f1' \(expected one of: rouge1, chrf\)"):
        open_runs([folder], metric="f1")


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        open_runs([tmp_path])


def test_sizes() -> None:
    runs = [Path("runs/base"), Path("a=b")]
    assert read_sizes(["runs/base=250e6", "a=b=7"], runs) == {Path("runs/base"): 250_000_000, Path("a=b"): 7}
    for entry in ("runs/base", "runs/base=", "runs/base=many", "runs/base=0", "=5", "runs/base=nan"):
        with pytest.raises(UsageError, match="--parameters: not a model's size"):
            read_sizes([entry], runs)
    with pytest.raises(UsageError, match="no such run is given"):
        read_sizes(["runs/other=5"], runs)
