"""Run folders below a folder, and what each holds."""

from __future__ import annotations

from pathlib import Path

from phraseproof.store.queries import load_run
from phraseproof.store.summary import run_folders, summarize_run
from support.report_runs import write_run


def test_run_folders_are_found_but_not_inside_runs_or_hidden_folders(tmp_path: Path) -> None:
    for name in ("b/deep", "a", "a/inside", ".hidden/c"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").write_text("{}")
    assert [path.relative_to(tmp_path).as_posix() for path in run_folders(tmp_path)] == ["a", "b/deep"]


def test_a_summary_counts_cells(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "run", tasks={"kb/a": "KB"}, groups={"x": 2, "y": 1}, missing=1))
    found = summarize_run(run)
    assert (found.model, found.tasks, found.wordings, found.groups) == ("org/model", 1, 3, ("x", "y"))
    assert (found.cells, found.done, found.failed, found.scorings) == (3, 2, 0, ("loglikelihood",))
