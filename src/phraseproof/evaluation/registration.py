"""Registers a plan in a run folder: records what was sampled, and reports the cells that leave the run."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.core import Cell, Kind
from phraseproof.evaluation.answer_settings import require_one_form
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.record import Record
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.scoring.registry import metric, reads_text
from phraseproof.store.run_file import RUN_FILE, SAMPLES, EvaluatedSample, edited_entries, read_run_file, sample_entry
from phraseproof.store.writer import Edited, RunStore


def register_plan(
    store: RunStore,
    planned: Sequence[PlannedCell],
    record: Record,
    spec: EvaluationSpec,
    observer: Observer,
    *,
    stored: str = "outcomes",
) -> None:
    """Write a plan and its record into a run folder.

    Args:
        store: the run folder.
        planned: the plan.
        record: sections of `run.json`, as `describe` returns them.
        spec: its sample is added to those of earlier evaluations, so that their outcomes are found again.
        observer: notified of cells that are computed again or leave the run.
        stored: what the run folder holds, for messages.
    """
    samples = [*store.samples, EvaluatedSample(spec.limit, spec.seed, spec.scoring, spec.metric, spec.sample)]
    record[SAMPLES] = {name: entry for each in samples for name, entry in sample_entry(each).items()}
    before = read_run_file(store.path).get("tasks", {}) if (store.path / RUN_FILE).exists() else {}
    entries = before | record["tasks"]
    require_one_form({name: Kind(each["kind"]) for name, each in entries.items() if "kind" in each}, str(store.path))
    # A task whose data is the same was not edited: only its sample changed.
    grown = edited_entries(before, record["tasks"]) - edited_entries(before, record["tasks"], "data")
    edited = store.register([each.cell for each in planned], record)
    _report_edits(edited, {name for name in grown if "data" in before[name]}, stored, observer)


def _report_edits(edited: Edited, grown: set[str], stored: str, observer: Observer) -> None:
    """Report the cells that changed.

    Args:
        edited: the changes that the registration made.
        grown: the tasks of which only the sample changed.
        stored: what the run folder holds.
        observer: notified of them.
    """
    replaced = [cell for cell in edited.replaced if cell.task not in grown]
    if replaced:
        of_texts = [cell for cell in replaced if reads_text(cell.scoring)]
        reasons = "their data or wordings were edited"
        if any(not metric(cell.metric).judges_text for cell in of_texts):
            reasons += ", or this version reads options from texts by other rules"
        if any(metric(cell.metric).is_graded for cell in of_texts):
            reasons += ", or the rubric, the judge or the texts compared with are others"
        observer.noted(f"{_cells(replaced)} computed again: {reasons}")
    for is_grown, reason in ((False, "data or wordings were edited"), (True, "the sample of examples changed")):
        left = [cell for cell in edited.left if (cell.task in grown) == is_grown]
        if left:
            names = ", ".join(f"{cell.task} under {cell.instruction}" for cell in left[:3])
            rest = f" and {len(left) - 3} more" if len(left) > 3 else ""
            observer.warned(
                f"{reason}, so {_cells(left)} computed before leave this run: {names}{rest}. Name their wordings "
                f"again to include them; stored {stored} are reused where nothing was edited"
            )


def _cells(cells: Sequence[Cell]) -> str:
    return f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"
