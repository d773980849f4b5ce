"""Derived runs: what is stored, that every reader reads them, and that no evaluation continues them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import phraseproof
from phraseproof.analysis.calibrated import cross_fitted
from phraseproof.analysis.option_values import load_option_values
from phraseproof.errors import RunError, UsageError
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.stored_spec import spec_of_run
from phraseproof.store.queries import Run, load_run
from phraseproof.store.run_file import run_checksum_of
from support.calibrated_runs import evaluation, labelled_task, run
from support.other_metrics import LETTERS


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Run, Run]:
    source = run(tmp_path / "run")
    found = phraseproof.calibrate(source, "batch", out=tmp_path / "derived", resamples=50)
    assert found.run is not None
    return source, found.run


def test_its_rows_are_those_of_the_run_with_corrected_numbers(pair: tuple[Run, Run]) -> None:
    source, derived = pair
    before = {(row["instruction"], row["example_id"]): row for row in source.query_rows("SELECT * FROM outcomes")}
    (values,) = load_option_values(source)
    corrected = cross_fitted(values, "batch")
    rows = derived.query_rows("SELECT * FROM outcomes")
    assert len(rows) == len(before) == 150
    for row in rows:
        old = before[row["instruction"], row["example_id"]]
        place = values.wordings.index(row["instruction"]), values.examples.index(row["example_id"])
        expected = corrected[place]
        assert np.exp(row["option_logprobs"]).sum() == pytest.approx(np.exp(old["option_logprobs"]).sum())
        assert np.diff(row["option_logprobs"]) == pytest.approx(np.diff(expected))
        assert row["predicted"] == int(np.argmax(expected))
        assert row["score"] == old["option_credits"][row["predicted"]]
        assert row["scoring"] == "loglikelihood+batch"
        for name in ("options", "target", "option_credits", "prompt_tokens", "category", "group", "metric"):
            assert row[name] == old[name]


def test_it_says_what_it_was_derived_from(pair: tuple[Run, Run]) -> None:
    source, derived = pair
    record = derived.content["derived_from"]
    assert record["run"] == str(source.path.resolve())
    assert record["run_checksum"] == run_checksum_of(source.path)
    assert (record["method"], record["folds"], record["seed"], record["scoring"]) == ("batch", 5, 0, "loglikelihood")
    assert derived.scorings == ("loglikelihood+batch",)
    assert derived.settings["calibration"] == {"method": "batch", "folds": 5, "seed": 0, "of": "loglikelihood"}
    assert derived.groups == source.groups
    assert not {cell.identity for cell in source.cells} & {cell.identity for cell in derived.cells}


def test_every_reader_reads_it(pair: tuple[Run, Run], tmp_path: Path) -> None:
    source, derived = pair
    mean = np.mean([score.mean_score for score in derived.wording_scores()])
    assert len(phraseproof.table(derived))
    assert len(phraseproof.analyze(derived, resamples=50))
    changes = phraseproof.compare(source, derived)
    (gain,) = [row for row in changes if row.level == "task" and row.group == "" and row.unit == "points"]
    before = np.mean([score.mean_score for score in source.wording_scores()])
    assert gain.estimate == pytest.approx(100 * (mean - before))
    assert phraseproof.gate(derived, min_mean=95).passed
    assert not phraseproof.gate(source, min_mean=95).passed
    assert phraseproof.report([source, derived], tmp_path / "page.html").stat().st_size > 10_000
    assert load_option_values(derived)[0].scoring == "loglikelihood+batch"


def test_the_same_call_writes_nothing_again_and_another_one_is_refused(pair: tuple[Run, Run]) -> None:
    source, derived = pair
    files = {path: path.stat().st_mtime_ns for path in derived.path.rglob("*.parquet")}
    phraseproof.calibrate(source, "batch", out=derived.path, resamples=50)
    assert {path: path.stat().st_mtime_ns for path in derived.path.rglob("*.parquet")} == files
    with pytest.raises(RunError, match=r"another setting of calibration.method"):
        phraseproof.calibrate(source, "prior-matching", out=derived.path, resamples=50)
    with pytest.raises(UsageError, match="that of the run itself"):
        phraseproof.calibrate(source, "batch", out=source.path, resamples=50)


def test_a_folder_of_a_model_is_not_overwritten(pair: tuple[Run, Run], tmp_path: Path) -> None:
    source, _ = pair
    other = run(tmp_path / "other")
    before = (other.path / "run.json").read_bytes()
    with pytest.raises(RunError, match="a run of a model"):
        phraseproof.calibrate(source, "batch", out=other.path, resamples=50)
    assert (other.path / "run.json").read_bytes() == before


def test_no_evaluation_continues_it(pair: tuple[Run, Run]) -> None:
    _, derived = pair
    before = (derived.path / "run.json").read_bytes()
    again = evaluation(labelled_task())
    for attempt in (lambda: again.run(derived.path, self_test=False), lambda: again.forecast(derived.path)):
        with pytest.raises(RunError, match="`phraseproof calibrate` derived from another run") as error:
            attempt()
        assert "\n" not in str(error.value)
    assert (derived.path / "run.json").read_bytes() == before
    with pytest.raises(UsageError, match="no model gives the outcomes of the scoring 'loglikelihood\\+batch'"):
        evaluation(spec=EvaluationSpec(scoring="loglikelihood+batch"))
    with pytest.raises(RunError, match="no evaluation made it"):
        spec_of_run(derived.content)


def test_other_folds_and_other_outcomes_are_other_cells(pair: tuple[Run, Run], tmp_path: Path) -> None:
    source, derived = pair
    other = phraseproof.calibrate(source, "batch", folds=3, out=tmp_path / "three", resamples=50).run
    assert other is not None
    assert {cell.identity for cell in other.cells}.isdisjoint(cell.identity for cell in derived.cells)


def test_it_is_whole_when_read_under_its_checksums(pair: tuple[Run, Run]) -> None:
    _, derived = pair
    content = json.loads((derived.path / "run.json").read_text())
    assert len(content["checksums"]) == len(derived.cells) == 5
    path = next(derived.path.rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(RunError, match="checksum"):
        load_run(derived.path).outcomes()


def test_cells_that_are_missing_stay_missing(tmp_path: Path) -> None:
    source = run(tmp_path / "run")
    next((source.path / "cells").rglob("*.parquet")).unlink()
    found = phraseproof.calibrate(load_run(source.path), "batch", out=tmp_path / "derived", resamples=50)
    assert found.run is not None
    assert len(found.run.cells) == 4
    assert not found.run.missing


def test_scores_of_other_metrics_are_those_of_the_new_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = ("prepare", "answer_settings", "score_cells", "record", "reuse")
    for place in (*(f"evaluation.{name}" for name in evaluation), "reduction.derived_run", "store.integrity"):
        monkeypatch.setattr(f"phraseproof.{place}.metric", lambda _: LETTERS)
    source = run(tmp_path / "run", spec=EvaluationSpec(metric="length"))
    derived = phraseproof.calibrate(source, "batch", out=tmp_path / "derived", resamples=50).run
    assert derived is not None
    for row in derived.query_rows("SELECT * FROM outcomes"):
        assert row["score"] == len(row["options"][row["predicted"]])
