"""`objectives`: other losses that align representations (appendix E, Table 16)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from phraseproof.analysis.results import ResultTable
from phraseproof.studies.aligned_models import aligned_models, training_notes
from phraseproof.studies.alignment import by_benchmark_table, tests_table
from phraseproof.studies.alignment_pairs import alignment_pairs
from phraseproof.studies.alignment_step import (
    AlignmentStep,
    aligned_base,
    alignments,
)
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import OBSERVED, UNOBSERVED
from phraseproof.studies.measured import measured_notes
from phraseproof.studies.published import PublishedFigure, figures, remarks
from phraseproof.studies.seeds import seed_rows, seed_tables
from phraseproof.studies.steps import given_runs
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import ALIGNMENT, UsedOptions

TABLE = "Table 16"
METHODS = ("ft+kl", "pt+kl", "ft+contrastive", "pt+contrastive", "mse")
"""In the order of Table 16."""

ENCODER_STATES = "mse"
"""The method that compares states of the encoder, which decoder-only models do not have."""


class ObjectivesStudy:
    """The KL term, the KL term with contrast, and equal encoder states at the soft prompt."""

    name = "objectives"
    exhibit = "Table 16"
    about = "accuracy after alignment by the KL term, by KL with contrast, and by equal encoder states (MSE)"
    needs = "a model that can be trained, tasks with options, two groups of wordings; MSE needs an encoder-decoder"
    min_models: int = 1
    options = UsedOptions(of_models=ALIGNMENT | {"seeds"})

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """For every model its run, and for every objective and seed a training and the run of what it makes.

        Run folders that are given are the base model's, then those of aligned models.
        """
        if request.runs:
            return given_runs(request)
        steps: list[Step] = []
        for model in request.models:
            pairs, base = alignment_pairs(request, model), aligned_base(request, model)
            steps += [base, *alignments(request, model, base, dict.fromkeys(_methods(request, model), pairs))]
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The tables of all models, and the paper's."""
        measured = aligned_models(steps, seed=request.seed)
        printed = figures([TABLE])
        rows = [row for each in measured for row in each.base.result_rows()]
        rows += [row for each in measured for aligned in each.aligned for row in aligned.result_rows()]
        rows += seed_rows(measured)
        rows += [row for each in printed for row in each.rows()]
        notes = list(_without_encoder(steps))
        notes += measured_notes([each.base for each in measured])
        notes += [note for each in measured for note in training_notes(each.aligned)]
        notes += remarks(printed)
        return Exhibit(
            study=self.name,
            title="Objectives of alignment",
            tables=(
                by_benchmark_table(measured),
                tests_table(measured),
                *seed_tables(measured),
                _printed_table(printed),
            ),
            results=ResultTable(tuple(rows)),
            notes=tuple(dict.fromkeys(notes)),
        )


def _methods(request: StudyRequest, model: str) -> Iterator[str]:
    """The methods that the model can be trained with. Its weights are not loaded."""
    from phraseproof.models import load_model
    from phraseproof.models.huggingface.model import HuggingFaceModel

    loaded = load_model(model, request.model_options)
    has_encoder = isinstance(loaded, HuggingFaceModel) and not loaded.is_decoder_only
    return (method for method in METHODS if has_encoder or method != ENCODER_STATES)


def _without_encoder(steps: Sequence[Step]) -> Iterator[str]:
    """A note for models without encoder states, so that no one looks for their row."""
    methods: dict[str, set[str]] = {}
    for step in steps:
        if isinstance(step, AlignmentStep):
            methods.setdefault(step.model, set()).add(step.settings.method)
    lacking = [model for model, trained in methods.items() if ENCODER_STATES not in trained]
    if lacking:
        yield (
            f"{', '.join(lacking)}: no row of MSE, which compares encoder states and needs an encoder-decoder model "
            "(`pocket/small-t5` is one)"
        )


def _printed_table(printed: Sequence[PublishedFigure]) -> ExhibitTable:
    cells = {(each.row, each.group): each.shown for each in printed}
    methods = dict.fromkeys(each.row for each in printed)
    groups = (OBSERVED, UNOBSERVED)
    rows = tuple((method, *(cells.get((method, group), "") for group in groups)) for method in methods)
    headings = ("training", *(f"MMLU {group}" for group in groups))
    return ExhibitTable(f"The paper's figures ({TABLE}, {printed[0].model})", headings, rows)
