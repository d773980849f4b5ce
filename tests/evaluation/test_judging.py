from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.core import Prompt, Sampling
from phraseproof.errors import RunError
from phraseproof.evaluation.evaluate import evaluate, forecast
from phraseproof.evaluation.judging import FOLDER, KeptJudge
from phraseproof.evaluation.observer import Observer
from phraseproof.instructions.collections import Collection
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reports.build.readings import reading_lines
from phraseproof.store.queries import Run, load_run
from support import free_texts
from support.growing_run import Listener

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


def test_a_rubric_that_is_edited_in_its_place_grades_again_and_this_is_said(tmp_path: Path, rubric: Path) -> None:
    def run(observer: Observer | None = None) -> set[str]:
        groups = {"g": Collection("mine", free_texts.WORDINGS)}
        found = evaluate(
            free_texts.Writer(),
            free_texts.notes(),
            groups,
            tmp_path / "run",
            metric=f"judge:{rubric}",
            self_test=False,
            observer=observer,
        )
        return {cell.identity for cell in found.select(metric=f"judge:{rubric}").cells}

    before = run()
    rubric.write_text(f"{rubric.read_text()}criteria: stricter\n")
    listener = Listener()
    assert before.isdisjoint(run(listener))
    assert any(
        "2 cells computed again" in note and "the rubric, the judge or the texts compared with are others" in note
        for note in listener.notes
    )
    assert not any("by other rules" in note for note in listener.notes)


COMPARES = """name: pairs
form: pairs
prompt: "1 {{ first }} / 2 {{ second }}"
grade: "better: ([12])"
against: {run: RUN, instruction: INSTRUCTION}
judge: {model: scripted, args: {answers: ANSWERS}}
"""

PREFERS_TEXTS = """answers:
  - to: "1  / 2"
    say: "better: 2"
  - to: "/ 2"
    say: "better: 1"
"""


def compare(folder: Path, run: Path, instruction: str, *, limit: int | None = None) -> Run:
    """Texts of `folder` judged against those of a run, by a judge who prefers any text to an empty one."""
    (folder / "prefers.yaml").write_text(PREFERS_TEXTS)
    rubric = folder / "pairs.yaml"
    values = (("RUN", run), ("INSTRUCTION", instruction), ("ANSWERS", folder / "prefers.yaml"))
    text = COMPARES
    for name, value in values:
        text = text.replace(name, str(value))
    rubric.write_text(text)
    groups = {"g": Collection("mine", free_texts.WORDINGS)}
    return evaluate(
        free_texts.Writer(),
        free_texts.notes(),
        groups,
        folder / "run",
        metric=f"judge:{rubric}",
        limit=limit,
        self_test=False,
    ).select(metric=f"judge:{rubric}")


def write_notes(out: Path, *, limit: int | None = None) -> None:
    groups = {"g": Collection("mine", free_texts.WORDINGS)}
    evaluate(free_texts.Writer(), free_texts.notes(), groups, out, metric="rouge2", limit=limit, self_test=False)


def means(run: Run) -> dict[str, float]:
    return {row.instruction: row.mean_score for row in run.wording_scores()}


def test_texts_are_compared_with_a_wording_of_the_same_run(tmp_path: Path) -> None:
    write_notes(tmp_path / "run")
    found = compare(tmp_path, tmp_path / "run", "mine/short")
    # `short` meets itself: ties without a question. `gist` wrote nothing, and loses in both orders.
    assert means(found) == {"mine/short": 0.5, "mine/gist": 0.0}
    (asked,) = (tmp_path / "run" / FOLDER).iterdir()
    assert len(asked.read_text().splitlines()) == 6
    identities = {cell.identity for cell in found.cells}
    # Against the other wording: other cells, in which no question is new.
    other = compare(tmp_path, tmp_path / "run", "mine/gist")
    assert means(other) == {"mine/short": 1.0, "mine/gist": 0.5}
    assert identities.isdisjoint(cell.identity for cell in other.cells)
    assert len(asked.read_text().splitlines()) == 6


def test_a_forecast_counts_what_the_judge_is_asked(tmp_path: Path, rubric: Path) -> None:
    def judged(name: str) -> int:
        groups = {"g": Collection("mine", free_texts.WORDINGS)}
        return forecast(free_texts.Writer(), free_texts.notes(), groups, tmp_path / "run", metric=name).judge_questions

    assert judged("rouge2") == 0
    assert judged(f"judge:{rubric}") == 6  # three examples under two wordings
    pairs = tmp_path / "two.yaml"
    pairs.write_text(
        'name: two\nform: pairs\nprompt: "{{ first }} / {{ second }}"\ngrade: "([12])"\njudge: {model: scripted}\n'
    )
    assert judged(f"judge:{rubric},judge:{pairs}") == 6 + 12
    groups = {"g": Collection("mine", free_texts.WORDINGS)}
    evaluate(
        free_texts.Writer(), free_texts.notes(), groups, tmp_path / "run", metric=f"judge:{rubric}", self_test=False
    )
    assert judged(f"judge:{rubric},judge:{pairs}") == 12


def test_examples_that_the_other_run_lacks_are_in_no_mean(tmp_path: Path) -> None:
    write_notes(tmp_path / "other", limit=2)
    found = compare(tmp_path, tmp_path / "other", "mine/gist")
    assert means(found) == {"mine/short": 1.0, "mine/gist": 0.5}
    rows = found.query_rows("SELECT statistics FROM outcomes WHERE instruction = 'mine/short' ORDER BY statistics")
    assert [row["statistics"] for row in rows] == [[0.0] * 5, [1.0] * 5, [1.0] * 5]
    write_notes(tmp_path / "one", limit=1)
    with pytest.raises(RunError, match=r"the run holds 1 of 3 examples of 'notes' on which texts are compared"):
        compare(tmp_path, tmp_path / "one", "mine/gist")
