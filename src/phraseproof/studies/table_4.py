"""`table-4`: summaries and translations under observed and unobserved wordings (section 4.2, Tables 4 and 14)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import ResultTable
from phraseproof.errors import UsageError
from phraseproof.reports.build.text import short_model_name
from phraseproof.scoring.texts.bertscore import DEFAULT_ENCODER, METRIC
from phraseproof.store.queries import load_run
from phraseproof.studies.bertscore_step import BertScoreStep, bertscore_lack
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import OBSERVED, UNOBSERVED, material_of
from phraseproof.studies.measured import (
    MeasuredGroups,
    difference_cell,
    mean_finding,
    measure,
    measured_notes,
    two_groups,
    value_cell,
)
from phraseproof.studies.published import PublishedFigure, figures, published_model
from phraseproof.studies.steps import evaluation_step, given_runs
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import EVALUATION, UsedOptions

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow
    from phraseproof.store.queries import Run

TABLE = "Table 14"
METRICS = ("rouge2", "bleu")
"""The metrics of Table 4: of summaries and of translations."""

BERTSCORE = METRIC.name
"""The metric that Table 14 adds for both."""

MAX_PROMPT_TOKENS = 512
"""The paper keeps the examples whose prompts are shorter; here, under every wording."""


class TableFour:
    """Generated texts under two groups of wordings."""

    name = "table-4"
    exhibit = "Tables 4 and 14"
    about = "ROUGE-2 of summaries, BLEU of translations and BERTScore under observed and unobserved wordings"
    needs = "a model that writes texts, tasks with references, two groups of wordings; for BERTScore roberta-large"
    min_models: int = 1
    options = UsedOptions(of_models=EVALUATION)

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """One run per model and task, because tasks differ in their metric and their number of examples.

        The texts of each are judged by BERTScore too.
        """
        if request.runs:
            return given_runs(request)
        steps: list[Step] = []
        for model in request.models:
            material = material_of(model)
            groups = {OBSERVED: material.text_observed, UNOBSERVED: material.text_unobserved}
            # Without `metric`: ROUGE-2 for summaries and BLEU for translations are the defaults of their kinds.
            runs = [
                evaluation_step(
                    replace(request, tasks=(task,)),
                    model,
                    tasks=(task,),
                    instructions=groups,
                    max_prompt_tokens=MAX_PROMPT_TOKENS,
                )
                for task in request.tasks or material.text_tasks
            ]
            steps += [step for run in runs for step in (run, BertScoreStep(run.spec, run.folder))]
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The table of each model, with the printed figures."""
        runs = [load_run(folder) for folder in dict.fromkeys(step.folder for step in steps)]
        measured = [measure(run.select(metric=_first(run)), two_groups(run), seed=request.seed) for run in runs]
        for found in measured:
            if not found.metric.judges_text:
                raise UsageError(
                    "the study is of tasks whose answers are texts",
                    got=", ".join(row.name for row in found.summary.tasks),
                    where="--tasks",
                    hint="table-3 is of tasks with options",
                )
        known = [name for found in measured if (name := published_model(found.model)) is not None]
        judged = [
            measure(run.select(metric=BERTSCORE), two_groups(run), seed=request.seed)
            for run in runs
            if BERTSCORE in run.metrics
        ]
        printed = _printed_figures(METRICS, known)
        rows: list[ResultRow] = [
            row for found in (*measured, *judged) for row in found.result_rows() if row.level is not Level.OVERALL
        ]
        tables = [*_tables(measured), _printed(printed)]
        if judged:
            by_bertscore = _printed_figures((BERTSCORE,), known)
            printed += by_bertscore
            tables += [*_tables(judged), _printed(by_bertscore)]
        rows += [row for each in printed for row in each.rows()]
        notes = measured_notes(measured)
        notes.append(
            f"Only examples whose prompts have at most {MAX_PROMPT_TOKENS} tokens under every wording, of this model's "
            "tokenizer; the paper does not say whose it used."
        )
        notes += _bertscore_notes(len(judged), len(runs), given=bool(request.runs))
        return Exhibit(
            study=self.name,
            title="Summaries and translations under observed and unobserved wordings",
            tables=tuple(tables),
            results=ResultTable(tuple(rows)),
            notes=tuple(dict.fromkeys(notes)),
        )


def _first(run: Run) -> str:
    """The metric of Table 4 that a run holds, or whichever it holds first."""
    return next((name for name in run.metrics if name in METRICS), run.metric)


def _printed_figures(metrics: Sequence[str], known: Sequence[str]) -> list[PublishedFigure]:
    """The figures of Table 14 in some metrics, of the models that were measured or of all."""
    printed = [each for each in figures([TABLE]) if each.metric in metrics]
    return [each for each in printed if not known or each.model in known] or printed


def _bertscore_notes(judged: int, runs: int, *, given: bool) -> list[str]:
    """Why BERTScore, which Table 14 has too, is not shown; or which of its variants is."""
    if judged == runs:
        return [f"{BERTSCORE}: F1 of {DEFAULT_ENCODER}, not rescaled; the paper does not say which encoder it used."]
    lack = f"{judged} of {runs} runs hold it" if judged else "no run holds it"
    if given:
        return [f"Without {BERTSCORE}, which Table 14 has too: {lack}. `evaluate --metric {BERTSCORE}` adds it."]
    return [f"Without {BERTSCORE}, which Table 14 has too: {bertscore_lack() or lack}. The same command then adds it."]


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
        judge = f"{BERTSCORE} by task" if measured[0].metric.name == BERTSCORE else "By task"
        yield ExhibitTable(f"{judge}: {short_model_name(model)}", headings, tuple(rows), (line,), num_names=2)


def _printed(printed: Sequence[PublishedFigure]) -> ExhibitTable:
    cells = {(each.model, each.name, each.group): each for each in printed if each.statistic == "mean"}
    differences = {(each.model, each.name): each.shown for each in printed if each.statistic == "difference"}
    rows = [
        (
            model,
            task,
            cells[model, task, OBSERVED].metric,
            cells[model, task, OBSERVED].shown,
            cells[model, task, UNOBSERVED].shown,
            differences[model, task],
        )
        for model, task in dict.fromkeys((each.model, each.name) for each in printed)
    ]
    headings = ("model", "task", "metric", OBSERVED, UNOBSERVED, "difference")
    named = f", {BERTSCORE}" if printed[0].metric == BERTSCORE else ""
    return ExhibitTable(f"The paper's figures ({TABLE}{named})", headings, tuple(rows), num_names=3)
