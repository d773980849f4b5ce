"""Tables as CSV, one row per number, ready for spreadsheets and data frames.

Text is data and stays as it was written, also where a spreadsheet would take it for a formula; import it as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from phraseproof.analysis.result_rows import scaled
from phraseproof.analysis.robustness import Row
from phraseproof.reports.build.answers import answer_columns, baseline, by_wording, constant_answers, within_row
from phraseproof.reports.build.run_tables import Screen, TaskTable, WordingTable
from phraseproof.reports.format.csv_rows import CsvCell, render_rows
from phraseproof.scoring.accuracy import METRIC as ACCURACY

TASK_COLUMNS = (
    "run",
    "model",
    "num_fewshot",
    "level",
    "category",
    "task",
    "group",
    "mean_percent",
    "std_percent",
    "num_wordings",
    "num_tasks",
    "reference_group",
    "difference_percentage_points",
    "difference_num_tasks",
    "test_difference_percentage_points",
    "test_interval_low_percentage_points",
    "test_interval_high_percentage_points",
    "test_p_value",
    "test_num_tasks",
    "test_method",
    "scoring",
    "metric",
    "chance_percent",
    "majority_percent",
    "constant_wordings",
)
WORDING_COLUMNS = (
    "run",
    "model",
    "num_fewshot",
    "category",
    "task",
    "group",
    "instruction",
    "mean_percent",
    "num_examples",
    "mark",
    "text",
    "scoring",
    "metric",
    "most_chosen",
    "most_chosen_percent",
    "macro_f1_percent",
    "balanced_accuracy_percent",
)

_Cells = dict[str, CsvCell]


def render_tasks(tables: Sequence[TaskTable], _screen: Screen) -> str:
    """A header and a row for each table, row of it and group; the test's columns are filled in overall rows."""
    return render_rows(TASK_COLUMNS, (cells for table in tables for cells in _task_cells(table)))


def render_wordings(tables: Sequence[WordingTable], _screen: Screen) -> str:
    """A header and a row for each table, task, group and wording."""
    return render_rows(WORDING_COLUMNS, (cells for table in tables for cells in _wording_cells(table)))


def _task_cells(table: TaskTable) -> Iterable[_Cells]:
    summary, scale = table.summary, table.run.metric.scale
    tests = {comparison.group: comparison.finding for comparison in table.comparisons}
    for row in (*summary.tasks, *summary.categories, summary.overall):
        for group, found in row.groups.items():
            cells: _Cells = {
                "run": table.run.path,
                "model": table.run.model,
                "num_fewshot": summary.num_fewshot,
                "level": row.level.value,
                "category": row.category,
                "task": row.name if row.level == "task" else "",
                "group": group,
                "mean_percent": scale * found.mean,
                "std_percent": scaled(found.std, scale),
                "num_wordings": found.num_wordings,
                "num_tasks": found.num_tasks,
            }
            if group in row.differences:
                cells["reference_group"] = summary.groups[0]
                cells["difference_percentage_points"] = scale * row.differences[group].value
                cells["difference_num_tasks"] = row.differences[group].num_tasks
            test = tests.get(group) if row.level == "overall" else None
            if test is not None:
                cells["test_difference_percentage_points"] = scaled(test.estimate, scale)
                cells["test_interval_low_percentage_points"] = scaled(test.low, scale)
                cells["test_interval_high_percentage_points"] = scaled(test.high, scale)
                cells["test_p_value"] = test.p_value
                cells["test_num_tasks"] = test.n
                cells["test_method"] = test.method
            yield cells | _of_answers(row, group, table)


def _of_answers(row: Row, group: str, table: TaskTable) -> _Cells:
    cells: _Cells = {"scoring": table.run.scoring, "metric": table.run.metric.name}
    within = within_row(table.answers, row.level, row.name)
    if not within:
        return cells
    if table.run.metric.name == ACCURACY.name:
        found = baseline(within)
        cells |= {"chance_percent": 100 * found.chance, "majority_percent": 100 * found.majority}
    constant = sum(each.group == group for task in within for each in constant_answers(task))
    return cells | {"constant_wordings": constant}


def _wording_cells(table: WordingTable) -> Iterable[_Cells]:
    answers = by_wording(table.answers)
    for ranking in table.rankings:
        for wording in ranking.wordings:
            yield {
                "run": table.run.path,
                "model": table.run.model,
                "num_fewshot": ranking.num_fewshot,
                "category": ranking.category,
                "task": ranking.task,
                "group": ranking.group,
                "instruction": wording.score.instruction,
                "mean_percent": table.run.metric.scale * wording.score.mean_score,
                "num_examples": wording.score.num_examples,
                "mark": wording.mark.value if wording.mark else "",
                "text": table.run.text_of(wording.score) or "",
                "scoring": table.run.scoring,
                "metric": table.run.metric.name,
                **answer_columns(answers.get((ranking.task, ranking.group, wording.score.instruction))),
            }
