"""`objectives`: which methods a model is trained by, and the tables of given runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from phraseproof.store.queries import load_run
from phraseproof.studies import objectives as module
from phraseproof.studies.alignment_step import AlignmentStep
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.objectives import ObjectivesStudy
from phraseproof.studies.study import Step, StudyRequest


def trained(steps: list[Step]) -> list[str]:
    return [step.settings.method for step in steps if isinstance(step, AlignmentStep)]


def test_equal_encoder_states_are_for_models_with_an_encoder(tmp_path: Path) -> None:
    request = StudyRequest(models=("pocket/tiny",), tasks=("pocket/has-maker",), limit=2, out=tmp_path)
    decoder = list(ObjectivesStudy().plan(request))
    assert trained(decoder) == ["ft+kl", "pt+kl", "ft+contrastive", "pt+contrastive"]
    both = list(ObjectivesStudy().plan(replace(request, models=("pocket/small-t5",))))
    assert trained(both) == [*trained(decoder), "mse"]
    (mse,) = (step for step in both if isinstance(step, AlignmentStep) and step.settings.method == "mse")
    assert mse.settings.learning_rate == 1e-2  # that of the pocket's soft prompts


def test_a_small_study_trains_and_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "METHODS", ("pt+contrastive", "mse"))
    tasks = ("pocket/has-maker", "pocket/label-maker")
    request = StudyRequest(
        models=("pocket/tiny",), tasks=tasks, limit=2, max_steps=3, gradient_accumulation=1, out=tmp_path
    )
    exhibit = carry_out(ObjectivesStudy(), request)
    base, _, aligned = ObjectivesStudy().plan(request)
    table, _, printed = exhibit.tables
    assert [row[1] for row in table.rows] == ["base", "PT+contrastive"]

    def mean(folder: Path) -> float:
        rows = load_run(folder).wording_scores()
        return fmean(
            fmean(row.mean_score for row in rows if (row.task, row.group) == (task, "unobserved")) for task in tasks
        )

    (gain,) = exhibit.results.select(statistic="difference from the base", level="category", group="unobserved")
    assert gain.estimate == pytest.approx(100 * (mean(aligned.folder) - mean(base.folder)))
    assert exhibit.notes[0].startswith("pocket/tiny: no row of MSE")
    assert printed.rows[-1] == ("MSE on EncoderHS", "48.1", "48.0")
    assert printed.rows[0] == ("FT + KL", "41.8", "43.6")
