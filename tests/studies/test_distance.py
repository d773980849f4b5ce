"""`distance`: Table 5 of distances and of the accuracies in the run's folder."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest

from phraseproof.store.queries import load_run
from phraseproof.store.vectors import load_vectors
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.distance import DistanceStudy
from phraseproof.studies.representations import RepresentationsStudy, panels
from phraseproof.studies.study import StudyRequest


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> StudyRequest:
    return StudyRequest(
        models=("pocket/tiny",),
        tasks=("pocket/has-maker", "pocket/has-buyer", "pocket/label-maker"),
        instructions={"observed": ("pocket-closest",), "unobserved": ("pocket-incorrect",)},
        limit=3,
        out=tmp_path_factory.mktemp("studies"),
    )


def test_distances_and_accuracies_by_hand(request_: StudyRequest) -> None:
    exhibit = carry_out(DistanceStudy(), request_)
    folder = DistanceStudy().plan(request_)[0].folder
    by_task: dict[str, float] = {}
    for task in request_.tasks:
        vectors = load_vectors(folder).of(task, 0)
        near, far = (
            np.array([row for row, group in zip(vectors.array, vectors.groups, strict=True) if group == name])
            for name in ("observed", "unobserved")
        )
        nearest = [
            min(float(np.linalg.norm(wording[example] - one[example])) for one in near)
            for wording in far
            for example in range(3)
        ]
        by_task[task] = fmean(nearest)
    category = fmean([by_task["pocket/has-maker"], by_task["pocket/has-buyer"]])
    overall = fmean([category, by_task["pocket/label-maker"]])
    table = {row[1]: row for row in exhibit.tables[0].rows}
    assert float(table["Pocket-BC"][2]) == pytest.approx(category, abs=0.051)
    assert float(table["Overall"][2]) == pytest.approx(overall, abs=0.051)
    assert table["MMLU"][2:4] == ("19.8", "-0.5")
    scores = [row for row in load_run(folder).wording_scores() if row.task == "pocket/label-maker"]
    observed, others = (
        fmean(row.mean_score for row in scores if row.group == group) for group in ("observed", "unobserved")
    )
    assert float(table["Pocket-MC"][3]) == pytest.approx(100 * (others - observed), abs=0.051)
    assert exhibit.charts["accuracy-by-distance-pocket-tiny"].kind == "distance"


def test_a_map_has_as_many_instances_of_each_group_and_one_plane(request_: StudyRequest) -> None:
    exhibit = carry_out(RepresentationsStudy(), request_)
    (panel,) = panels(RepresentationsStudy().plan(request_)[0].folder, seed=0)
    groups = [group for group, _, _ in panel.labels]
    # Three tasks of four wordings and three examples: 36 instances of each group, fewer than 150.
    assert (groups.count("observed"), groups.count("unobserved")) == (36, 36)
    assert len(set(panel.labels)) == 72
    assert panel.points.shape == (72, 2)
    chart = exhibit.charts["map-pocket-tiny"]
    assert len(chart.data["points"]) == 72
    assert exhibit.notes[0] == "pocket/tiny: 3 tasks, at most 3 examples per task"
    (row,) = exhibit.results
    assert row.estimate == pytest.approx(panel.silhouette)
    assert -1 <= row.estimate <= 1
