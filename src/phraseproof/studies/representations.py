"""`representations`: maps of hidden states under observed and unobserved wordings (section 4.6, Figures 4 and 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.representations import MIN_POINTS, plane_of, silhouette_of
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.errors import NotEnoughDataError
from phraseproof.reports.charts.tsne_panels import tsne_panels
from phraseproof.store.representations import MapPoint
from phraseproof.store.vectors import load_vectors
from phraseproof.studies.distance import ModelDistances, distances_of
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.representation_step import representation_steps
from phraseproof.studies.steps import slug
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import EVALUATION, UsedOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.reports.charts.chart import Chart
    from phraseproof.store.vectors import TaskVectors

INSTANCES = 300
"""Instances (an example under a wording) per panel, as in Figure 4."""


@dataclass(frozen=True)
class Panel:
    """The instances of one benchmark.

    Attributes:
        name: the first part of the tasks' names, such as `mmlu` or `bbl`.
        labels: of each instance its group, wording and example.
        vectors: [instances, width].
        points: [instances, 2] coordinates in the plane that all panels share.
    """

    name: str
    labels: tuple[tuple[str, str, str], ...]
    vectors: NDArray[np.float64]
    points: NDArray[np.float64]

    @property
    def silhouette(self) -> float | None:
        """How separate the groups are, from -1 to 1: the mean silhouette of the vectors; 0 where they are mixed.

        `None` where there is only one group, or all vectors are equal.

        Raises:
            MissingExtraError: scikit-learn is not installed.
        """
        return silhouette_of(self.vectors, [group for group, _, _ in self.labels])


class RepresentationsStudy:
    """One t-SNE of all benchmarks of a model, in one picture with a panel for each."""

    name = "representations"
    exhibit = "Figures 4 and 11"
    about = "a map (t-SNE) of hidden states under observed and unobserved wordings, and how separate the two are"
    needs = "a model whose hidden states can be read, tasks with options, two groups of wordings"
    min_models: int = 1
    options = UsedOptions(of_models=EVALUATION)

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """The steps of `distance`."""
        return representation_steps(request)

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """A chart per model, and how separate groups are in each panel."""
        rows: list[ResultRow] = []
        cells: list[tuple[str, ...]] = []
        charts: dict[str, Chart] = {}
        notes: list[str] = []
        for folder in dict.fromkeys(step.folder for step in steps):
            model = distances_of(folder)
            drawn = panels(folder, seed=request.seed)
            tasks = list(dict.fromkeys(cell.task for cell in load_vectors(folder).cells))
            of_tasks = f"{len(tasks)} tasks" if len(tasks) > 1 else tasks[0]
            notes.append(f"{model.model}: {of_tasks}, at most {model.found.settings['limit']} examples per task")
            charts[f"map-{slug(model.model)}"] = _chart(model, drawn)
            for panel in drawn:
                groups = [group for group, _, _ in panel.labels]
                counts = ", ".join(f"{groups.count(group)} {group}" for group in dict.fromkeys(groups))
                value = panel.silhouette
                cells.append((model.model, panel.name, counts, "" if value is None else f"{value:+.3f}"))
                rows += [] if value is None else [_row(model, panel, value)]
        lines = (
            "silhouette (-1 to 1) of the vectors: at 0 groups of wordings are mixed, at 1 they are separate clusters.",
            "The paper prints maps and no figures; its text says that the two are mixed for MMLU and separate for BBL.",
        )
        headings = ("model", "panel", "instances", "silhouette")
        return Exhibit(
            study=self.name,
            title="Maps of hidden states under observed and unobserved wordings",
            tables=(ExhibitTable("Panels", headings, tuple(cells), lines, num_names=3),),
            results=ResultTable(tuple(rows)),
            charts=charts,
            notes=(
                *notes,
                f"{INSTANCES} instances per panel at most, drawn by seed {request.seed}; one t-SNE per model",
            ),
        )


def panels(folder: Path, *, seed: int) -> list[Panel]:
    """The instances of each benchmark, and their coordinates in one t-SNE.

    Instances are drawn at random, the same number of each group of wordings.

    Raises:
        NotEnoughDataError: fewer than four instances in all.
        MissingExtraError: scikit-learn is not installed.
    """
    stored = load_vectors(folder)
    tasks: dict[str, list[TaskVectors]] = {}
    for task, shots in stored.planes():
        tasks.setdefault(task.partition("/")[0], []).append(stored.of(task, shots))
    draw = np.random.default_rng(seed)
    drawn = {name: _drawn(members, draw) for name, members in tasks.items()}
    vectors = np.concatenate([rows for _, rows in drawn.values()])
    if len(vectors) < MIN_POINTS:
        raise NotEnoughDataError(f"a map needs at least {MIN_POINTS} vectors", got=str(len(vectors)))
    points = plane_of(vectors, "tsne", seed)
    found: list[Panel] = []
    start = 0
    for name, (labels, rows) in drawn.items():
        found.append(Panel(name, labels, rows, points[start : start + len(rows)]))
        start += len(rows)
    return found


def _drawn(
    tasks: Sequence[TaskVectors], draw: np.random.Generator
) -> tuple[tuple[tuple[str, str, str], ...], NDArray[np.float64]]:
    """At most `INSTANCES` instances, the same number of each group."""
    places: dict[str, list[tuple[int, int, int]]] = {}
    for number, task in enumerate(tasks):
        for wording, group in enumerate(task.groups):
            places.setdefault(group, []).extend((number, wording, example) for example in range(len(task.example_ids)))
    each = min(INSTANCES // len(places), *map(len, places.values()))
    labels: list[tuple[str, str, str]] = []
    rows: list[NDArray[np.float64]] = []
    for group, members in places.items():
        chosen = draw.permutation(len(members))[:each]
        for index in sorted(map(int, chosen)):
            number, wording, example = members[index]
            task = tasks[number]
            labels.append((group, task.instructions[wording], f"{task.task} {task.example_ids[example]}"))
            rows.append(np.asarray(task.array[wording, example], dtype=np.float64))
    return tuple(labels), np.stack(rows)


def _chart(model: ModelDistances, drawn: Sequence[Panel]) -> Chart:
    """All panels in one picture."""
    points = {
        panel.name: [
            MapPoint(panel.name, 0, "tsne", *label, float(x), float(y))
            for label, (x, y) in zip(panel.labels, panel.points, strict=True)
        ]
        for panel in drawn
    }
    return tsne_panels(points, title=f"t-SNE of hidden states{model.found.of_layer}: {model.model}")


def _row(model: ModelDistances, panel: Panel, value: float) -> ResultRow:
    return ResultRow(
        run=str(model.run.path),
        level=Level.CATEGORY,
        category=panel.name,
        statistic="silhouette of groups",
        estimate=value,
        n=len(panel.labels),
        method="mean silhouette of the vectors by group of wordings, Euclidean",
        unit="",
    )
