from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.core import Task
from phraseproof.errors import RunError
from phraseproof.evaluation.compared_run import ComparedRun
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.instructions.collections import Collection
from phraseproof.scoring.metric import CellKey
from phraseproof.scoring.texts.rubric import OtherRun
from support import free_texts

SHORT, GIST = CellKey("notes", "mine/short"), CellKey("notes", "mine/gist")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared") / "run"
    groups = {"g": Collection("mine", free_texts.WORDINGS)}
    evaluate(free_texts.Writer(), free_texts.notes(), groups, folder, metric="rouge2", self_test=False)
    return folder


def compared(run: Path, instruction: str | None = None, task: Task | None = None) -> ComparedRun:
    return ComparedRun(OtherRun(run=str(run), instruction=instruction), [task or free_texts.notes()])


def test_texts_are_those_of_the_wording_itself_or_of_the_one_that_is_named(run: Path) -> None:
    texts = {f"n{place}": text for place, text in enumerate(free_texts.TEXTS)}
    assert compared(run).texts(SHORT) == texts
    assert compared(run).texts(GIST) == dict.fromkeys(texts, "")
    assert compared(run, "mine/short").texts(GIST) == texts


@pytest.mark.parametrize(
    ("cell", "instruction", "problem"),
    [
        (
            SHORT._replace(instruction="mine/other"),
            None,
            r"under 'mine/other'.*one of: mine/short, mine/gist.*Name",
        ),
        (SHORT, "mine/shrot", r"no texts of 'notes' under 'mine/shrot'"),
        (SHORT._replace(num_fewshot=2, fewshot_seed=1), None, r"'mine/short' with 2 demonstrations \(seed 1\) yet"),
        (SHORT._replace(repeat=1), None, r"'mine/short' in repeat 1 yet"),
    ],
)
def test_cells_that_the_run_lacks_are_refused(run: Path, cell: CellKey, instruction: str | None, problem: str) -> None:
    with pytest.raises(RunError, match=problem):
        compared(run, instruction).texts(cell)


def test_other_tasks_and_other_data_are_refused(run: Path) -> None:
    with pytest.raises(RunError, match=r"none of the task 'letters' \(expected a run of letters, got a run of notes\)"):
        compared(run, task=free_texts.notes(name="letters"))
    with pytest.raises(RunError, match=r"which answer other data of the task 'notes'.*into a new folder"):
        compared(run, task=replace(free_texts.notes(), data="edited"))
    assert RunError.exit_code == 2


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        RunError, match=r"nowhere: .*, and a rubric compares texts with those of this run.*field against"
    ):
        compared(tmp_path / "nowhere")


def test_a_run_that_was_edited_or_damaged_is_refused(run: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    for path in run.rglob("*"):
        if path.is_file():
            target = copied / path.relative_to(run)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    assert len(compared(copied).texts(SHORT)) == 3
    cells = sorted((copied / "cells").rglob("*.parquet"))
    cells[0].write_bytes(cells[1].read_bytes())
    with pytest.raises(RunError, match=r"\.parquet"):
        compared(copied).texts(SHORT)
    content = json.loads((copied / "run.json").read_text())
    content["tasks"]["notes"]["data"] = "edited"
    (copied / "run.json").write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"run\.json is damaged or was edited"):
        compared(copied)
