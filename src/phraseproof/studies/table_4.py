"""`table-4`: summaries and translations under observed and unobserved wordings (section 4.2, Tables 4 and 14)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import ResultTable
from phraseproof.errors import UsageError
from phraseproof.reports.build.text import short_model_name
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import OBSERVED, UNOBSERVED, material_of
from phraseproof.studies.measured import (
    MeasuredGroups,
    difference_cell,
    mean_finding,
    measure,
    measured_notes,
    open_steps,
    two_groups,
    value_cell,
)
from phraseproof.studies.published import PublishedFigure, figures, published_model
from phraseproof.studies.steps import evaluation_step, given_runs
from phraseproof.studies.study import Step, StudyRequest

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow

TABLE = "Table 14"
METRICS = ("rouge2", "bleu")
"""The metrics of Table 4: of summaries and of translations."""

MAX_PROMPT_TOKENS = 512
"""The paper keeps the examples whose prompts are shorter; here, under every wording."""


class TableFour:
    """Generated texts under two groups of wordings."""

    name = "table-4"
    exhibit = "Tables 4 and 14"
    about = "ROUGE-2 of summaries and BLEU of translations under observed and unobserved wordings"
    needs = "a model that writes texts, tasks with references, two groups of wordings"
    min_models: int = 1

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """One run per model and task, because tasks differ in their metric and their number of examples."""
        if request.runs:
            return given_runs(request)
        steps: list[Step] = []
        for model in request.models:
            material = material_of(model)
            groups = {OBSERVED: material.text_observed, UNOBSERVED: material.text_unobserved}
            # Without `metric`: ROUGE-2 for summaries and BLEU for translations are the defaults of their kinds.
            steps += [
                evaluation_step(
                    replace(request, tasks=(task,)),
                    model,
                    tasks=(task,),
                    instructions=groups,
                    max_prompt_tokens=MAX_PROMPT_TOKENS,
                )
                for task in request.tasks or material.text_tasks
            ]
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The table of each model, with the printed figures."""
        measured = [measure(run, two_groups(run), seed=request.seed) for run in open_steps(steps)]
        for found in measured:
            if not found.metric.judges_text:
                raise UsageError(
                    "the study is of tasks whose answers are texts",
                    got=", ".join(row.name for row in found.summary.tasks),
                    where="--tasks",
                    hint="table-3 is of tasks with options",
                )
        known = [name for found in measured if (name := published_model(found.model)) is not None]
        printed = [each for each in figures([TABLE]) if each.metric in METRICS]
        printed = [each for each in printed if not known or each.model in known] or printed
        rows: list[ResultRow] = [
            row for found in measured for row in found.result_rows() if row.level is not Level.OVERALL
        ]
        rows += [row for each in printed for row in each.rows()]
        notes = measured_notes(measured)
        notes.append(
            f"Only examples whose prompts have at most {MAX_PROMPT_TOKENS} tokens under every wording, of this model's "
            "tokenizer; the paper does not say whose it used. Its Table 14 also has BERTScore."
        )
        return Exhibit(
            study=self.name,
            title="Summaries and translations under observed and unobserved wordings",
            tables=(*_tables(measured), _printed(printed)),
            results=ResultTable(tuple(rows)),
            notes=tuple(dict.fromkeys(notes)),
        )


def _tables(measured: Sequence[MeasuredGroups]) -> Iterator[ExhibitTable]:
    """The layout of Table 4, turned: a row per task and group, because tasks differ in metric and examples."""
    for model in dict.fromkeys(found.model for found in measured):
        rows: list[tuple[str, ...]] = []
        for found in measured:
            if found.model != model:
                continue
            for row, statistics in found.rows():
                if row.level is not Level.TASK:
                    continue
                cells = [
                    value_cell(row.groups.get(group), mean_finding(statistics.groups.get(group)), found.metric)
                    for group in found.groups
                ]
                cells.append(difference_cell(statistics.differences.get(found.groups[1]), found.metric))
                rows.append((row.name, found.metric.name, *cells))
        headings = ("task", "metric", *measured[0].groups, "difference")
        line = "mean ± Std over wordings; in brackets 95% intervals over wordings and examples"
        yield ExhibitTable(f"By task: {short_model_name(model)}", headings, tuple(rows), (line,), num_names=2)


def _printed(printed: Sequence[PublishedFigure]) -> ExhibitTable:
    cells = {(each.model, each.name, each.group): each for each in printed}
    rows = [
        (
            model,
            task,
            cells[model, task, OBSERVED].metric,
            cells[model, task, OBSERVED].shown,
            cells[model, task, UNOBSERVED].shown,
        )
        for model, task in dict.fromkeys((each.model, each.name) for each in printed)
    ]
    headings = ("model", "task", "metric", OBSERVED, UNOBSERVED)
    return ExhibitTable(f"The paper's figures ({TABLE})", headings, tuple(rows), num_names=3)
