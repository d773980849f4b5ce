"""The causes of the spread in every format."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phraseproof.analysis.causes.artefact import Artefact
from phraseproof.analysis.causes.artefact_sentence import artefact_sentence
from phraseproof.analysis.causes.run import RunCauses
from phraseproof.analysis.causes.run_scorers import RunScorers
from phraseproof.analysis.causes.scorer_sentence import scorer_sentence
from phraseproof.analysis.causes.scorers import PairSpread, ScorerSpread
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.analysis.causes.spread import SpreadCauses
from phraseproof.core import Finding
from phraseproof.reports.build.causes import CausesReport, causes_results
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.results import render_results, results_json
from phraseproof.reports.format.tables import Rendered, TableFormat

FORMAT_VERSION = 1


def render(
    reports: Sequence[CausesReport], form: TableFormat, *, by_wording: bool = False, screen: Screen | None = None
) -> Rendered:
    """Write the causes of one or several runs.

    Args:
        reports: of runs at numbers of demonstrations.
        form: as for tables.
        by_wording: also what moves the accuracy of every wording.
        screen: where text is shown; 100 columns without colour by default.
    """
    if form is TableFormat.TEXT:
        from phraseproof.reports.format.causes_text import render as render_text

        return Rendered(render_text(reports, screen or Screen(), by_wording=by_wording), ())
    table = causes_results(reports, by_wording=by_wording)
    if form is not TableFormat.JSON:
        return render_results(table, form)
    document = {
        "format_version": FORMAT_VERSION,
        "runs": [
            {
                "run": report.path,
                "model": report.model,
                "num_fewshot": report.num_fewshot,
                "scoring": report.scoring,
                "settings": report.settings or None,
                "causes": causes_json(report.causes),
                "scorings": scorers_json(report.scorers),
            }
            for report in reports
        ],
        "results": results_json(table),
    }
    return Rendered(render_document(document), ())


def causes_json(causes: RunCauses) -> dict[str, object]:
    """The causes of a run; fractions are fractions, not percent. Described in docs/causes.md."""
    return {
        "tasks": [_task(task) for task in causes.tasks],
        "why_not": causes.reason or None,
        "tasks_without": [{"task": task, "why_not": why} for _, task, why in causes.reasons],
    }


def scorers_json(found: RunScorers) -> dict[str, object] | None:
    """Scorers that were compared, likewise; `None` where there is nothing to compare."""
    if not found.tasks and not found.notes:
        return None
    return {
        "tasks": [_compared(task) for task in found.tasks],
        "why_not": found.reason or None,
        "tasks_without": [{"task": task, "why_not": why} for _, task, why in found.reasons],
        "notes": [line for _, line in found.left_out],
        "artefacts": [_artefact(each) for each in found.artefacts],
    }


def _artefact(found: Artefact) -> dict[str, object]:
    guessed = found.guessed
    choices = found.choices
    return {
        "task": found.task,
        "scorings": [found.options, found.text],
        "sentence": artefact_sentence(found),
        "means": list(found.means),
        "stds": list(found.stds),
        "is_beyond_chance": found.is_beyond_chance,
        **_pair(found.pair),
        "same_choice": choices.share if choices.read.sum() else None,
        "kappa": None if np.isnan(choices.kappa) else choices.kappa,
        "unread": choices.unread.tolist(),
        "guessed": guessed
        and {
            "mean": guessed.mean,
            "std": guessed.std,
            **_pair(guessed.pair),
        },
        "wordings": [
            {"instruction": name, "prompts": int(prompts), "read": int(read), "same": int(same)}
            for name, prompts, read, same in zip(
                found.wordings, choices.prompts, choices.read, choices.same, strict=True
            )
        ],
        "mostly_unread": list(found.mostly_unread),
    }


def _pair(found: PairSpread | None) -> dict[str, object]:
    return {
        "artefact": None if found is None else _finding(found.unshared),
        "ratio": None if found is None else _finding(found.ratio),
    }


def _compared(task: ScorerSpread) -> dict[str, object]:
    is_known = task.is_beyond_chance
    return {
        "task": task.task,
        "category": task.category,
        "sentence": scorer_sentence(task),
        "wordings": len(task.wordings),
        "examples": task.examples,
        "is_beyond_chance": is_known,
        "can_tell": task.can_tell,
        "common": _finding(task.common) if is_known else None,
        "noise": _finding(task.noise) if is_known else None,
        "scorings": [
            {
                "scoring": scorer,
                "std": task.stds[place],
                "p_value": task.p_values[place],
                "alone": _finding(task.alone[place]) if is_known else None,
            }
            for place, scorer in enumerate(task.scorers)
        ],
        "correlations": [{"scorings": list(pair), **_finding(found)} for pair, found in task.correlations.items()],
    }


def _task(task: SpreadCauses) -> dict[str, object]:
    return {
        "task": task.task,
        "category": task.category,
        "sentence": cause_sentence(task),
        "examples": task.examples,
        "std": task.std,
        "std_beyond_chance": _finding(task.std_beyond),
        "p_value": task.p_value,
        "is_beyond_chance": task.is_beyond_chance,
        "can_tell": task.can_tell,
        "shares": {name: _finding(share) for name, share in task.shares.items()} if task.is_beyond_chance else None,
        "shares_of_other_wordings": {name: _finding(share) for name, share in task.other_wordings.items()}
        if task.is_beyond_chance
        else None,
        "chance": task.chance,
        "majority": task.majority,
        "wordings_with_skill": task.skilled,
        "wordings": [
            {
                "instruction": wording,
                "group": task.groups[row],
                "accuracy": float(task.accuracy[row]),
                "accuracy_without_prior": float(task.without_prior[row]),
                "p_no_skill": float(task.skill_p[row]),
                "prior_effect": float(task.effects[0, row]),
                "skill_effect": float(task.effects[1, row]),
                "joint_effect": float(task.effects[2, row]),
            }
            for row, wording in enumerate(task.wordings)
        ],
    }


def _finding(found: Finding) -> dict[str, object]:
    return {"estimate": found.estimate, "low": found.low, "high": found.high, "n": found.n, "method": found.method}
