"""`negation`: six kinds of wording after alignments that pull paraphrases or push negations (Table 17)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import OVERALL, Level
from phraseproof.analysis.results import ResultTable
from phraseproof.errors import UsageError
from phraseproof.studies.aligned_models import AlignedModels, aligned_models, training_notes
from phraseproof.studies.alignment_pairs import AlignmentPairs, alignment_pairs
from phraseproof.studies.alignment_step import alignments
from phraseproof.studies.closer_look import KINDS, kind_of, kinds_of
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import OBSERVED, material_of
from phraseproof.studies.measured import difference_cell, mean_finding, measured_notes, value_cell
from phraseproof.studies.published import PublishedFigure, figures
from phraseproof.studies.seeds import seed_rows, seed_tables
from phraseproof.studies.steps import EvaluationStep, evaluation_step, given_runs
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import ALIGNMENT, UsedOptions

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow

TABLE = "Table 17"
NEGATIONS = "negations"
"""The group of wordings that are trained on and never evaluated."""

TRAINED_ON = (OBSERVED, NEGATIONS)
"""The groups that training pairs are made of; the others are evaluated."""

METHODS = ("pt+kl", "negation", "joint")


class NegationStudy:
    """The closer look at a model and at what three alignments make of it."""

    name = "negation"
    exhibit = "Table 17"
    about = "six kinds of wording before and after pulling paraphrases, pushing negations, and both"
    needs = "a model to train, tasks with options, wordings of these kinds, negated wordings to train on"
    min_models: int = 1
    options = UsedOptions(of_models=ALIGNMENT | {"seeds"}, groups=frozenset({*KINDS, OBSERVED, NEGATIONS}))

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """A run of the base model with a group for each kind, and for each method a training and the same run.

        Run folders that are given are the base model's, then those of aligned models.
        """
        if request.runs:
            return given_runs(request)
        steps: list[Step] = []
        for model in request.models:
            base = _base(request, model)
            plain, negated = training_sets(request, model)
            pairs = {method: plain if method == "pt+kl" else negated for method in METHODS}
            steps += [base, *alignments(request, model, base, pairs)]
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """A table per model, and the paper's."""
        found = aligned_models(steps, seed=request.seed, category=_all_in_one, groups=kinds_of)
        printed = figures([TABLE])
        rows = [row for each in found for row in _result_rows(each)]
        rows += seed_rows(found, groups=_kinds)
        rows += [row for each in printed for row in each.rows()]
        notes = measured_notes([each.base for each in found])
        notes += [note for each in found for note in training_notes(each.aligned)]
        return Exhibit(
            study=self.name,
            title="Kinds of wording after alignment with paraphrases and negations",
            tables=(*map(_table, found), *seed_tables(found, groups=_kinds), _printed_table(printed)),
            results=ResultTable(tuple(rows)),
            notes=tuple(dict.fromkeys(notes)),
        )


def _all_in_one(task: str, category: str) -> str:
    """Tasks weigh equally, as in Table 9, whatever their kind."""
    del task, category
    return OVERALL


def training_sets(request: StudyRequest, model: str) -> tuple[AlignmentPairs, AlignmentPairs]:
    """The training pairs of other studies, and the same examples and paraphrases with negations.

    Pairs without a negated wording are left out of both, so that all methods are trained on the same examples.

    Raises:
        UsageError: no negated wordings are known, or no pair has one; or a file of pairs and wordings to train on.
        PhraseproofError: as of `alignment_pairs`.
    """
    if request.pairs is not None and (useless := [name for name in TRAINED_ON if name in request.instructions]):
        raise UsageError(f"the group {useless[0]!r} has no effect with --pairs", where="--instructions")
    negations = request.instructions.get(NEGATIONS) or material_of(model).negations
    if not negations and request.pairs is None:
        raise UsageError(
            f"no negated wordings are known that {model} can be trained on",
            expected=f"{NEGATIONS}=COLLECTION, or --pairs with a file whose pairs have negations",
            where="--instructions",
            hint="`phraseproof instructions perturb --negate` makes a collection by rule",
        )
    with_negations = alignment_pairs(request, model, negations=negations)
    usable = [bool(pair.negations) for pair in with_negations.sets]
    if not any(usable):
        raise UsageError("no training pair has a negated wording", where="--pairs" if request.pairs else NEGATIONS)
    return _chosen(alignment_pairs(request, model), usable), _chosen(with_negations, usable)


def _chosen(pairs: AlignmentPairs, usable: Sequence[bool]) -> AlignmentPairs:
    if all(usable):
        return pairs
    kept = tuple(pair for pair, is_usable in zip(pairs.sets, usable, strict=True) if is_usable)
    left_out = f"; {len(usable) - len(kept)} without a negated wording are left out"
    return replace(pairs, sets=kept, origin=pairs.origin + left_out)


def _base(request: StudyRequest, model: str) -> EvaluationStep:
    """The run of the closer look, but for models that are shipped with the tasks and examples of aligned models."""
    material = material_of(model)
    evaluated = {name: found for name, found in request.instructions.items() if name not in TRAINED_ON}
    of_kinds = replace(request, instructions=evaluated)
    if not material.aligned_tasks:
        return evaluation_step(of_kinds, model, tasks=material.closer_tasks, instructions=material.closer)
    limit = material.aligned_limit if request.limit is None else request.limit
    return evaluation_step(of_kinds, model, tasks=material.aligned_tasks, instructions=material.closer, limit=limit)


def _kinds(each: AlignedModels) -> dict[str, str]:
    """The group of each kind of wording that was evaluated, in the order of Table 17."""
    found = {kind_of(group): group for group in each.base.groups}
    return {kind.replace("_", " "): found[kind] for kind in KINDS if kind in found}


def _table(each: AlignedModels) -> ExhibitTable:
    """The layout of Table 17; below each training what it changes."""
    groups = _kinds(each).values()
    metric = each.base.metric
    *_, (before, statistics) = each.base.rows()
    cells = (value_cell(before.groups.get(name), mean_finding(statistics.groups.get(name)), metric) for name in groups)
    rows: list[tuple[str, ...]] = [("base", *cells)]
    for aligned in each.aligned:
        after = aligned.found.summary.overall
        rows.append((aligned.label, *(value_cell(after.groups.get(name), None, metric) for name in groups)))
        rows.append(("  change", *(difference_cell(aligned.gain(OVERALL, name), metric) for name in groups)))
    lines = (
        "mean ± Std over wordings, means over tasks; in brackets 95% intervals over wordings and examples",
        "change: aligned minus base, on the same prompts",
        "a model that understands negation loses accuracy under negated wordings and keeps it under the others",
    )
    headings = ("training", *_kinds(each))
    return ExhibitTable(f"By kind of wording: {each.name}", headings, tuple(rows), lines)


def _printed_table(printed: Sequence[PublishedFigure]) -> ExhibitTable:
    cells = {(each.row, each.group): each.shown for each in printed}
    methods = dict.fromkeys(each.row for each in printed)
    rows = tuple((method, *(cells.get((method, kind), "") for kind in KINDS)) for method in methods)
    headings = ("method", *(kind.replace("_", " ") for kind in KINDS))
    line = "as printed, the negation loss pulls negated wordings towards the reference; `negation` pushes them away"
    return ExhibitTable(f"The paper's figures ({TABLE}, {printed[0].model}), on other tasks", headings, rows, (line,))


def _result_rows(found: AlignedModels) -> Iterator[ResultRow]:
    """Without the one category of all tasks, which would repeat the overall rows, and without means over kinds."""
    for row in found.base.result_rows():
        if row.level is not Level.CATEGORY:
            yield replace(row, category="", group=kind_of(row.group))
    for aligned in found.aligned:
        for row in aligned.result_rows():
            if row.level is not Level.CATEGORY and row.group:
                yield replace(row, category="", group=kind_of(row.group))
