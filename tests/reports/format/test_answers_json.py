"""Answers as JSON, next to the outcomes that they count."""

from __future__ import annotations

from pathlib import Path

from phraseproof.reports.build.answers import answers_of
from phraseproof.reports.format.answers_json import answers_json
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_every_task_has_its_baselines_and_counts(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path))
    answers = answers_of(run)
    found = answers_json(answers, has_confusion=True)
    assert [each["task"] for each in found] == list(dict.fromkeys(cell.task for cell in run.cells))
    rows = run.outcomes().to_pylist()
    for entry, task in zip(found, answers, strict=True):
        assert entry["chance_percent"] == 100 * task.chance
        confusion = entry["confusion"]
        assert isinstance(confusion, list)
        assert len(confusion) == 7
        for each in confusion:
            own = [row for row in rows if (row["task"], row["instruction"]) == (task.task, each["instruction"])]
            assert sum(map(sum, each["counts"])) == len(own)
            assert sum(each["counts"][n][n] for n in range(len(task.classes))) == sum(row["score"] for row in own)


def test_counts_are_left_out_where_they_are_not_asked_for(tmp_path: Path) -> None:
    assert all("confusion" not in each for each in answers_json(answers_of(load_run(write_run(tmp_path)))))
