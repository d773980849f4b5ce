"""Config files: what they may say, where they are wrong, and that a run's config makes the same run."""

from __future__ import annotations

from pathlib import Path

import pytest

import phraseproof
from phraseproof.errors import FileError
from phraseproof.evaluation.config import config_of_run, read_config
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.store.run_file import read_run_file
from support.parity_project import write_project


def written(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_file_leaves_out_has_its_default(tmp_path: Path) -> None:
    text = "model: m\ntasks: a,b\ninstructions: {mine: my.yaml}\nmodel_options: {dtype: float32}\nbudget: 5%\n"
    spec = read_config(written(tmp_path, text))
    same = {"model": "m", "tasks": "a,b", "instructions": {"mine": "my.yaml"}, "budget": "5%"}
    assert spec == EvaluationSpec().with_changes(**same, model_options={"dtype": "float32"})
    assert spec.model_fields_set == {*same, "model_options"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: m\nlimt: 3\n", "run.yaml:2, limt: unknown field 'limt' (got 3). Did you mean 'limit'?"),
        ("model: m\nlimit: 0\n", "run.yaml:2, limit: cannot evaluate on so few examples"),
        ("seed: x\n", "run.yaml:1, seed: not a whole number (got 'x')"),
        ("tasks:\n  - mmlu\n  - [3]\n", "run.yaml:3, tasks.1: not text (got [3])"),
        (
            "model_options:\n  dtyp: float32\n",
            "run.yaml:2, model_options.dtyp: unknown field 'dtyp' (got 'float32'). Did you mean 'dtype'?",
        ),
        ("instructions: composed\n", "run.yaml:1, instructions: not a mapping"),
        ("- mmlu\n", "run.yaml:1: not a mapping"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FileError) as caught:
        read_config(written(tmp_path, text))
    assert message in str(caught.value)


def test_the_config_of_a_run_makes_the_same_cells(tmp_path: Path) -> None:
    project = write_project(tmp_path, examples=4, wordings=3)
    run = phraseproof.evaluate(
        "scripted",
        str(project / "task.yaml"),
        {"mine": str(project / "wordings.yaml")},
        tmp_path / "run",
        limit=3,
        budget="50%",
        num_fewshot=[0, 1],
    )
    text = config_of_run(read_run_file(tmp_path / "run"), where="run")
    assert text.startswith("# The evaluation in run\nmodel: scripted\n")
    again = resolve(read_config(written(tmp_path, text)))
    assert {each.cell for each in again.planned} == set(run.cells)
