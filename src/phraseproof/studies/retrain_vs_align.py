"""`retrain-vs-align`: what tuning with new paraphrases and aligning with them cost, and what each gains (Table 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from phraseproof.analysis.aggregation import OVERALL, Level
from phraseproof.analysis.gap_change import gap_change
from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.paired import compare_runs
from phraseproof.analysis.result_rows import Place, finding_row
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.core import Finding
from phraseproof.identity import content_hash
from phraseproof.reports.build.numbers import value_in_unit
from phraseproof.store.queries import load_run
from phraseproof.store.training_record import read_record
from phraseproof.studies.alignment_pairs import AlignmentPairs, alignment_pairs
from phraseproof.studies.alignment_step import (
    AlignedEvaluation,
    aligned_base,
    aligned_evaluation,
    alignment_step,
    study_settings,
)
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.forgetting_steps import models
from phraseproof.studies.measured import (
    MeasuredGroups,
    average_of_groups,
    difference_cell,
    measure,
    measured_notes,
    two_groups,
)
from phraseproof.studies.published import figures, remarks
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.tuning_step import TunedEvaluation, TuningStep, length_of, tuned_evaluation, tuning_step
from phraseproof.studies.used_options import ALIGNMENT, TUNING, UsedOptions
from phraseproof.tuning.examples import TuningExample, examples_of_set, load_examples

if TYPE_CHECKING:
    from phraseproof.studies.steps import EvaluationStep

TABLE = "Table 11"
METHOD = "pt+kl"
"""The method that the paper proposes."""

TUNED, AGAIN, WITH, ALIGNED = (
    "tuned, as it is",
    "tuned again",
    "tuned again with the paraphrases",
    "aligned with the paraphrases",
)


@dataclass(frozen=True)
class Spent:
    """What a training read and changed.

    Attributes:
        tokens: read over all steps, of prompts and answers, and of the soft prompt in each.
        data_tokens: of the training data once; `None` where the record of the training does not have it.
        parameters: that were trained.
    """

    tokens: int
    data_tokens: int | None
    parameters: int

    @classmethod
    def of(cls, training: Step) -> Spent:
        """From the record of a finished training."""
        record: dict[str, Any] = read_record(training.folder) or {}
        once = record.get("examples", {}).get("tokens", {}).get("read")
        return cls(record["result"]["tokens"]["read"], once, record["parameters"]["trained"])


@dataclass(frozen=True)
class WayToUse:
    """A model under observed and unobserved wordings, and what its training spent.

    Attributes:
        label: how it came about.
        found: its groups of wordings.
        spent: `None` for the model as it is.
    """

    label: str
    found: MeasuredGroups
    spent: Spent | None


class RetrainVsAlign:
    """Whether tuning a model again with new paraphrases does what aligning it with them does, and at what cost."""

    name = "retrain-vs-align"
    exhibit = TABLE
    about = "tokens and parameters spent by tuning again with new paraphrases and by aligning with them, and the gains"
    needs = "a tuned model and its untuned base, instructions with answers (--data), two groups of wordings"
    min_models: int = 1
    options = UsedOptions(of_models=ALIGNMENT | TUNING, of_runs=frozenset())

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """The tuned model as it is and aligned by PT+KL; its base tuned on the data, without and with paraphrases."""
        tuned, untuned = models(request)
        pairs, base = alignment_pairs(request, tuned), aligned_base(request, tuned)
        alignment = alignment_step(
            request, tuned, pairs=pairs, settings=study_settings(request, tuned, METHOD), label=ALIGNED
        )
        again = tuning_step(request, untuned)
        more = with_paraphrases(again, pairs)
        steps: list[Step] = [base, again, tuned_evaluation(request, again), more, tuned_evaluation(request, more)]
        return [*steps, alignment, aligned_evaluation(alignment, base)]

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The layout of Table 11, then what each way gains, then the figures of the paper."""
        base, *_ = steps
        tuned = [step for step in steps if isinstance(step, TunedEvaluation)]
        (aligned,) = (step for step in steps if isinstance(step, AlignedEvaluation))
        seed = request.seed
        ways = [
            WayToUse(TUNED, _measured(base, seed), None),
            WayToUse(AGAIN, _measured(tuned[0], seed), Spent.of(tuned[0].training)),
            WayToUse(WITH, _measured(tuned[1], seed), Spent.of(tuned[1].training)),
            WayToUse(ALIGNED, _measured(aligned, seed), Spent.of(aligned.training)),
        ]
        gains = [TrainingGain(ways[1], ways[2], seed=seed), TrainingGain(ways[0], ways[3], seed=seed)]
        printed = figures([TABLE])
        rows = [row for way in ways for row in _result_rows(way)]
        rows += [row for gain in gains for row in gain.rows()]
        rows += [row for each in printed for row in each.rows()]
        notes = [*_training_notes(tuned, aligned), *measured_notes([way.found for way in ways]), *remarks(printed)]
        return Exhibit(
            study=self.name,
            title="Tuning again with new paraphrases, or aligning with them",
            tables=(_spent_table(ways), _gain_table(gains), _printed_table()),
            results=ResultTable(tuple(rows)),
            notes=tuple(dict.fromkeys(notes)),
        )


def with_paraphrases(training: TuningStep, pairs: AlignmentPairs) -> TuningStep:
    """The same tuning on more examples: those of the pairs under every paraphrase, but not under the reference."""
    data = [
        example
        for each in training.data
        for example in ([each] if isinstance(each, TuningExample) else load_examples(each).examples)
    ]
    added = [example for each in pairs.sets if each.labelled for example in examples_of_set(each)[1:]]
    suffix = content_hash([training.folder.name, *(example.identity() for example in added)])[:8]
    folder = training.folder.with_name(f"{training.folder.name.rpartition('-')[0]}-{suffix}")
    return replace(training, data=(*data, *added), folder=folder)


class TrainingGain:
    """How a training changes accuracy and the difference between groups of wordings.

    Attributes:
        before, after: without and with it.
        average: the change of the mean of both groups; `None` if the runs share no wording.
        gap: the change of unobserved minus observed, likewise.
    """

    def __init__(self, before: WayToUse, after: WayToUse, *, seed: int) -> None:
        self.before, self.after = before, after
        reference, other = after.found.groups
        grids = load_grids(before.found.run), load_grids(after.found.run)
        (compared,) = compare_runs(*grids, seed=seed)
        self.average: Finding = compared.overall.balanced
        self.gap: Finding = gap_change(*grids, groups=(reference, other), seed=seed)

    def rows(self) -> Iterator[ResultRow]:
        """The changes as rows of a result table."""
        source = self.after.found.source
        for name, found in (("average", self.average), ("difference between groups", self.gap)):
            place = Place(Level.OVERALL, group="")
            statistic = f"change of the {name}: {self.after.label}"
            yield finding_row(source, place, statistic, found, source.difference_unit())


def _measured(step: Step | EvaluationStep, seed: int) -> MeasuredGroups:
    run = load_run(step.folder)
    return measure(run, two_groups(run), seed=seed)


def _difference(way: WayToUse) -> Finding | None:
    return way.found.statistics.overall.differences.get(way.found.groups[1])


def _spent_table(ways: Sequence[WayToUse]) -> ExhibitTable:
    rows: list[tuple[str, ...]] = []
    for way in ways:
        found, spent = way.found, way.spent
        mean, _ = average_of_groups(found, OVERALL)
        numbers = ("", "", "") if spent is None else (
            f"{spent.tokens:,}", "" if spent.data_tokens is None else f"{spent.data_tokens:,}", f"{spent.parameters:,}"
        )  # fmt: skip
        shown = "" if mean is None else value_in_unit(mean, found.metric)
        rows.append((way.label, shown, difference_cell(_difference(way), found.metric), *numbers))
    reference, other = ways[0].found.groups
    lines = (
        f"average: mean of {reference} and {other}; difference: {other} minus {reference}, with its 95% interval",
        "tokens read: over all steps, prompts and answers; of data: the training data once; parameters: trained ones",
    )
    headings = ("model", "average", "difference", "tokens read", "tokens of data", "parameters")
    return ExhibitTable("What each way spends", headings, tuple(rows), lines)


def _gain_table(gains: Sequence[TrainingGain]) -> ExhibitTable:
    rows: list[tuple[str, ...]] = []
    for gain in gains:
        metric, spent = gain.after.found.metric, gain.after.spent
        cells = [difference_cell(each, metric) for each in (gain.average, gain.gap)]
        rows.append((gain.after.label, gain.before.label, *cells, "" if spent is None else f"{spent.tokens:,}"))
    line = "with 95% intervals over wordings and examples; a difference that rises towards 0 is less sensitivity"
    headings = ("model", "compared with", "change of average", "change of difference", "tokens read")
    return ExhibitTable("What each way gains", headings, tuple(rows), (line,), num_names=2)


def _printed_table() -> ExhibitTable:
    by_row: dict[str, dict[str, str]] = {}
    for each in figures([TABLE]):
        by_row.setdefault(each.row, {})[each.statistic] = each.value
    names = ("average", "difference", "tokens", "parameters")
    rows = tuple((row, *(_short(values.get(name, "")) for name in names)) for row, values in by_row.items())
    line = "MMLU. Whether tokens count every epoch and wording is not said."
    headings = ("model", "average", "difference", "tokens", "parameters")
    return ExhibitTable(f"The paper's figures ({TABLE})", headings, rows, (line,))


def _short(value: str) -> str:
    """A printed `3.4e6` as `3.4M`; other texts as they are."""
    for exponent, letter in (("e9", "B"), ("e6", "M"), ("e3", "K")):
        if value.endswith(exponent):
            return value.removesuffix(exponent) + letter
    return value


def _result_rows(way: WayToUse) -> Iterator[ResultRow]:
    yield from way.found.result_rows()
    if way.spent is None:
        return
    numbers = {"tokens read": way.spent.tokens, "tokens of data": way.spent.data_tokens,
               "parameters trained": way.spent.parameters}  # fmt: skip
    for statistic, value in numbers.items():
        if value is not None:
            counted = Finding(statistic, float(value), 1, f"counted: {way.label}")
            yield finding_row(way.found.source, Place(Level.OVERALL), statistic, counted, ("", 1.0))


def _training_notes(tuned: Sequence[TunedEvaluation], aligned: AlignedEvaluation) -> Iterator[str]:
    for label, step in zip((AGAIN, WITH), tuned, strict=True):
        record: dict[str, Any] = read_record(step.training.folder) or {}
        settings = step.training.settings
        yield (
            f"{label}: {step.training.model}, {record['examples']['count']:,} examples, {length_of(step.training)}, "
            f"learning rate {settings.learning_rate:g}"
        )
    yield from aligned.training.notes
    yield (
        "the model as it is may have been tuned on other data than the study's, and longer: each way is compared with "
        "the model that differs in the paraphrases alone"
    )
    yield f"{ALIGNED}: {aligned.training.model}, by PT+KL on the same examples and paraphrases"
