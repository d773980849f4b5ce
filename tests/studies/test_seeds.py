"""Gains over the seeds of trainings, by hand, of imported accuracies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.analysis.aggregation import OVERALL
from phraseproof.studies.aligned_models import AlignedModels, aligned_models
from phraseproof.studies.closer_look import kind_of, kinds_of
from phraseproof.studies.negation import NegationStudy
from phraseproof.studies.seeds import seed_rows, seed_tables
from phraseproof.studies.steps import GivenRun
from phraseproof.studies.study import Step, StudyRequest
from support.study_runs import imported

KINDS = ("Correct", "Negation", "Unobserved")
GAINS = ((0.1, -0.2, 0.0), (0.3, -0.1, 0.2))
"""Of each seed, by kind."""


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    runs = [
        imported(
            tmp_path_factory.mktemp("run"),
            {(task, kind): (0.5 + gain,) for task in ("StrategyQA", "Winowhy") for kind, gain in of.items()},
        )
        for of in (dict(zip(KINDS, gains, strict=True)) for gains in ((0.0,) * 3, *GAINS))
    ]
    return [GivenRun(run.path) for run in runs]


def measured(steps: list[Step], *names: str) -> AlignedModels:
    """Given runs as trainings of these names, which `study` makes of `--seeds`."""
    (found,) = aligned_models(steps, category=lambda *_: OVERALL, groups=kinds_of)
    named = enumerate(zip(found.aligned, names, strict=True))
    return replace(found, aligned=tuple(replace(each, name=name, seed=seed) for seed, (each, name) in named))


def test_means_and_spreads_by_hand(steps: list[Step]) -> None:
    found = measured(steps, "joint", "joint")
    of_kind = {kind_of(group): group for group in found.base.groups}
    groups = {kind: of_kind[kind] for kind in ("closest", "negated")}
    (table,) = seed_tables([found], groups=lambda _: groups)
    # Of +10 and +30: the mean is 20, the Std sqrt(2 * 10²); of -20 and -10: -15 and sqrt(2 * 5²).
    assert [row[1:] for row in table.rows] == [
        ("joint", "closest", "+20.0", "14.1", "+10.0 to +30.0", "2"),
        ("joint", "negated", "-15.0", "7.1", "-20.0 to -10.0", "2"),
    ]
    rows = {(row.statistic.split()[0], row.group): row for row in seed_rows([found], groups=lambda _: groups)}
    assert rows["mean", "closest"].estimate == pytest.approx(20)
    assert rows["std", "negated"].estimate == pytest.approx(50**0.5)
    assert {row.n for row in rows.values()} == {2}


def test_one_seed_has_no_summary(steps: list[Step]) -> None:
    found = measured(steps, "negation", "joint")
    assert list(seed_tables([found])) == []
    assert list(seed_rows([found])) == []


def test_the_study_of_negations_has_a_row_per_kind(
    steps: list[Step], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measured(steps, "joint", "joint")
    monkeypatch.setattr("phraseproof.studies.negation.aligned_models", lambda *_, **__: [found])
    exhibit = NegationStudy().build(StudyRequest(out=tmp_path), steps)
    table = next(each for each in exhibit.tables if each.title.startswith("Over the seeds"))
    assert [row[2:4] for row in table.rows] == [("closest", "+20.0"), ("collected", "+10.0"), ("negated", "-15.0")]
    rows = exhibit.results.select(statistic="mean over seeds of the difference from the base")
    assert {row.group: round(row.estimate, 6) for row in rows} == {"closest": 20, "collected": 10, "negated": -15}
