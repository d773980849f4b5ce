"""`forgetting`: what fine-tuning on paraphrases does to a tuned and an untuned model (appendix G, Figures 9 and 10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from phraseproof.analysis.aggregation import OVERALL, Level
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.analysis.significance.paired_t import paired_t_test
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.reports.build.numbers import p_value
from phraseproof.reports.build.text import short_model_name
from phraseproof.reports.charts.bars import Bar, bars
from phraseproof.reports.charts.epochs import EpochLoss, losses_by_epoch
from phraseproof.store.training_record import read_record
from phraseproof.studies.alignment_distance import spreads_of
from phraseproof.studies.alignment_step import AlignedRepresentations, AlignmentStep, alignment_step, study_settings
from phraseproof.studies.distance import distances_of
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.forgetting_steps import (
    COMPARED,
    EPOCHS,
    HELD_OUT,
    HELD_OUT_PAIRS,
    EpochOf,
    LossesOfEpoch,
    epoch_steps,
    losses_of,
    models,
    training_pairs,
    validation_sets,
    with_observed,
)
from phraseproof.studies.material import OBSERVED, UNOBSERVED
from phraseproof.studies.steps import slug
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import ALIGNMENT, UsedOptions

if TYPE_CHECKING:
    from phraseproof.reports.charts.chart import Chart

Distances: TypeAlias = "Mapping[tuple[Level, str], WordingsDistance]"
"""Mean distances by level and name of a task, a category or everything."""

SHOWN = (0, 1, 5, 10, 15, 20, EPOCHS)
_LOSS = "cross-entropy after epoch"
_DISTANCE = "distance after epoch"


class ForgettingStudy:
    """All weights of a tuned and of an untuned model, trained for 25 epochs on paraphrases."""

    name = "forgetting"
    exhibit = "Figures 9 and 10 and appendix G"
    about = "losses over 25 epochs of fine-tuning a tuned and an untuned model, and distances after epochs 1 and 25"
    needs = "a tuned and an untuned model whose weights can be trained, tasks with options, two groups of wordings"
    min_models: int = 1
    options = UsedOptions(of_models=ALIGNMENT, of_runs=frozenset())

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """For each model the training, then accuracies and hidden states of the two epochs that are compared."""
        if request.max_steps is not None:
            raise UsageError(
                f"the study compares models after {' and '.join(map(str, COMPARED))} epochs",
                expected=f"{EPOCHS} epochs of all trainings",
                got=f"{request.max_steps} steps",
                where="--max-steps",
                hint="--limit makes an epoch shorter",
            )
        tuned, _ = pair = models(request)
        training_data = training_pairs(request, tuned)
        asked = with_observed(request, tuned)
        validation = {group: validation_sets(asked, tuned, group) for group in (OBSERVED, UNOBSERVED)}
        steps: list[Step] = []
        for model in pair:
            settings = study_settings(
                request,
                tuned,
                "ft",
                epochs=EPOCHS,
                max_steps=None,
                keep_epochs=COMPARED,
                held_out_fraction=HELD_OUT,
            )
            training = alignment_step(asked, model, pairs=training_data, settings=settings, validation=validation)
            steps.append(training)
            for epoch in COMPARED:
                steps += epoch_steps(asked, training, epoch)
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """Losses by epoch, and distances after the first and the last epoch."""
        del request
        trainings = [step for step in steps if isinstance(step, AlignmentStep)]
        losses = {step.model: losses_of(step) for step in trainings}
        distances = {
            (step.training.model, step.training.epoch): step.folder
            for step in steps
            if isinstance(step, AlignedRepresentations) and isinstance(step.training, EpochOf)
        }
        by_category = {key: distances_by_place(folder) for key, folder in distances.items()}
        rows = [row for step in trainings for row in _loss_rows(step, losses[step.model])]
        rows += [
            row
            for (model, epoch), found in by_category.items()
            for row in _distance_rows(distances[model, epoch], epoch, found)
        ]
        return Exhibit(
            study=self.name,
            title="Fine-tuning on paraphrases: what is forgotten",
            tables=(_loss_table(losses), _distance_table(by_category), _PAPER),
            results=ResultTable(tuple(rows)),
            charts={**_loss_charts(losses), "distance-by-epoch": _distance_chart(by_category)},
            notes=tuple(dict.fromkeys([*(note for step in trainings for note in step.notes), *_notes(trainings)])),
        )


class WordingsDistance(NamedTuple):
    """A mean distance.

    Attributes:
        absolute: the l2 distance.
        relative: divided by the mean distance of two examples under one wording; `None` with one example.
    """

    absolute: float
    relative: float | None


def distances_by_place(folder: Path) -> Distances:
    """Mean distances of tasks, categories and everything, as the paper averages.

    Args:
        folder: of a run with hidden states.
    """
    spreads = spreads_of(folder)
    tasks: dict[str, dict[str, WordingsDistance]] = {}
    for task in distances_of(folder).found.tasks:
        spread = spreads.get(task.task)
        found = WordingsDistance(task.distance, task.distance / spread if spread else None)
        tasks.setdefault(task.category, {})[task.task] = found
    categories = {name: _mean(list(members.values())) for name, members in tasks.items()}
    return {
        **{(Level.TASK, name): value for members in tasks.values() for name, value in members.items()},
        **{(Level.CATEGORY, name): value for name, value in categories.items()},
        (Level.OVERALL, OVERALL): _mean(list(categories.values())),
    }


def _mean(of: Sequence[WordingsDistance]) -> WordingsDistance:
    relative = [each.relative for each in of if each.relative is not None]
    return WordingsDistance(fmean(each.absolute for each in of), fmean(relative) if len(relative) == len(of) else None)


# ------------------------------------------------------------------------------------------------------ tables, charts


def _loss_table(losses: Mapping[str, Sequence[LossesOfEpoch]]) -> ExhibitTable:
    """The lines of Figure 9 at some epochs, each with its lowest value."""
    rows: list[tuple[str, ...]] = []
    for model, found in losses.items():
        for place, name in enumerate(found[0].losses):
            nearest = [min(found, key=lambda each, epoch=epoch: abs(each.epoch - epoch)) for epoch in SHOWN]
            lowest = min(found, key=lambda each, name=name: each.losses[name])
            values = [f"{each.losses[name]:.3f}" for each in nearest]
            rows.append((short_model_name(model) if place == 0 else "", name, *values, f"{lowest.epoch:.0f}"))
    line = (
        "cross-entropy of the answers in nats per token, mean over pairs of the mean over wordings; held-out pairs "
        "have the tasks of the training, observed and unobserved are wordings of other tasks"
    )
    headings = ("model", "evaluated on", *map(str, SHOWN), "lowest at")
    return ExhibitTable("Loss after epoch (Figure 9)", headings, tuple(rows), (line,), num_names=2)


def _distance_table(found: Mapping[tuple[str, int], Distances]) -> ExhibitTable:
    """The bars of Figure 10."""
    first, last = COMPARED
    rows: list[tuple[str, ...]] = []
    legend = (
        "mean l2 distance of an unobserved wording to its nearest observed one, per example; relative: divided by the "
        "distance of two examples under one wording, because training changes the scale of hidden states"
    )
    lines = [legend]
    for model in dict.fromkeys(model for model, _ in found):
        before, after = found[model, first], found[model, last]
        name = short_model_name(model)
        above = [place for place in before if place[0] is not Level.TASK]
        for number, place in enumerate(above):
            both = before[place], after[place]
            shown = [f"{each.absolute:.2f}" for each in both]
            relative = ["" if each.relative is None else f"{each.relative:.3f}" for each in both]
            rows.append((name if number == 0 else "", place[1], *shown, *relative))
        tasks = [place for place in before if place[0] is Level.TASK]
        try:
            tested = paired_t_test(
                [before[place].absolute for place in tasks],
                [after[place].absolute for place in tasks],
                name="change of distance",
            )
        except NotEnoughDataError:
            continue
        ends = (
            ""
            if tested.low is None or tested.high is None
            else f"95% interval {tested.low:+.2f} to {tested.high:+.2f}, "
        )
        shown = "" if tested.p_value is None else f"{p_value(tested.p_value)}, "
        lines.append(f"{name}, change over {tested.n} tasks: {tested.estimate:+.2f} ({ends}{shown}paired t-test)")
    headings = ("model", "", *(f"{what}epoch {epoch}" for what in ("", "relative: ") for epoch in (first, last)))
    return ExhibitTable("Distance between wordings (Figure 10)", headings, tuple(rows), tuple(lines), num_names=2)


_PAPER = ExhibitTable(
    "The paper's text, for Flan-T5-3B and T5-3B (Figures 9 and 10 have no numbers)",
    ("model", "evaluated on", "over 25 epochs"),
    (
        ("Flan-T5-3B", "validation set of Flan", "loss rises almost monotonically"),
        ("", "MMLU", "loss rises almost monotonically"),
        ("T5-3B", "validation set of Flan", "loss falls"),
        ("", "MMLU", "loss falls"),
        ("Flan-T5-3B", "distance of unobserved wordings", "larger at epoch 25 than at epoch 1"),
    ),
    num_names=2,
    num_texts=1,
)
"""What appendix G says."""


def _loss_charts(losses: Mapping[str, Sequence[LossesOfEpoch]]) -> dict[str, Chart]:
    """The panels of Figure 9: held-out pairs for both models, then the groups of wordings for each."""
    charts: dict[str, Chart] = {}
    held_out = [
        EpochLoss(short_model_name(model), each.epoch, each.losses[HELD_OUT_PAIRS])
        for model, found in losses.items()
        for each in found
        if HELD_OUT_PAIRS in each.losses
    ]
    if held_out:
        charts["loss-held-out-pairs"] = losses_by_epoch(held_out, title="Loss on held-out pairs of the training")
    for model, found in losses.items():
        points = [
            EpochLoss(name, each.epoch, value)
            for name in (OBSERVED, UNOBSERVED)
            for each in found
            if (value := each.losses.get(name)) is not None
        ]
        name = short_model_name(model)
        charts[f"loss-other-tasks-{slug(name)}"] = losses_by_epoch(points, title=f"{name}: loss on other tasks")
    return charts


def _distance_chart(found: Mapping[tuple[str, int], Distances]) -> Chart:
    marks = [
        Bar(f"{short_model_name(model)}: {name}", f"epoch {epoch}", value.absolute)
        for (model, epoch), values in found.items()
        for (level, name), value in values.items()
        if level is not Level.TASK
    ]
    labels = list(dict.fromkeys(mark.label for mark in marks))
    return bars(
        sorted(marks, key=lambda mark: labels.index(mark.label)),
        title="Distance of unobserved wordings to the nearest observed one",
        axis="mean l2 distance",
    )


def _loss_rows(training: AlignmentStep, found: Sequence[LossesOfEpoch]) -> Iterator[ResultRow]:
    for each in found:
        for name, value in each.losses.items():
            method = "mean over pairs of the mean over wordings, of the answers' tokens; no interval"
            yield _row(training.folder, Level.OVERALL, "", name, f"{_LOSS} {each.epoch:.3g}", value, "nats", method)


def _distance_rows(folder: Path, epoch: int, found: Distances) -> Iterator[ResultRow]:
    for (level, name), value in found.items():
        method = "mean l2 distance to the nearest observed wording; no interval"
        yield _row(folder, level, name, UNOBSERVED, f"{_DISTANCE} {epoch}", value.absolute, "", method)
        if value.relative is not None:
            method = "the same, divided by the mean distance of two examples under one wording; no interval"
            yield _row(folder, level, name, UNOBSERVED, f"relative {_DISTANCE} {epoch}", value.relative, "", method)


def _row(
    folder: Path, level: Level, name: str, group: str, statistic: str, value: float, unit: str, method: str
) -> ResultRow:
    return ResultRow(
        run=str(folder),
        level=level,
        category=name if level is Level.CATEGORY else "",
        task=name if level is Level.TASK else "",
        group=group,
        statistic=statistic,
        estimate=value,
        method=method,
        unit=unit,
    )


def _notes(trainings: Sequence[AlignmentStep]) -> Iterator[str]:
    for step in trainings:
        settings, record = step.settings, (read_record(step.folder) or {}).get("pairs", {})
        counts = [f"{record.get('train')} pairs to train on", f"{record.get('held_out')} held out"]
        counts += [f"{len(sets)} of other tasks, {name} wordings" for name, sets in step.validation.items()]
        yield (
            f"{short_model_name(step.model)}: all weights, {EPOCHS} epochs, learning rate {settings.learning_rate:g}, "
            f"seed {settings.seed}; {', '.join(counts)}"
        )
