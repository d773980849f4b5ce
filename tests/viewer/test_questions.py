"""What distinguishes the prompts of examples."""

from __future__ import annotations

from pathlib import Path

from phraseproof.viewer.questions import LONGEST, questions, without_shared_lines
from phraseproof.viewer.rows import StoredRow, read_rows
from support.viewed_runs import opened, write_options_run


def test_lines_that_all_share_are_left_out() -> None:
    texts = ["Yes or no?\n\nQ: Is 1\nodd?\nAnswer:", "Yes or no?\n\nQ: Is 2 odd?\nAnswer:"]
    assert without_shared_lines(texts) == ["Q: Is 1 odd?", "Q: Is 2 odd?"]
    assert without_shared_lines(["a\nb"]) == ["a b"]
    assert without_shared_lines(["same", "same"]) == ["", ""]
    assert without_shared_lines(["x" * 999, ""]) == ["x" * LONGEST + "…", ""]
    assert without_shared_lines([]) == []


def test_stored_prompts(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run", prompts=True))
    rows = read_rows(index, [StoredRow(0, 0, 0), StoredRow(0, 2, 2), StoredRow(1, 1, 1)], ["prompt"])
    assert questions(index, rows) == {0: "Is 1 odd? w/a", 2: "Is 3 odd? w/a", 1: "Is 2 odd? w/b"}


def test_prompts_that_cannot_be_rendered_have_none(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run"))
    assert questions(index, read_rows(index, [StoredRow(0, 0, 0)], ["prompt"])) == {}
