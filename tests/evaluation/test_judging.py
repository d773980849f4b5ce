from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.core import Prompt, Sampling
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.evaluation.judging import FOLDER, KeptJudge
from phraseproof.instructions.collections import Collection
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reports.build.readings import reading_lines
from phraseproof.store.queries import Run, load_run
from support import free_texts

ANSWERS = """answers:
  - to: library
    say: "Grade: 5"
  - to: found
    say: "Grade: 3"
  - to: Bread
    say: I like bread.
"""


def test_no_prompt_is_asked_twice(tmp_path: Path) -> None:
    asked: list[str] = []

    def write(prompt: Prompt, _sampling: Sampling) -> str:
        asked.append(prompt.text)
        return f"Grade: {len(asked)}"

    first = KeptJudge(ScriptedModel(write=write), 8, tmp_path)
    assert first.answers(["a", "b", "a"]) == ["Grade: 1", "Grade: 2", "Grade: 1"]
    again = KeptJudge(ScriptedModel(write=write), 8, tmp_path)
    assert again.answers(["b", "c"]) == ["Grade: 2", "Grade: 3"]
    assert asked == ["a", "b", "c"]
    assert len(list((tmp_path / FOLDER).iterdir())) == 1


@pytest.fixture
def rubric(tmp_path: Path) -> Path:
    (tmp_path / "answers.yaml").write_text(ANSWERS)
    path = tmp_path / "rubric.yaml"
    path.write_text(
        'name: mine\nprompt: "{{ reference }} / {{ text }}"\ngrade: "Grade: ([1-5])"\n'
        f"judge: {{model: scripted, args: {{answers: {tmp_path / 'answers.yaml'}}}}}\n"
    )
    return path


def test_a_judge_grades_the_stored_texts(tmp_path: Path, rubric: Path) -> None:
    writer = free_texts.Writer()

    def run(name: str) -> Run:
        groups = {"g": Collection("mine", free_texts.WORDINGS)}
        return evaluate(writer, free_texts.notes(), groups, tmp_path / "run", metric=name, self_test=False)

    run(f"judge:{rubric}")
    asked = len(writer.asked)
    graded = load_run(tmp_path / "run")
    # The default metric is computed first, so that texts are stored whatever happens to the judge.
    assert graded.metrics == ("rouge2", f"judge:{rubric}")
    graded = graded.select(metric=f"judge:{rubric}")
    assert {row.instruction: row.mean_score for row in graded.wording_scores()} == {
        "mine/short": 0.75,
        "mine/gist": 0.75,
    }
    lines = reading_lines(graded)
    assert any("rubric:mine" in line and "in percent of the scale" in line for line in lines)
    assert "2 of 6 (33.3%) grades are unreadable, and are in no mean" in lines
    # Other criteria are another metric; the evaluated model is not asked again.
    identities = {cell.identity for cell in graded.cells}
    rubric.with_name("other.yaml").write_text(rubric.read_text() + "criteria: stricter\n")
    run(f"judge:{rubric.with_name('other.yaml')}")
    assert len(writer.asked) == asked
    other = load_run(tmp_path / "run").select(metric=f"judge:{rubric.with_name('other.yaml')}")
    assert identities.isdisjoint(cell.identity for cell in other.cells)
