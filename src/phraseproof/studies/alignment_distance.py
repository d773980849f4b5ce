"""`alignment-distance`: distances between wordings before and after alignment (section 6, Table 6, Figure 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from phraseproof.analysis.aggregation import OVERALL, Level, by_level
from phraseproof.analysis.example_spread import example_spread
from phraseproof.analysis.result_rows import finding_row, place_of
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.analysis.significance.paired_t import paired_t_test
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError
from phraseproof.reports.build.numbers import p_value
from phraseproof.reports.build.representations import representation_results
from phraseproof.reports.charts.bars import Bar, bars
from phraseproof.store.vectors import load_vectors
from phraseproof.studies.aligned_models import AlignedModel, AlignedModels, aligned_models, training_notes
from phraseproof.studies.alignment_pairs import alignment_pairs
from phraseproof.studies.alignment_step import (
    aligned_base,
    aligned_evaluation,
    aligned_representations,
    alignment_step,
    study_settings,
    training_seeds,
)
from phraseproof.studies.distance import ModelDistances, distances_of
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.measured import difference_cell, measured_notes
from phraseproof.studies.published import figures, published_model, remarks
from phraseproof.studies.representation_step import EXAMPLES, RepresentationStep
from phraseproof.studies.steps import given_runs, slug
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import ALIGNMENT, UsedOptions

METHODS = ("pt", "pt+kl")
"""Without and with the KL term, which is meant to bring wordings together."""

TABLE = "Table 6"
BASE = "base"
_CHANGE = "change of distance"


@dataclass(frozen=True)
class _Row:
    """Distances of one task, or the mean of those below, before and after."""

    name: str
    category: str
    level: Level
    before: float
    after: float
    relative_before: float
    relative_after: float


class AlignmentDistance:
    """Whether alignment brings the hidden states of wordings together."""

    name = "alignment-distance"
    exhibit = "Table 6 and Figure 7"
    about = "distance of unobserved wordings to the nearest observed one, before and after alignment by PT and PT+KL"
    needs = "a model that can be trained, tasks with options, two groups of wordings; --seeds repeats every training"
    min_models: int = 1
    options = UsedOptions(of_models=ALIGNMENT | {"seeds"})

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """For every model its run and hidden states, and for every training those of what it makes.

        The trainings and runs are those of the study `alignment`.
        """
        if request.runs:
            return given_runs(request)
        steps: list[Step] = []
        for model in request.models:
            pairs, base = alignment_pairs(request, model), aligned_base(request, model)
            limit = EXAMPLES if base.spec.limit is None else min(EXAMPLES, base.spec.limit)
            vectors = RepresentationStep(base.spec.with_changes(limit=limit), base.folder)
            steps += [base, vectors]
            for seed in training_seeds(request):
                for method in METHODS:
                    settings = study_settings(request, model, method, seed=seed)
                    training = alignment_step(request, model, pairs=pairs, settings=settings)
                    steps += [training, aligned_evaluation(training, base), aligned_representations(training, vectors)]
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """Distances per category and task, before and after every training."""
        measured = aligned_models(steps, seed=request.seed, category=lambda _, category: category)
        found = {
            aligned.found.run.path: (each, aligned, _rows(each.base.run.path, aligned.found.run.path))
            for each in measured
            for aligned in each.aligned
        }
        printed = figures([TABLE])
        known = [name for each in measured if (name := published_model(each.base.model)) is not None]
        results = [row for each in measured for row in _distance_rows(distances_of(each.base.run.path))]
        for path, (each, aligned, rows) in found.items():
            results += _distance_rows(distances_of(path, before=each.base.run.path))
            results += _change_rows(aligned, rows)
        results += [row for each in printed for row in each.rows()]
        notes = measured_notes([each.base for each in measured])
        notes += [note for each in measured for note in training_notes(each.aligned)]
        notes.append(
            "The accuracy in the table is under unobserved wordings; the paper does not say under which its is."
        )
        notes += remarks(printed) if known else []
        tables = [_by_category(list(found.values())), _printed_table()]
        tables += [_by_task(each, [rows for one, _, rows in found.values() if one is each]) for each in measured]
        return Exhibit(
            study=self.name,
            title="Distance between wordings inside the model, before and after alignment",
            tables=tuple(tables),
            results=ResultTable(tuple(results)),
            charts={
                f"distance-by-task-{slug(each.name)}": bars(
                    list(_marks(each, [rows for one, _, rows in found.values() if one is each])),
                    title=f"{each.name}: distance of unobserved wordings to the nearest observed one",
                    axis="mean l2 distance",
                    group_order=(BASE,),
                )
                for each in measured
            },
            notes=tuple(dict.fromkeys(notes)),
        )


def _rows(base: Path, aligned: Path) -> list[_Row]:
    """Tasks, categories, then everything, as the paper averages; of tasks with distances before and after."""
    now, scales = distances_of(aligned, before=base), [spreads_of(folder) for folder in (base, aligned)]
    tasks = [
        _Row(
            task.task,
            task.category,
            Level.TASK,
            task.before,
            task.distance,
            task.before / scales[0][task.task],
            task.distance / scales[1][task.task],
        )
        for task in now.found.tasks
        if task.before is not None and all(scale.get(task.task) for scale in scales)
    ]
    if not tasks:
        raise NotEnoughDataError(
            "no task has distances before and after alignment, of two examples or more", where=str(aligned)
        )

    def mean(level: Level, name: str, below: Sequence[_Row]) -> _Row:
        return _Row(
            name,
            name if level is Level.CATEGORY else "",
            level,
            fmean(row.before for row in below),
            fmean(row.after for row in below),
            fmean(row.relative_before for row in below),
            fmean(row.relative_after for row in below),
        )

    levels = by_level(tasks, category=lambda row: row.category, combine=mean)
    return [*levels.tasks, *levels.categories, levels.overall]


def spreads_of(folder: Path) -> Mapping[str, float]:
    """The spread of examples in hidden states, by task; nothing for a task with one example."""
    vectors = load_vectors(folder)
    reference = distances_of(folder).found.reference
    found: dict[str, float] = {}
    for task, shots in vectors.planes():
        of_task = vectors.of(task, shots)
        if len(of_task.example_ids) > 1:
            found[task] = example_spread(of_task, reference)
    return found


def _tested(rows: Sequence[_Row]) -> Finding | None:
    """The change over tasks, with a paired t-test; `None` with fewer than two tasks."""
    tasks = [row for row in rows if row.level is Level.TASK]
    return _over_tasks([row.before for row in tasks], [row.after for row in tasks])


def _over_tasks(first: Sequence[float], second: Sequence[float]) -> Finding | None:
    try:
        return paired_t_test(first, second, name=_CHANGE)
    except NotEnoughDataError:
        return None


def _kl_lines(found: Sequence[tuple[AlignedModels, AlignedModel, list[_Row]]]) -> Iterator[str]:
    """What the KL term adds to training on the same paraphrases, by model and seed."""
    without, with_kl = METHODS[0], METHODS[-1]
    for each, aligned, rows in found:
        partner = next(
            (other for of, one, other in found if of is each and (one.method, one.seed) == (without, aligned.seed)),
            None,
        )
        if aligned.method != with_kl or partner is None:
            continue
        before = {row.name: row.after for row in partner if row.level is Level.TASK}
        pairs = [(before[row.name], row.after) for row in rows if row.level is Level.TASK and row.name in before]
        smaller = sum(after < earlier for earlier, after in pairs)
        line = f"{each.name}, {aligned.label} against {without.upper()}: smaller on {smaller} of {len(pairs)} tasks"
        yield line + _change_text(_over_tasks(*zip(*pairs, strict=True)))


def _change_text(tested: Finding | None) -> str:
    if tested is None or tested.p_value is None:
        return ""
    return f"; mean change {tested.estimate:+.2f} ({p_value(tested.p_value)}, paired t-test over tasks)"


def _by_category(found: Sequence[tuple[AlignedModels, AlignedModel, list[_Row]]]) -> ExhibitTable:
    """The layout of Table 6."""
    cells: list[tuple[str, ...]] = []
    lines = [
        "mean l2 distance to the nearest observed wording, per example; means over wordings, tasks and categories",
        "relative: divided by the mean distance between examples under one wording, which removes the scale",
    ]
    for number, (each, aligned, rows) in enumerate(found):
        is_first = number == 0 or found[number - 1][0] is not each
        above = [row for row in rows if row.level is not Level.TASK]
        for place, row in enumerate(above):
            gain = aligned.gain(row.name, aligned.found.groups[1])
            cells.append(
                (
                    each.name if is_first and place == 0 else "",
                    aligned.label if place == 0 else "",
                    row.name,
                    f"{row.before:.1f}",
                    f"{row.after:.1f}",
                    f"{row.relative_before:.2f}",
                    f"{row.relative_after:.2f}",
                    difference_cell(gain, aligned.found.metric),
                )
            )
        tasks = [row for row in rows if row.level is Level.TASK]
        smaller = sum(row.after < row.before for row in tasks)
        closer = sum(row.relative_after < row.relative_before for row in tasks)
        line = f"{each.name}, {aligned.label}: the distance is smaller on {smaller} of {len(tasks)} tasks"
        line += f", the relative one on {closer}"
        lines.append(line + _change_text(_tested(rows)))
    headings = ("model", "training", "", "before", "after", "relative: before", "after ", "accuracy")
    return ExhibitTable("By category", headings, tuple(cells), (*lines, *_kl_lines(found)), num_names=3)


def _printed_table() -> ExhibitTable:
    rows: list[tuple[str, ...]] = []
    printed = figures([TABLE])
    for name in dict.fromkeys(each.name for each in printed):
        before, after, change = (each.value for each in printed if each.name == name)
        first = (f"{printed[0].model} (printed)", "PT+KL") if not rows else ("", "")
        rows.append((*first, name, before, after, f"+{change}"))
    headings = ("model", "training", "", "before", "after", "accuracy")
    line = "Figure 7 has no figures; its caption says that PT+KL has the smaller distance on 13 of 14 tasks."
    return ExhibitTable(f"The paper's figures ({TABLE})", headings, tuple(rows), (line,), num_names=3)


def _by_task(each: AlignedModels, rows: Sequence[Sequence[_Row]]) -> ExhibitTable:
    """The values of Figure 7."""
    found = [{row.name: row for row in of_model if row.level is Level.TASK} for of_model in rows]
    cells = [
        (name, f"{found[0][name].before:.1f}", *(f"{one[name].after:.1f}" if name in one else "" for one in found))
        for name in found[0]
    ]
    headings = ("task", BASE, *(aligned.label for aligned in each.aligned))
    return ExhibitTable(f"Distance by task: {each.name}", headings, tuple(cells))


def _marks(each: AlignedModels, rows: Sequence[Sequence[_Row]]) -> Iterator[Bar]:
    for place, (aligned, of_model) in enumerate(zip(each.aligned, rows, strict=True)):
        for row in of_model:
            if row.level is Level.TASK:
                if place == 0:
                    yield Bar(row.name, BASE, row.before)
                yield Bar(row.name, aligned.label, row.after)


def _distance_rows(found: ModelDistances) -> Iterator[ResultRow]:
    yield from representation_results(found.found, run=str(found.run.path), scoring=found.run.scoring)


def _change_rows(aligned: AlignedModel, rows: Sequence[_Row]) -> Iterator[ResultRow]:
    """The change of every distance, absolute and relative to the spread of examples."""
    source = aligned.found.source
    count = sum(row.level is Level.TASK for row in rows)
    for row in rows:
        place = place_of(row.level, row.name, row.category, aligned.found.groups[1])
        method = "difference of means" if row.level is Level.TASK else "mean of the level below"
        absolute = Finding(_CHANGE, row.after - row.before, count, method)
        relative = Finding(f"{_CHANGE}, relative", row.relative_after - row.relative_before, count, method)
        yield finding_row(source, place, absolute.name, absolute, ("l2", 1.0))
        yield finding_row(source, place, relative.name, relative, ("", 1.0))
    tested = _tested(rows)
    if tested is not None:
        place = place_of(Level.OVERALL, OVERALL, "", aligned.found.groups[1])
        yield finding_row(source, place, f"{_CHANGE} over tasks", tested, ("l2", 1.0))
