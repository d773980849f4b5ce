"""Prompts that are rendered again are those that the model read."""

from __future__ import annotations

from pathlib import Path

import pytest

import phraseproof
from phraseproof.errors import NotEnoughDataError, PhraseproofError, RunError
from phraseproof.store.queries import load_run
from phraseproof.viewer.prompts import rebuilt_prompts
from phraseproof.viewer.questions import questions
from phraseproof.viewer.rows import StoredRow
from support.run_files import edit_run_file
from support.viewed_runs import opened, write_options_run

ROWS = "question,label\nIs 1 odd?,yes\nIs 2 odd?,no\nIs 3 odd?,yes\nIs 4 odd?,no\n"
TASK = "name: odd\nkind: binary\ndata: odd.csv\nchoices: ['yes', 'no']\nanswer: label\ncategory: all\n"
WORDINGS = """name: mine
instructions:
  - {id: ask, ask: "Yes or no?", layout: "Q: {{ question }}\\nA:", answer: "{{ choice }}", system: "Be brief."}
  - {id: whole, template: "{{ question }} (A) {{ choices[0] }} (B) {{ choices[1] }}\\nAnswer:"}
"""


def evaluated(folder: Path, **options: object) -> Path:
    (folder / "odd.csv").write_text(ROWS)
    (folder / "odd.yaml").write_text(TASK)
    (folder / "mine.yaml").write_text(WORDINGS)
    phraseproof.evaluate(
        "scripted", tasks=str(folder / "odd.yaml"), instructions={"mine": str(folder / "mine.yaml")},
        out=folder / "run", **{"log_samples": True, **options},  # type: ignore[arg-type]
    )  # fmt: skip
    return folder / "run"


@pytest.mark.parametrize(
    "options",
    [{"num_fewshot": [0, 2], "fewshot_draws": 2, "option_orders": 2}, {"prompt_format": "alpaca"}],
    ids=["shots, draws and orders", "alpaca"],
)
def test_they_equal_the_stored_ones(tmp_path: Path, options: dict[str, object]) -> None:
    run = load_run(evaluated(tmp_path, **options))
    checked = 0
    for cell, table in run.read_cells(("example_id", "prompt", "options")):
        ids, texts = table["example_id"].to_pylist(), table["prompt"].to_pylist()
        prompts = rebuilt_prompts(run, cell, ids)
        assert [prompt.text for prompt in prompts] == texts
        assert [list(prompt.options) for prompt in prompts] == table["options"].to_pylist()
        checked += len(ids)
    assert checked >= 8


def test_questions_of_prompts_that_are_rendered_again(tmp_path: Path) -> None:
    path = evaluated(tmp_path)
    index = opened(path)
    rows = {StoredRow(0, row, row): {"example_id": index.examples[row][1], "prompt": None} for row in (0, 1)}
    assert questions(index, rows) == {0: "Q: Is 1 odd?", 1: "Q: Is 2 odd?"}


def test_prompts_of_a_calibrated_run_are_those_of_its_source(tmp_path: Path) -> None:
    source = load_run(evaluated(tmp_path, log_samples=False))
    phraseproof.calibrate(source.path, "per-byte", out=tmp_path / "derived")
    derived = load_run(tmp_path / "derived")
    names = ["1", "2"]
    assert rebuilt_prompts(derived, derived.cells[0], names) == rebuilt_prompts(source, source.cells[0], names)
    source.path.rename(tmp_path / "moved")
    with pytest.raises(NotEnoughDataError, match="derived from is not there"):
        rebuilt_prompts(derived, derived.cells[0], names)


def test_a_relative_task_file_is_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = evaluated(tmp_path)
    edit_run_file(path, lambda content: content["spec"].update(tasks=["odd.yaml"]))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    run = load_run(path)
    assert rebuilt_prompts(run, run.cells[0], ["1"])[0].text
    (tmp_path / "odd.yaml").unlink()
    with pytest.raises(NotEnoughDataError, match="is neither in the current folder nor above the run"):
        rebuilt_prompts(run, run.cells[0], ["1"])


def test_data_that_changed_since_is_refused(tmp_path: Path) -> None:
    run = load_run(evaluated(tmp_path))
    (tmp_path / "odd.csv").write_text(ROWS.replace("Is 4", "Is 6"))
    with pytest.raises(RunError, match="the task's data has changed since the run"):
        rebuilt_prompts(run, run.cells[0], ["1"])


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    run = load_run(evaluated(tmp_path))
    (tmp_path / "odd.csv").unlink()
    with pytest.raises(PhraseproofError):
        rebuilt_prompts(run, run.cells[0], ["1"])


def test_chats_show_their_turns(tmp_path: Path) -> None:
    path = evaluated(tmp_path)
    edit_run_file(path, lambda content: content["settings"].update(prompt_format="chat"))
    run = load_run(path)
    (name,) = next(iter(run.read_cells(("example_id",))))[1]["example_id"].to_pylist()[:1]
    (prompt,) = rebuilt_prompts(run, run.cells[0], [name])
    assert prompt.text == "[system]\nBe brief.\n\n[user]\nYes or no?\n\nQ: Is 1 odd?\nA:"


def test_nothing_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = evaluated(tmp_path)

    def move(content: dict[str, object]) -> None:
        content["spec"]["tasks"] = ["mmlu/anatomy"]  # type: ignore[index]
        content["tasks"] = {"mmlu/anatomy": {"data": "0"}}
        for cell in content["cells"]:  # type: ignore[attr-defined]
            cell["task"] = "mmlu/anatomy"

    edit_run_file(path, move)
    run = load_run(path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("phraseproof.viewer.prompts.load_tasks", lambda *_, **__: pytest.fail("data is loaded"))
    with pytest.raises(NotEnoughDataError, match="loads nothing from a network"):
        rebuilt_prompts(run, run.cells[0], ["1"])


def test_runs_that_do_not_say_what_is_needed(tmp_path: Path) -> None:
    run = load_run(write_options_run(tmp_path / "run"))
    with pytest.raises(NotEnoughDataError, match="does not say on which data"):
        rebuilt_prompts(run, run.cells[0], ["e1"])


def test_imported_runs_hold_no_prompts_to_render(tmp_path: Path) -> None:
    path = write_options_run(tmp_path / "run")
    edit_run_file(path, lambda content: content["settings"].update(imported="csv"))
    run = load_run(path)
    with pytest.raises(NotEnoughDataError, match="imported from another program"):
        rebuilt_prompts(run, run.cells[0], ["e1"])
