"""The findings of `represent` about a run, in `representations/map.json`: reports draw them and compute nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from phraseproof.errors import RunError
from phraseproof.files import read_json, write_json
from phraseproof.identity import content_hash
from phraseproof.store.run_file import RunContent, Settings
from phraseproof.store.vectors import LAYER, vector_folder

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

MAP_FILE = "map.json"
MAP_VERSION = 1


class MapPoint(NamedTuple):
    """The coordinates of one wording of one example in a plane, by `tsne` or `pca`."""

    task: str
    num_fewshot: int
    method: str
    group: str
    instruction: str
    example_id: str
    x: float
    y: float


class WordingDistance(NamedTuple):
    """The distance of one wording from the reference group's wordings.

    Attributes:
        distance: the mean over examples of the Euclidean distance to the nearest wording of the reference group.
        before: the same distance in the run without the adapter, if there is one to compare with.
        accuracy: the wording's mean score as it is stored (a fraction for accuracy), if the run holds outcomes.
        degradation: its accuracy minus the mean accuracy of the reference group; negative is worse.
    """

    task: str
    category: str
    num_fewshot: int
    group: str
    instruction: str
    distance: float
    before: float | None
    accuracy: float | None
    degradation: float | None


class TaskDistance(NamedTuple):
    """The means over a task's wordings, as in the paper's Table 5; fields as in `WordingDistance`."""

    task: str
    category: str
    num_fewshot: int
    distance: float
    before: float | None
    degradation: float | None
    num_wordings: int
    num_examples: int


class Regression(NamedTuple):
    """The regression of degradation on distance, by least squares.

    Attributes:
        slope, slope_low, slope_high: points (or the metric's unit) per unit of distance, with the 95% interval.
        intercept: points (or the metric's unit) at distance zero.
        p_value: of the slope, two-sided.
        r_squared: the share of variance that the line explains.
        n: the number of points.
    """

    slope: float
    intercept: float
    slope_low: float
    slope_high: float
    p_value: float
    r_squared: float
    n: int


@dataclass(frozen=True, slots=True)
class RepresentationMap:
    """The findings of `represent`, ready to draw.

    Attributes:
        reference: the group of wordings that distances are measured to (`observed`).
        points: coordinates of wordings and examples, by method.
        distances: one per task, number of demonstrations and wording outside the reference group.
        tasks: the means of the distances.
        regression: over the wordings of all tasks; `None` if `regression_reason` gives a reason.
        task_regression: over the tasks' means; `None` if there are too few tasks.
        settings: model, sample, seed, and the method of the coordinates.
        notes: what could not be compared, in one sentence each.
        run_state: `run_state` of the run that the accuracies are from; `None` without such a run.
        metric: what accuracies and degradations are in, by name; the regressions are in its unit.
    """

    reference: str
    points: tuple[MapPoint, ...]
    distances: tuple[WordingDistance, ...]
    tasks: tuple[TaskDistance, ...]
    regression: Regression | None
    task_regression: Regression | None
    regression_reason: str | None
    settings: Settings
    notes: tuple[str, ...] = ()
    run_state: str | None = None
    metric: str = "accuracy"

    @property
    def layer(self) -> int | None:
        """The layer of the vectors, counted from 0; `None` for the penultimate."""
        return self.settings.get(LAYER)

    @property
    def of_layer(self) -> str:
        """`, layer 1` after what is said of the vectors; nothing for the penultimate layer."""
        return "" if self.layer is None else f", layer {self.layer}"


def write_map(run: str | Path, found: RepresentationMap) -> Path:
    """Replace the findings stored with a run's vectors; returns their file.

    Raises:
        RunError: the folder cannot be written.
    """
    path = vector_folder(run, found.layer) / MAP_FILE
    content = {
        "version": MAP_VERSION,
        "reference": found.reference,
        "points": [point._asdict() for point in found.points],
        "distances": [distance._asdict() for distance in found.distances],
        "tasks": [task._asdict() for task in found.tasks],
        "regression": found.regression._asdict() if found.regression else None,
        "task_regression": found.task_regression._asdict() if found.task_regression else None,
        "regression_reason": found.regression_reason,
        "settings": found.settings,
        "notes": list(found.notes),
        "run_state": found.run_state,
        "metric": found.metric,
    }
    write_json(path, content, indent=None, error=RunError)
    return path


def run_state(run: Run) -> str:
    """A hash of a run's completed cells: when it changes, findings with accuracies of the run are outdated."""
    missing = set(run.missing)
    return content_hash(sorted([cell.identity, cell.group, cell.task] for cell in run.cells if cell not in missing))


def out_of_date(run: Run, found: RepresentationMap) -> str:
    """A warning if a run's accuracies changed after its distances were measured; else an empty text.

    Findings without a `run_state`, by an earlier version of phraseproof, give no warning.
    """
    if found.run_state is None or found.run_state == run_state(run):
        return ""
    return (
        "The run was evaluated again after its distances were measured, so they belong to older accuracies; "
        "the same represent command brings them up to date."
    )


def load_map(run: str | Path, layer: int | None = None) -> RepresentationMap | None:
    """The findings of `represent` about a run; `None` if it was not run, or has not finished.

    Args:
        run: the folder.
        layer: counted from 0; `None` for the penultimate.

    Raises:
        RunError: the file is damaged, or of another version.
    """
    path = vector_folder(run, layer) / MAP_FILE
    if not path.exists():
        return None
    try:
        content = cast("RunContent", read_json(path))
        version = content["version"]
        if version == MAP_VERSION:
            return RepresentationMap(
                reference=content["reference"],
                points=tuple(MapPoint(**entry) for entry in content["points"]),
                distances=tuple(WordingDistance(**entry) for entry in content["distances"]),
                tasks=tuple(TaskDistance(**entry) for entry in content["tasks"]),
                regression=_regression(content["regression"]),
                task_regression=_regression(content["task_regression"]),
                regression_reason=content["regression_reason"],
                settings=content["settings"],
                notes=tuple(content.get("notes", ())),
                run_state=content.get("run_state"),
                metric=content.get("metric", "accuracy"),
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"the findings about representations are damaged: {type(error).__name__}: {error}"
        raise RunError(problem, where=str(path), hint="The same represent command writes them again") from None
    raise RunError(
        "the findings about representations were written by another version of phraseproof",
        expected=f"version {MAP_VERSION}",
        got=str(version),
        where=str(path),
        hint="The same represent command writes them again",
    )


def _regression(entry: RunContent | None) -> Regression | None:
    return None if entry is None else Regression(**entry)
