"""Tables as JSON. Keys are stable and described in docs/tables.md; numbers are in percent, in full precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.analysis.result_rows import scaled
from phraseproof.analysis.robustness import Row
from phraseproof.reports.build.answers import answer_columns, by_wording
from phraseproof.reports.build.run_tables import GroupComparison, RunScores, Screen, TaskTable, WordingTable
from phraseproof.reports.format.answers_json import answers_json
from phraseproof.reports.format.json_document import render_document

FORMAT_VERSION = 1


def render_tasks(tables: Sequence[TaskTable], _screen: Screen) -> str:
    """`{"format_version", "by": "task", "tables": [...]}`."""
    return _dump("task", [_task_table(table) for table in tables])


def render_wordings(tables: Sequence[WordingTable], _screen: Screen) -> str:
    """`{"format_version", "by": "wording", "tables": [...]}`."""
    return _dump("wording", [_wording_table(table) for table in tables])


def _dump(by: str, tables: list[dict[str, object]]) -> str:
    document = {"format_version": FORMAT_VERSION, "by": by, "tables": tables}
    return render_document(document)


def _task_table(table: TaskTable) -> dict[str, object]:
    summary, scale = table.summary, table.run.metric.scale
    return {
        "run": table.run.path,
        "model": table.run.model,
        "num_fewshot": summary.num_fewshot,
        "groups": list(summary.groups),
        "reference_group": summary.groups[0],
        "tasks": [_row(row, scale) for row in summary.tasks],
        "categories": [_row(row, scale) for row in summary.categories],
        "overall": _row(summary.overall, scale),
        "comparisons": [_comparison(comparison, scale) for comparison in table.comparisons],
        "answers": answers_json(table.answers),
        "notes": list(table.notes),
        "half_precision": _half_precision(table.run),
        **_measured(table.run),
    }


def _row(row: Row, scale: float) -> dict[str, object]:
    return {
        "name": row.name,
        "level": row.level.value,
        "category": row.category or None,
        "groups": {
            group: {
                "mean_percent": scale * found.mean,
                "std_percent": scaled(found.std, scale),
                "num_wordings": found.num_wordings,
                "num_tasks": found.num_tasks,
            }
            for group, found in row.groups.items()
        },
        "differences": {
            group: {"percentage_points": scale * found.value, "num_tasks": found.num_tasks}
            for group, found in row.differences.items()
        },
    }


def _comparison(comparison: GroupComparison, scale: float) -> dict[str, object]:
    found = comparison.finding
    return {
        "group": comparison.group,
        "reference_group": comparison.reference,
        "method": found.method if found else None,
        "num_tasks": found.n if found else None,
        "difference_percentage_points": scaled(found.estimate, scale) if found else None,
        "interval_low_percentage_points": scaled(found.low, scale) if found else None,
        "interval_high_percentage_points": scaled(found.high, scale) if found else None,
        "p_value": found.p_value if found else None,
        "why_not": comparison.reason,
    }


def _wording_table(table: WordingTable) -> dict[str, object]:
    return {
        "run": table.run.path,
        "model": table.run.model,
        "num_fewshot": table.num_fewshot,
        "rankings": [_ranking(ranking, table) for ranking in table.rankings],
        "answers": answers_json(table.answers, has_confusion=True),
        "notes": list(table.notes),
        "half_precision": _half_precision(table.run),
        **_measured(table.run),
    }


def _ranking(ranking: WordingRanking, table: WordingTable) -> dict[str, object]:
    run, answers = table.run, by_wording(table.answers)
    return {
        "task": ranking.task,
        "category": ranking.category,
        "group": ranking.group,
        "wordings": [
            {
                "instruction": wording.score.instruction,
                "mean_percent": run.metric.scale * wording.score.mean_score,
                "num_examples": wording.score.num_examples,
                "mark": wording.mark.value if wording.mark else None,
                "text": run.text_of(wording.score),
                **answer_columns(answers.get((ranking.task, ranking.group, wording.score.instruction))),
            }
            for wording in ranking.wordings
        ],
    }


def _half_precision(run: RunScores) -> dict[str, object] | None:
    return None if run.half_precision is None else asdict(run.half_precision)


def _measured(run: RunScores) -> dict[str, object]:
    """What the numbers are: keys that end in `_percent` or `_points` hold values in the metric's unit."""
    return {
        "scoring": run.scoring,
        "metric": run.metric.name,
        "unit": run.metric.unit,
        "settings": run.settings or None,
    }
