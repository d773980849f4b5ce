"""`alignment-distance`: distances before and after a training, by hand from the stored vectors."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from scipy.stats import ttest_rel

from phraseproof.errors import PhraseproofError
from phraseproof.store.queries import load_run
from phraseproof.store.vectors import load_vectors
from phraseproof.studies import alignment_distance as module
from phraseproof.studies.alignment import AlignmentStudy
from phraseproof.studies.alignment_distance import AlignmentDistance
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.published import figures
from phraseproof.studies.study import StudyRequest
from support.study_runs import four_tasks

TASKS = ("pocket/has-maker", "pocket/has-buyer", "pocket/label-maker")


def by_hand(folder: Path, task: str) -> tuple[float, float]:
    """The mean distance to the nearest observed wording, and the same divided by the spread of examples."""
    vectors = load_vectors(folder).of(task, 0)
    near, far = (
        np.array([row for row, group in zip(vectors.array, vectors.groups, strict=True) if group == name])
        for name in ("observed", "unobserved")
    )
    examples = range(near.shape[1])
    nearest = fmean(
        min(float(np.linalg.norm(wording[example] - one[example])) for one in near)
        for wording in far
        for example in examples
    )
    spread = fmean(float(np.linalg.norm(one[a] - one[b])) for one in near for a, b in combinations(examples, 2))
    return nearest, nearest / spread


def test_distances_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "METHODS", ("pt+kl",))
    wordings = {"observed": ("pocket-closest",), "unobserved": ("pocket-incorrect",)}
    request = StudyRequest(
        models=("pocket/tiny",),
        tasks=TASKS,
        instructions=wordings,
        limit=3,
        max_steps=6,
        gradient_accumulation=1,
        out=tmp_path,
    )
    exhibit = carry_out(AlignmentDistance(), request)
    base, _, _, aligned, _ = AlignmentDistance().plan(request)
    before, after = ({task: by_hand(step.folder, task) for task in TASKS} for step in (base, aligned))
    table, printed, by_task = exhibit.tables
    rows = {row[2]: row for row in table.rows}
    for place, side in ((3, before), (4, after)):
        binary = fmean(side[task][0] for task in TASKS[:2])
        assert float(rows["Pocket-BC"][place]) == pytest.approx(binary, abs=0.051)
        assert float(rows["Overall"][place]) == pytest.approx(fmean([binary, side[TASKS[2]][0]]), abs=0.051)
        assert float(rows["Pocket-MC"][place + 2]) == pytest.approx(side[TASKS[2]][1], abs=0.0051)
    assert [(row[0], float(row[1]), float(row[2])) for row in by_task.rows] == [
        (task, pytest.approx(before[task][0], abs=0.051), pytest.approx(after[task][0], abs=0.051)) for task in TASKS
    ]

    scores = [
        {row.instruction: row.mean_score for row in load_run(step.folder).wording_scores() if row.task == TASKS[2]}
        for step in (base, aligned)
    ]
    changes = [100 * (scores[1][name] - scores[0][name]) for name in scores[0] if name.startswith("pocket-incorrect")]
    assert float(rows["Pocket-MC"][7].split("\n")[0]) == pytest.approx(fmean(changes), abs=0.051)

    tested = next(row for row in exhibit.results if row.statistic == "change of distance over tasks")
    reference = ttest_rel([after[task][0] for task in TASKS], [before[task][0] for task in TASKS])
    assert tested.p_value == pytest.approx(float(reference.pvalue), rel=1e-3)
    smaller = sum(after[task][0] < before[task][0] for task in TASKS)
    assert any(f"smaller on {smaller} of 3 tasks" in line for line in table.lines)
    assert printed.rows[2][2:] == ("BBL-BC", "30.1", "27.9", "+4.2")
    assert len(exhibit.charts["distance-by-task-pocket-tiny"].data["bars"]) == 6


def test_the_kl_term_is_compared_with_training_on_the_same_paraphrases_alone(tmp_path: Path) -> None:
    wordings = {"observed": ("pocket-closest",), "unobserved": ("pocket-incorrect",)}
    request = StudyRequest(
        models=("pocket/tiny",),
        tasks=TASKS[:2],
        instructions=wordings,
        limit=2,
        max_steps=3,
        gradient_accumulation=1,
        out=tmp_path,
    )
    table = carry_out(AlignmentDistance(), request).tables[0]
    _, _, _, plain, _, _, with_kl, _ = AlignmentDistance().plan(request)
    first, second = ([by_hand(step.folder, task)[0] for task in TASKS[:2]] for step in (plain, with_kl))
    smaller = sum(after < before for before, after in zip(first, second, strict=True))
    change = fmean(second) - fmean(first)
    assert f"PT+KL against PT: smaller on {smaller} of 2 tasks; mean change {change:+.2f}" in table.lines[-1]
    assert [row[:2] for row in table.rows if row[1]] == [("pocket/tiny", "PT"), ("", "PT+KL")]


def test_trainings_and_runs_are_those_of_the_study_of_alignment(tmp_path: Path) -> None:
    request = StudyRequest(models=("pocket/tiny",), tasks=TASKS[:1], limit=3, out=tmp_path)
    ours, others = ({(type(step), step.folder) for step in study.plan(request)} for study in (
        AlignmentDistance(), AlignmentStudy(),
    ))  # fmt: skip
    # The run, two trainings, and the runs of what they make.
    assert len(ours & others) == 5


def test_runs_without_hidden_states_are_refused(tmp_path: Path) -> None:
    runs = (four_tasks(tmp_path / "one").path, four_tasks(tmp_path / "two").path)
    with pytest.raises(PhraseproofError, match="represent"):
        carry_out(AlignmentDistance(), StudyRequest(runs=runs, out=tmp_path / "out"))


def test_table_6_is_typed_with_what_other_tables_say() -> None:
    printed = figures(["Table 6"])
    assert [each.value for each in printed if each.name == "MMLU"] == ["22.2", "21.3", "0.3"]
    assert {each.name for each in printed if each.remark} == {"BBL-QA", "BBL-BC"}
