from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from phraseproof.core import Outcome
from phraseproof.errors import ModelError, UsageError
from phraseproof.scoring.registry import metric
from phraseproof.scoring.texts.judge import Judge, make

RUBRIC = """name: mine
prompt: "{{ text }}"
grade: 'Grade: ([0-9])'
judge: {model: scripted}
"""


class Echo:
    """A judge whose answer is the prompt."""

    settings: Mapping[str, object] = {"model": "echo"}

    def answers(self, prompts: Sequence[str]) -> list[str]:
        return list(prompts)


def judge(folder: Path, name: str = "") -> Judge:
    (folder / "rubric.yaml").write_text(RUBRIC)
    found = make(f"{folder / 'rubric.yaml'}{name}")
    assert isinstance(found, Judge)
    return found


def outcomes(*texts: str) -> list[Outcome]:
    return [Outcome(str(place), np.nan, text=text, reference="x") for place, text in enumerate(texts)]


def test_unreadable_grades_are_in_no_mean(tmp_path: Path) -> None:
    mine = judge(tmp_path)
    mine.connect(Echo())
    judged = mine.judge(outcomes("Grade: 5", "Grade: 2", "no idea", "Grade: 9", "Grade: 1"))
    assert [each.statistics for each in judged] == [(1.0, 1.0), (0.25, 1.0), (0.0, 0.0), (0.0, 0.0), (0.0, 1.0)]
    sums = np.array([each.statistics for each in judged]).sum(axis=0)
    assert mine.aggregate(sums, 5) == pytest.approx((1 + 0.25 + 0) / 3)
    with pytest.raises(ModelError, match=r"2 of 3 answers of the judge have no grade \(expected a match of"):
        mine.judge(outcomes("Grade: 5", "no idea", "none"))


def test_the_judge_does_not_see_thoughts(tmp_path: Path) -> None:
    mine = judge(tmp_path)
    mine.connect(Echo())
    (judged,) = mine.judge(outcomes("<think>Grade: 5? Or Grade: 4?</think>\nGrade: 2"))
    assert judged.score == 0.25
    (only_thoughts,) = mine.judge(outcomes("<think>Grade: 5</think> Grade: 1"))
    assert (only_thoughts.score, only_thoughts.text) == (0.0, "<think>Grade: 5</think> Grade: 1")


def test_rubric_and_judge_are_the_identity(tmp_path: Path) -> None:
    mine, other = judge(tmp_path), judge(tmp_path, "@openai/x")
    for each in (mine, other):
        each.connect(Echo())
    assert mine.identity == other.identity
    assert (mine.judge_model.model, other.judge_model.model) == ("scripted", "openai/x")
    assert str(other.signature).endswith("|judge:openai/x")
    (tmp_path / "rubric.yaml").write_text(RUBRIC.replace("[0-9]", "[1-9]"))
    edited = make(str(tmp_path / "rubric.yaml"))
    assert isinstance(edited, Judge)
    edited.connect(Echo())
    assert edited.identity != mine.identity


def test_what_lacks_is_one_line() -> None:
    with pytest.raises(UsageError, match=r"the rubric 'summary' names no model\. Write judge:summary@MODEL"):
        make("summary").require([])
    with pytest.raises(UsageError, match="only evaluate loads one"):
        make("summary@scripted").scores(outcomes("a"))
    with pytest.raises(UsageError, match="expected judge:RUBRIC or judge:RUBRIC@MODEL"):
        metric("judge:@x")
    # A run is read without the rubric's file.
    assert metric("judge:nowhere/gone.yaml").high == 1.0
