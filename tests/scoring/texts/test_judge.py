from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from phraseproof.core import Outcome
from phraseproof.errors import ModelError, RunError, UsageError
from phraseproof.scoring import patterns
from phraseproof.scoring.metric import CellKey
from phraseproof.scoring.patterns import SlowPatternError
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


def test_a_grade_that_takes_too_long_to_find_names_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "LIMIT_S", 0.05)
    (tmp_path / "slow.yaml").write_text(RUBRIC.replace("Grade: ([0-9])", "(a|aa)+$"))
    slow = make(str(tmp_path / "slow.yaml"))
    assert isinstance(slow, Judge)
    slow.connect(Echo())
    with pytest.raises(SlowPatternError, match=r"^mine, grade: the pattern .* on the text of the example '1'"):
        slow.judge(outcomes("a", "a" * 300 + "!"))


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


PAIRS = """name: pairs
form: pairs
prompt: "1 {{ first }} / 2 {{ second }}"
grade: 'good at ([12])|even'
judge: {model: scripted}
"""


class PrefersLong:
    """Names the place of the longer text; says `even` of equal lengths, and nothing that can be read of numbers."""

    settings: Mapping[str, object] = {"model": "long"}

    def __init__(self) -> None:
        self.asked: list[str] = []

    def answers(self, prompts: Sequence[str]) -> list[str]:
        self.asked += prompts
        return [self._answer(*prompt.removeprefix("1 ").split(" / 2 ")) for prompt in prompts]

    def _answer(self, first: str, second: str) -> str:
        if "7" in first + second:
            return "who knows"
        if len(first) == len(second):
            return "even"
        return f"good at {1 if len(first) > len(second) else 2}"


class Texts:
    """Texts of another run, the same for each cell."""

    name = "runs/other"

    def __init__(self, **texts: str) -> None:
        self._texts = texts

    def texts(self, cell: CellKey) -> Mapping[str, str]:
        return {} if cell.instruction == "c/none" else self._texts


def pairs(folder: Path, holds: Texts | None = None) -> tuple[Judge, PrefersLong]:
    against = "" if holds is None else "against: {run: runs/other}\n"
    (folder / "pairs.yaml").write_text(PAIRS + against)
    found, asks = make(str(folder / "pairs.yaml")), PrefersLong()
    assert isinstance(found, Judge)
    found.connect(asks, holds)
    return found, asks


CELL = CellKey("t", "c/w")
NAMES = ("a", "b", "c", "d", "e", "f")


def test_texts_are_compared_with_those_of_another_run_in_both_orders(tmp_path: Path) -> None:
    others = Texts(a="bb", b="dddd", c="ff", d="<think>so</think>same", e="7")
    whole, asks = pairs(tmp_path, others)
    rows = [
        Outcome(name, np.nan, text=text, reference="no part of it")
        for name, text in zip(NAMES, ("aaa", "ccc", "ee", "same", "x", "y"), strict=True)
    ]
    judged = whole.in_cell(CELL, NAMES).judge(rows)
    # Longer wins; shorter loses; as long is a tie; equal texts are a tie without a question; then an unreadable answer,
    # and an example that the other run lacks.
    assert [each.statistics for each in judged] == [
        (1.0, 1.0, 1.0, 1.0, 1.0),
        (0.0, 0.0, 0.0, 1.0, 1.0),
        (0.5, 0.5, 0.5, 1.0, 1.0),
        (0.5, 0.5, 0.5, 0.0, 1.0),
        (0.0, 0.0, 0.0, 1.0, 0.0),
        (0.0, 0.0, 0.0, 0.0, 0.0),
    ]
    assert asks.asked[:2] == ["1 aaa / 2 bb", "1 bb / 2 aaa"]
    assert len(asks.asked) == 8
    sums = np.array([each.statistics for each in judged]).sum(axis=0)
    assert whole.aggregate(sums, 6) == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    assert (whole.questions_per_text, judge(tmp_path).questions_per_text) == (2, 1)


def test_a_reference_that_equals_the_text_is_a_tie(tmp_path: Path) -> None:
    alone, asks = pairs(tmp_path)
    (same, longer) = alone.judge(outcomes("x", "xyz"))
    assert (same.statistics, longer.score) == ((0.5, 0.5, 0.5, 0.0, 1.0), 1.0)
    assert len(asks.asked) == 2


def test_the_texts_compared_with_are_the_identity_and_the_path_is_not(tmp_path: Path) -> None:
    mine, _ = pairs(tmp_path, Texts(a="1", b="2"))
    before = mine.in_cell(CELL, ["a"]).identity
    mine.connect(PrefersLong(), Texts(a="1", b="other"))
    assert mine.in_cell(CELL, ["a"]).identity == before  # b is not compared
    mine.connect(PrefersLong(), Texts(a="changed", b="2"))
    assert mine.in_cell(CELL, ["a"]).identity != before
    assert set(before) == {"rubric", "judge", "pair_statistics", "against"}
    assert mine.signature.endswith("|judge:scripted|against:runs/other")
    alone, _ = pairs(tmp_path)
    assert alone.in_cell(CELL, ["a"]) is alone
    assert "against" not in alone.identity


def test_too_few_shared_examples_are_refused(tmp_path: Path) -> None:
    mine, _ = pairs(tmp_path, Texts(a="1"))
    mine.require_cell(CELL, ["a", "b"])
    with pytest.raises(RunError, match=r"runs/other: the run holds 1 of 3 examples of .t..*at least half"):
        mine.require_cell(CELL, ["a", "b", "c"])
    with pytest.raises(UsageError, match="compares the texts of cells, and no cell is named"):
        mine.judge(outcomes("a"))
    (unconnected, _) = pairs(tmp_path, Texts())
    unconnected.connect(PrefersLong())
    with pytest.raises(UsageError, match="compares texts with a run, and only evaluate reads it"):
        unconnected.in_cell(CELL, ["a"])
