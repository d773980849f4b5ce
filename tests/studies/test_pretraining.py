"""Tuned bases are compared by averages and relative differences that can be computed by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.models.options import ModelOptions
from phraseproof.studies.carry_out import carry_out, forecasts
from phraseproof.studies.measured import measure
from phraseproof.studies.pretraining import PretrainingStudy, averages, bases
from phraseproof.studies.study import StudyRequest
from support import tiny_models
from support.study_runs import four_tasks, imported
from support.tiny_tunings import EXAMPLES


def test_averages_and_percentages_of_categories(tmp_path: Path) -> None:
    found = averages(measure(four_tasks(tmp_path), ("observed", "unobserved")))
    # BBL-BC: observed .70, unobserved .55.
    assert found["BBL-BC"].average == pytest.approx(0.625)
    assert found["BBL-BC"].percent == pytest.approx(-100 * 0.15 / 0.7)
    assert found["MMLU"].percent == pytest.approx(0)
    # The mean over categories: .60 and .51667.
    assert found["Overall"].average == pytest.approx((0.6 + 0.516667) / 2, abs=1e-5)


def test_two_runs_are_compared_task_by_task(tmp_path: Path) -> None:
    first = four_tasks(tmp_path / "a", model="First")
    second = imported(
        tmp_path / "b",
        {
            # Differences: strategyqa 0, winowhy -.10, mmlu 0; in the first run -.10, -.20, 0.
            ("StrategyQA", "BC"): (0.6, 0.6),
            ("StrategyQA", "Unobserved"): (0.6, 0.6),
            ("Winowhy", "BC"): (0.8, 0.8),
            ("Winowhy", "Unobserved"): (0.7, 0.7),
            ("MMLU_General", "QA"): (0.4, 0.4),
            ("MMLU_General", "Unobserved"): (0.4, 0.4),
        },
        model="Second",
    )
    request = StudyRequest(runs=(first.path, second.path), out=tmp_path / "out")
    exhibit = carry_out(PretrainingStudy(), request)
    by_task = exhibit.results.select(statistic="change of the difference over tasks")
    assert [row.estimate for row in by_task.rows] == [pytest.approx(100 * (0.1 + 0.1 + 0) / 3)]
    # Imported accuracies hold no single examples.
    assert not exhibit.results.select(statistic="change of the difference").rows
    assert exhibit.tables[1].rows[0][:2] == ("First", "average")
    assert set(exhibit.charts) == {"average-by-category", "difference-by-category"}


def test_bases_are_tuned_and_measured(tmp_path: Path) -> None:
    rows = [{"instruction": each.instruction, "input": each.input, "output": each.output} for each in EXAMPLES]
    (tmp_path / "alpaca.json").write_text(json.dumps(rows))
    request = StudyRequest(
        models=(str(tiny_models.tiny_llama()), str(tiny_models.tiny_t5())),
        data=(tmp_path / "alpaca.json",),
        tasks=("pocket/has-maker",),
        instructions={"observed": ("pocket-observed",), "unobserved": ("pocket-test",)},
        limit=2,
        max_steps=2,
        out=tmp_path / "out",
        model_options=ModelOptions(device="cpu"),
    )
    exhibit = carry_out(PretrainingStudy(), request)
    assert [row[0] for row in exhibit.tables[1].rows[::2]] == [f"{Path(model).name}, tuned" for model in request.models]
    assert sum(note.startswith("tuning: 10 examples of alpaca.json, 2 steps (2 epochs)") for note in exhibit.notes) == 1
    assert len(exhibit.results.select(statistic="change of the difference").rows) == 1
    planned = forecasts(PretrainingStudy(), request, timed=False)
    assert [each.forecast.missing for each in planned] == [0, 0, 0, 0]


def test_the_pocket_has_two_bases_and_others_need_two() -> None:
    assert bases(StudyRequest(models=("pocket",))) == ("pocket/tiny-base", "pocket/tiny-base-long")
    for named in (("some/base",), ("some/base", "some/base")):
        with pytest.raises(UsageError, match="--model: the study compares untuned models"):
            bases(StudyRequest(models=named))
    with pytest.raises(UsageError, match="--run: the study compares models"):
        PretrainingStudy().plan(StudyRequest(runs=(Path("one"),)))
    two = StudyRequest(models=("some/base", "other/base"))
    with pytest.raises(UsageError, match="--data"):
        PretrainingStudy().plan(replace(two, data=()))
