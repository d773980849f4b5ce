"""`alignment`: training on paraphrases, with and without the KL term (section 6, Tables 7, 10, 31 and 32)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from phraseproof.alignment.pairs import wording_hashes
from phraseproof.analysis.aggregation import OVERALL, Level
from phraseproof.analysis.result_rows import scaled
from phraseproof.analysis.results import ResultTable
from phraseproof.evaluation.resolve import load_wordings
from phraseproof.instructions.fingerprint import asked_by, fingerprint
from phraseproof.reports.build.numbers import p_number, title_with_unit, value_in_unit
from phraseproof.reports.build.text import short_model_name
from phraseproof.reports.charts.bars import Bar, bars
from phraseproof.store.queries import load_run
from phraseproof.studies.aligned_models import (
    AVERAGE,
    AlignedModel,
    AlignedModels,
    aligned_models,
    training_notes,
)
from phraseproof.studies.alignment_pairs import alignment_pairs
from phraseproof.studies.alignment_step import (
    LEARNING_RATE,
    AlignedEvaluation,
    aligned_base,
    alignments,
)
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import OBSERVED, UNOBSERVED
from phraseproof.studies.measured import (
    MeasuredGroups,
    average_of_groups,
    difference_cell,
    mean_finding,
    measured_notes,
    value_cell,
)
from phraseproof.studies.published import figures, published_model, remarks
from phraseproof.studies.seeds import seed_rows, seed_tables
from phraseproof.studies.steps import given_runs, slug
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import ALIGNMENT, UsedOptions

if TYPE_CHECKING:
    from phraseproof.core import Finding
    from phraseproof.reports.charts.chart import Chart
    from phraseproof.studies.published import PublishedFigure

METHODS = ("ft", "ft+kl", "pt", "pt+kl")
"""All weights or a soft prompt, each without and with the KL term, in the order of Table 7."""

PAPERS = "pt+kl"
"""The method that the paper proposes."""

MEANS, CHANGES = "Table 10", "Table 7"
PER_TASK = ("Table 31", "Table 32")


class AlignmentStudy:
    """Whether training on paraphrases makes a model depend less on the wording, and what the KL term adds."""

    name = "alignment"
    exhibit = "Tables 7, 10, 31 and 32"
    about = "accuracy before and after alignment by FT, FT+KL, PT and PT+KL, with a paired t-test and intervals"
    needs = "a model that can be trained, tasks with options, two groups of wordings; --seeds repeats every training"
    min_models: int = 1
    options = UsedOptions(of_models=ALIGNMENT | {"seeds"})

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """For every model its run, and for every method and seed a training and the run of what it makes.

        Run folders that are given are the base model's, then those of aligned models.
        """
        if request.runs:
            return given_runs(request)
        steps: list[Step] = []
        for model in request.models:
            pairs, base = alignment_pairs(request, model), aligned_base(request, model)
            steps += [base, *alignments(request, model, base, dict.fromkeys(METHODS, pairs))]
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The tables of all models."""
        measured = aligned_models(steps, seed=request.seed)
        known = list(dict.fromkeys(filter(None, (published_model(each.base.model) for each in measured))))
        printed = [each for each in figures([MEANS, CHANGES]) if not known or each.model in known]
        tables = [by_benchmark_table(measured), tests_table(measured), *seed_tables(measured), _printed_table(printed)]
        tables += [_task_table(each) for each in measured]
        rows = [row for each in measured for row in each.base.result_rows()]
        rows += [row for each in measured for aligned in each.aligned for row in aligned.result_rows()]
        rows += seed_rows(measured)
        rows += [row for each in (*printed, *figures(PER_TASK)) for row in each.rows()]
        notes = measured_notes([each.base for each in measured])
        notes += [note for each in measured for note in training_notes(each.aligned)]
        if not request.runs:
            if request.pairs is None:
                notes += _novelty_notes(steps)
            notes.append(f"The learning rate of FT is the paper's for all its trainings ({LEARNING_RATE:g}).")
        notes += remarks(printed) if known else []
        return Exhibit(
            study=self.name,
            title="Before and after alignment",
            tables=tuple(tables),
            results=ResultTable(tuple(rows)),
            charts={f"accuracy-by-method-{slug(each.name)}": _chart(each) for each in measured},
            notes=tuple(dict.fromkeys(notes)),
        )


def _novelty_notes(steps: Sequence[Step]) -> Iterator[str]:
    """How many of the wordings that are evaluated are trained on, by group."""
    for step in {step.base.folder: step for step in steps if isinstance(step, AlignedEvaluation)}.values():
        model, trained = step.training.model, wording_hashes(step.training.pairs)
        scores = load_run(step.base.folder).wording_scores()
        for group, members in step.base.spec.instructions.items():
            tested = {score.instruction for score in scores if score.group == group}
            loaded = [each for found in load_wordings(members, model=model) for each in found.instructions]
            used = [each for each in loaded if each.name in tested]
            seen = sum(fingerprint(asked_by(each)) in trained for each in used)
            yield f"{short_model_name(model)}: {seen} of {len(used)} {group} wordings are trained on"


def by_benchmark_table(measured: Sequence[AlignedModels]) -> ExhibitTable:
    """The layout of Tables 7 and 10: the base model, and below it each training with its gain."""
    names = list(dict.fromkeys(name for each in measured for name in each.categories))
    rows: list[tuple[str, ...]] = []
    for each in measured:
        rows.append((each.name, "base", *(cell for name in names for cell in _base_cells(each.base, name))))
        rows += [
            ("", aligned.label, *(cell for name in names for cell in _aligned_cells(aligned, name)))
            for aligned in each.aligned
        ]
    headings = [f"{name} {group}" for name in names for group in (*_columns(measured), AVERAGE)]
    lines = (
        "mean ± Std over wordings, means over the tasks of a benchmark; average: of both groups, each counting half",
        "below: the base model's 95% interval over wordings and examples; then the change from the base with its own",
    )
    return ExhibitTable("By benchmark", ("model", "training", *headings), tuple(rows), lines, num_names=2)


def tests_table(measured: Sequence[AlignedModels]) -> ExhibitTable:
    """The change over all tasks, by the paper's test and by wordings and examples."""
    rows: list[tuple[str, ...]] = []
    for each in measured:
        for aligned in each.aligned:
            for group in (*each.base.groups, AVERAGE):
                tested, crossed = aligned.test(group), aligned.gain(OVERALL, group)
                first = group == each.base.groups[0]
                names = (each.name if first and aligned is each.aligned[0] else "", aligned.label if first else "")
                rows.append((*names, group, *_numbers(tested, aligned), *_numbers(crossed, aligned)))
    headings = ("model", "training", "wordings", "change over tasks", "p", "change over benchmarks", "p ")
    lines = (
        "over tasks: paired t-test, other tasks (the paper's test), with its 95% interval",
        "over benchmarks: mean of benchmarks, with a 95% interval for other wordings and examples",
        "p is not corrected for the number of trainings",
    )
    return ExhibitTable("Aligned minus base", headings, tuple(rows), lines, num_names=3)


def _columns(measured: Sequence[AlignedModels]) -> tuple[str, str]:
    reference, other = measured[0].base.groups
    return reference, other


def _base_cells(found: MeasuredGroups, name: str) -> Iterator[str]:
    row, statistics = next(
        ((r, m) for r, m in found.rows() if r.level is Level.CATEGORY and r.name == name), (None, None)
    )
    for group in found.groups:
        if row is None or statistics is None:
            yield ""
        else:
            yield value_cell(row.groups.get(group), mean_finding(statistics.groups.get(group)), found.metric)
    yield "" if row is None else _average(found, name)


def _aligned_cells(aligned: AlignedModel, name: str) -> Iterator[str]:
    found = aligned.found
    row = next((row for row in found.summary.categories if row.name == name), None)
    for group in (*found.groups, AVERAGE):
        if row is None:
            yield ""
            continue
        shown = _average(found, name) if group == AVERAGE else value_cell(row.groups.get(group), None, found.metric)
        yield f"{shown}\n{difference_cell(aligned.gain(name, group), found.metric)}".strip().replace("\n[", " [")


def _average(found: MeasuredGroups, name: str) -> str:
    mean, std = average_of_groups(found, name)
    if mean is None:
        return ""
    return value_in_unit(mean, found.metric) + ("" if std is None else f" ± {value_in_unit(std, found.metric)}")


def _numbers(found: Finding | None, aligned: AlignedModel) -> tuple[str, str]:
    if found is None:
        return "", ""
    shown = difference_cell(found, aligned.found.metric).replace("\n", " ")
    return shown, "" if found.p_value is None else p_number(found.p_value)


def _printed_table(printed: Sequence[PublishedFigure]) -> ExhibitTable:
    """Tables 7 and 10."""
    changes = {(each.model, each.row): each.value for each in printed if each.source == CHANGES}
    cells: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for each in printed:
        if each.source == MEANS:
            change = changes.get((each.model, each.row))
            shown = each.shown + ("" if change is None else f"\n({change})")
            cells.setdefault((each.model, each.row.partition(",")[0]), {})[each.name, each.group] = shown
    columns = [(name, group) for name in ("MMLU", "BBL") for group in (OBSERVED, UNOBSERVED, "")]
    rows: list[tuple[str, ...]] = []
    for (model, label), values in cells.items():
        is_first = not any(row[0].startswith(model) for row in rows)
        daggered = f"{label} †" if (model, f"{label}, dagger") in changes else label
        named = (f"{model} (printed)", "base") if is_first else ("", daggered)
        rows.append((*named, *(values.get(column, "") for column in columns)))
    headings = ("model", "training", *(f"{name} {group or AVERAGE}" for name, group in columns))
    lines = ("† as printed: p < 0.05 in a paired t-test; the paper does not say over which figures",)
    return ExhibitTable(f"The paper's figures ({CHANGES}, {MEANS})", headings, tuple(rows), lines, num_names=2)


def _task_table(each: AlignedModels) -> ExhibitTable:
    """The layout of Tables 31 and 32: every task before and after the paper's method, with the printed figures."""
    shown = (each.of(PAPERS) or each.aligned)[0]
    known = published_model(each.base.model)
    printed = {
        (f.name, f.group, f.row.split(", ")[1]): f.shown
        for f in (figures(PER_TASK, model=known, statistic="mean") if known else ())
    }
    before = {row.name: row for row in each.base.summary.tasks}
    shared = _shared_prefix(list(before))
    rows: list[tuple[str, ...]] = []
    for row in shown.found.summary.tasks:
        if row.name not in before:
            continue
        cells: list[str] = []
        for group in each.base.groups:
            cells += [value_cell(side.groups.get(group), None, each.base.metric) for side in (before[row.name], row)]
            cells.append(difference_cell(shown.gain(row.name, group), each.base.metric))
        if known:
            sides = [(group, side) for group in (OBSERVED, UNOBSERVED) for side in ("Baseline", "Aligned")]
            cells += [printed.get((row.name, *side), "") for side in sides]
        rows.append((row.name.removeprefix(shared), *cells))
    headings = ["task"]
    for group in each.base.groups:
        headings += [f"{group}: base", shown.label, "change"]
    headings += ["printed: observed base", "aligned", "unobserved base", "aligned"] if known else []
    of_benchmark = f" of {shared.removesuffix('/')}" if shared else ""
    return ExhibitTable(f"By task{of_benchmark}: {each.name}, {shown.label}", tuple(headings), tuple(rows))


def _shared_prefix(names: Sequence[str]) -> str:
    """`everyday/` where all tasks are of it: their names are then short enough for seven columns."""
    first = {name.rpartition("/")[0] for name in names}
    return f"{first.pop()}/" if len(first) == 1 and "" not in first else ""


def _chart(each: AlignedModels) -> Chart:
    """Both groups of wordings before and after every training, the mean of benchmarks."""
    marks: list[Bar] = []
    for label, found in (("base", each.base), *((aligned.label, aligned.found) for aligned in each.aligned)):
        *_, (row, statistics) = found.rows()
        scale = found.metric.scale
        for group, values in row.groups.items():
            mean = mean_finding(statistics.groups.get(group))
            ends = (None, None) if mean is None else (scaled(mean.low, scale), scaled(mean.high, scale))
            marks.append(Bar(label, group, scale * values.mean, *ends))
    return bars(
        marks,
        title=f"{each.name} before and after alignment, mean of benchmarks",
        axis=title_with_unit(each.base.metric),
        error_bars="95% intervals over wordings and examples",
    )
